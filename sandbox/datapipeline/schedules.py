"""When the runs of a schedule are. This release runs on-demand pipelines and schedules with one occurrence.

Source: AWS Data Pipeline Developer Guide, *Schedule* and *Schedules and dependencies*: with cron the run starts at the
beginning of the interval, with timeseries at its end.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime

from core.errors import PipelineInvalid
from core.periods import parse_datetime, parse_period
from sandbox.datapipeline.definition import Definition
from sandbox.datapipeline.expressions import evaluate
from sandbox.datapipeline.plan import Plan
from sandbox.datapipeline.scope import DefinitionScope

FIRST_ACTIVATION = "FIRST_ACTIVATION_DATE_TIME"


@dataclass(frozen=True, slots=True)
class Interval:
    """One run: its scheduled start and end, and the moment it may start; seconds since 1970."""

    start: float
    end: float
    due: float


def interval_of(plan: Plan, component: str, activated: float) -> Interval:
    """Return the one run of a component of a pipeline that was first activated at a moment.

    Raises:
        PipelineInvalid: the schedule is missing, cannot be read, or has more than one occurrence.
    """
    style = plan.schedule_type(component)
    whole = float(int(activated))
    if style == "ondemand":
        return Interval(whole, whole, whole)
    schedule = next(iter(plan.definition.effective(component).refs("schedule")), None)
    if schedule is None or schedule not in plan.definition.objects:
        raise PipelineInvalid(f"{component} has no schedule; give it one, or set scheduleType to ondemand on Default")
    start = _start(plan, schedule, whole)
    end = start + _period(plan, schedule)
    if occurrences(plan, schedule, start) != 1:
        raise PipelineInvalid(
            f"Schedule {schedule} has more than one occurrence; the sandbox does not run recurring schedules yet, "
            "set occurrences to 1 or scheduleType to ondemand"
        )
    return Interval(start, end, end if style == "timeseries" else start)


def occurrences(plan: Plan, schedule: str, start: float) -> float:
    """Return how often a schedule runs; infinity if nothing ends it."""
    if count := _text(plan, schedule, "occurrences"):
        try:
            return int(count)
        except ValueError:
            raise PipelineInvalid(f"{schedule}.occurrences is {count!r}; write a whole number") from None
    if end := _text(plan, schedule, "endDateTime"):
        return max(1, math.ceil((_moment(schedule, "endDateTime", end) - start) / _period(plan, schedule)))
    return math.inf


def schedule_errors(definition: Definition) -> dict[str, str]:
    """Return one sentence for each schedule in use that the sandbox does not run, by the schedule's id."""
    found: dict[str, str] = {}
    plan = Plan(definition)
    for component in plan.activities:
        schedule = next(iter(definition.effective(component).refs("schedule")), None)
        if plan.schedule_type(component) == "ondemand" or schedule is None or schedule in found:
            continue
        try:
            interval_of(plan, component, 0.0)
        except PipelineInvalid as error:
            found[schedule] = str(error)
    return found


def _start(plan: Plan, schedule: str, activated: float) -> float:
    if (_text(plan, schedule, "startAt") or "").upper() == FIRST_ACTIVATION:
        return activated
    written = _text(plan, schedule, "startDateTime")
    if written is None:
        raise PipelineInvalid(f"Schedule {schedule} has no start; set startAt to {FIRST_ACTIVATION} or startDateTime")
    return _moment(schedule, "startDateTime", written)


def _period(plan: Plan, schedule: str) -> float:
    text = _text(plan, schedule, "period")
    try:
        seconds = parse_period(text or "").total_seconds()
    except ValueError as error:
        raise PipelineInvalid(f"{schedule}.period: {error}") from None
    if not seconds:
        raise PipelineInvalid(f"{schedule}.period is {text!r}; it must be longer than nothing")
    return seconds


def _moment(schedule: str, key: str, text: str) -> float:
    try:
        return parse_datetime(text).timestamp()
    except ValueError:
        example = datetime(2030, 1, 31, 6, tzinfo=UTC).strftime("%Y-%m-%dT%H:%M:%S")
        raise PipelineInvalid(f"{schedule}.{key} is {text!r}; write a UTC time like {example}") from None


def _text(plan: Plan, schedule: str, key: str) -> str | None:
    written = plan.definition.effective(schedule).string(key)
    if written is None:
        return None
    result = evaluate(written, DefinitionScope(plan.definition, schedule))
    return result if isinstance(result, str) else next(iter(result), None)
