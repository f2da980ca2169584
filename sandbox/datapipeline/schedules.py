"""The intervals of a schedule: when each begins and ends, and when the run for it may start.

Source: AWS Data Pipeline Developer Guide, *Schedule* and *Scheduling pipelines*: with cron the run starts at the
beginning of its interval, with timeseries at the end; resources are there from the beginning in any case.
``endDateTime`` ends the schedule: an interval belongs to it that begins before. Periods of months and years go by the
calendar, counted from the first start: one from 31 January is followed by 28 February and 31 March.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from core.errors import PipelineInvalid
from core.periods import CalendarPeriod, parse_datetime
from sandbox.datapipeline.clock import text_of
from sandbox.datapipeline.definition import Definition
from sandbox.datapipeline.inheritance import lineage
from sandbox.datapipeline.plan import Plan

FIRST_ACTIVATION = "FIRST_ACTIVATION_DATE_TIME"


@dataclass(frozen=True, slots=True)
class Interval:
    """One occurrence: its scheduled start and end, and the moment it may start; seconds since 1970."""

    start: float
    end: float
    due: float


@dataclass(frozen=True, slots=True)
class Timetable:
    """All intervals of one schedule, numbered from 0."""

    start: datetime
    period: CalendarPeriod
    #: How many there are; infinity if nothing ends the schedule.
    count: float
    at_end: bool

    def interval(self, number: int) -> Interval | None:
        """Return an interval; None if there are not so many, or it lies behind the year 9999."""
        if number >= self.count:
            return None
        try:
            start, end = (self.period.after(self.start, number + each).timestamp() for each in (0, 1))
        except OverflowError:
            return None
        return Interval(start, end, end if self.at_end else start)

    def number_from(self, moment: float) -> int:
        """Return the number of the first interval that begins at a moment or later."""
        asked = datetime.fromtimestamp(moment, UTC)
        if asked <= self.start:
            return 0
        if not self.period.months:
            return math.ceil((asked - self.start) / self.period.length)
        months = 12 * (asked.year - self.start.year) + asked.month - self.start.month
        number = months // self.period.months
        return number if self.period.after(self.start, number) >= asked else number + 1

    def number_over(self, moment: float) -> int:
        """Return the number of the first interval that ends after a moment."""
        number = max(0, self.number_from(moment) - 1)
        interval = self.interval(number)
        return number if interval is None or interval.end > moment else number + 1


def timetable(plan: Plan, component: str, activated: float) -> Timetable:
    """Return the timetable of a component of a pipeline that was first activated at a moment.

    Raises:
        PipelineInvalid: the schedule is missing or cannot be read.
    """
    schedule = plan.schedule(component)
    if schedule is None:
        raise PipelineInvalid(f"{component} has no schedule; give it one, or set scheduleType to ondemand on Default")
    start, period = _start(plan, schedule, activated), _period(plan, schedule)
    at_end = plan.schedule_type(component) == "timeseries" and component not in plan.users
    whole = Timetable(start, period, math.inf, at_end)
    count = _count(plan, schedule, whole)
    if count < 1:
        raise PipelineInvalid(f"Schedule {schedule} ends before its first run; set a later endDateTime")
    return replace(whole, count=count)


def schedule_errors(definition: Definition) -> dict[str, str]:
    """Return one sentence for each schedule in use that cannot be followed, by the schedule's id."""
    found: dict[str, str] = {}
    plan = Plan(definition)
    for component in () if plan.on_demand else plan.components:
        try:
            timetable(plan, component, 0.0)
        except PipelineInvalid as error:
            found.setdefault(plan.schedule(component) or component, str(error))
    return found


def backfill_warnings(definition: Definition, now: float) -> dict[str, str]:
    """Return AWS's warning for each object that asks for cascading failures of runs that are to be made up for.

    Source: Developer Guide, *Cascading failures and reruns*. It stands with the object that has the field.
    """
    plan = Plan(definition)
    starts: dict[str, float] = {}
    for component in () if plan.on_demand else filter(plan.cascades, plan.activities):
        first = _first(plan, component, now)
        if first is not None and first.end <= now:
            owner = next(item for item in lineage(definition.objects, component) if item.values("failureAndRerunMode"))
            starts[owner.id] = min(first.start, starts.get(owner.id, math.inf))
    return {
        name: (
            f"{name} has 'failureAndRerunMode' field set to 'cascade' and you are about to create a backfill with "
            f"scheduleStartTime {text_of(start)}. "
            "This can result in rapid creation of pipeline objects in case of failures."
        )
        for name, start in starts.items()
    }


def _first(plan: Plan, component: str, activated: float) -> Interval | None:
    try:
        return timetable(plan, component, activated).interval(0)
    except PipelineInvalid:  # the activation will say so
        return None


def _start(plan: Plan, schedule: str, activated: float) -> datetime:
    if (plan.text(schedule, "startAt") or "").upper() == FIRST_ACTIVATION:
        return datetime.fromtimestamp(int(activated), UTC)
    written = plan.text(schedule, "startDateTime")
    if written is None:
        raise PipelineInvalid(f"Schedule {schedule} has no start; set startAt to {FIRST_ACTIVATION} or startDateTime")
    return _moment(schedule, "startDateTime", written)


def _count(plan: Plan, schedule: str, whole: Timetable) -> float:
    if count := plan.text(schedule, "occurrences"):
        try:
            return int(count)
        except ValueError:
            raise PipelineInvalid(f"{schedule}.occurrences is {count!r}; write a whole number") from None
    if end := plan.text(schedule, "endDateTime"):
        return whole.number_from(_moment(schedule, "endDateTime", end).timestamp())
    return math.inf


def _period(plan: Plan, schedule: str) -> CalendarPeriod:
    text = plan.text(schedule, "period")
    try:
        period = CalendarPeriod.parse(text or "")
    except ValueError as error:
        raise PipelineInvalid(f"{schedule}.period: {error}") from None
    if not period.months and period.length < timedelta(seconds=1):
        raise PipelineInvalid(f"{schedule}.period is {text!r}; it must be longer than nothing")
    return period


def _moment(schedule: str, key: str, text: str) -> datetime:
    try:
        return parse_datetime(text)
    except (ValueError, OverflowError):
        example = datetime(2030, 1, 31, 6, tzinfo=UTC).strftime("%Y-%m-%dT%H:%M:%S")
        raise PipelineInvalid(f"{schedule}.{key} is {text!r}; write a UTC time like {example}") from None
