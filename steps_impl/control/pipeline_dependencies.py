"""``pipeline-dependencies``: waits until other pipelines have finished their runs of a day.

Dataduct's step of that name, by its documented rules: nothing listed is done at once; a name that is unknown is an
error, a run that has not ended is waited for, no run that day is an error, and so is a run that ended badly.
Failures of those that may fail are told and fail nothing. What has finished is not asked about again, and the service
itself chooses the instances of the day, so that the account's two calls a second suffice however many pipelines and
years it has.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

from pydantic import Field

from core.errors import DependencyFailed, NotFound, ParameterError
from core.settings import Settings, load_settings
from steps_impl.contract import PIPELINE_VARIABLE, StepContext, StepResult
from steps_impl.registry import Parameters, Step
from stores import notifications
from stores.datapipeline import ENDED, SUCCEEDED, PipelineRuns, pipelines_named


class DependenciesParameters(Parameters):
    """What is waited for."""

    dependencies: tuple[str, ...] = Field(default=(), description="names of the pipelines that must finish")
    dependencies_ok_to_fail: tuple[str, ...] = Field(
        default=(), description="names of pipelines that are waited for, and whose failures are only told"
    )
    start_date: date | None = Field(
        default=None, description="the day (`YYYY-MM-DD`, UTC) of the runs' scheduled start; default: today"
    )
    refresh_rate: float = Field(default=300.0, gt=0, le=3600, description="seconds between two looks")
    appearance: float = Field(
        default=0.0, ge=0, description="seconds to wait for the runs of the day to appear; 0: having none is an error"
    )
    pipeline_name: str | None = Field(default=None, description="of the pipeline that waits, for the message")
    sns_topic_arn: str | None = Field(
        default=None, description="who is told of failures that are ok; default: etl.sns_topic_arn_warning"
    )


@dataclass
class _Dependency:
    """One pipeline that is waited for."""

    name: str
    runs: PipelineRuns
    #: Instances that have finished; they are not asked about again.
    finished: set[str] = field(default_factory=set)
    #: Why it failed, once it has.
    failure: str | None = None
    done: bool = False

    def look(self, day: date) -> bool:
        """Look at the instances of the day; return whether there are any."""
        ids = self.runs.ids_scheduled(f"{day}T00:00:00", f"{day}T23:59:59")
        waiting = False
        for described in self.runs.describe(name for name in ids if name not in self.finished):
            status = described.fields.get("@status", "")
            if status in SUCCEEDED:
                self.finished.add(described.id)
            elif status in ENDED:
                self.failure = f"{self.name} has the bad status {status} ({described.id})"
            else:
                waiting = True
        self.done = bool(ids) and (self.failure is not None or not waiting)
        return bool(ids)


def run(parameters: DependenciesParameters, context: StepContext) -> StepResult:
    """Wait for the pipelines and return how many there were, and which of the lenient ones failed.

    Raises:
        NotFound: no pipeline has one of the names, or it has no run that day.
        DependencyFailed: one of ``dependencies`` ended badly.
        ParameterError: a name belongs to several pipelines, to this one, or stands in both lists.
    """
    settings = load_settings(environment=context.environment)
    day = parameters.start_date or datetime.now(UTC).date()
    strict, lenient, failures = _found(parameters, settings, context)
    deadline = time.monotonic() + parameters.appearance
    open_ones = [*strict, *lenient]
    while open_ones:
        for dependency in open_ones:
            _look(dependency, day, may_appear=time.monotonic() < deadline)
            if dependency.failure and dependency in strict:
                raise DependencyFailed(f"{dependency.failure}; rerun it, then this step")
        open_ones = [dependency for dependency in open_ones if not dependency.done]
        context.reporter.progress(f"waits for {len(open_ones)} of {len(strict) + len(lenient)} pipelines")
        if open_ones and context.cancelled.wait(parameters.refresh_rate):
            raise InterruptedError("cancelled while waiting for pipelines")
    failures += [dependency.failure for dependency in lenient if dependency.failure]
    if failures:
        _tell(failures, parameters, settings)
    return StepResult(details={"pipelines": len(strict) + len(lenient), "day": str(day), "failed": failures})


def _look(dependency: _Dependency, day: date, *, may_appear: bool) -> None:
    if dependency.look(day) or may_appear:
        return
    dependency.done = True
    dependency.failure = f"{dependency.name} does not exist today: it has no run that is scheduled for {day}"


def _found(
    parameters: DependenciesParameters, settings: Settings, context: StepContext
) -> tuple[list[_Dependency], list[_Dependency], list[str]]:
    """Return the strict and the lenient ones, and a failure for each lenient one that is unknown."""
    prefix = f"{settings.etl.name_prefix}_" if settings.etl.name_prefix else ""
    strict = [prefix + name for name in dict.fromkeys(parameters.dependencies)]
    lenient = [prefix + name for name in dict.fromkeys(parameters.dependencies_ok_to_fail)]
    if both := set(strict) & set(lenient):
        raise ParameterError(f"{sorted(both)[0]!r} stands in --dependencies and in --dependencies-ok-to-fail")
    if not (strict or lenient):
        return [], [], []
    named = pipelines_named([*strict, *lenient], settings.etl.region)
    own = context.environment.get(PIPELINE_VARIABLE)
    _check(named, own)
    if missing := [name for name in strict if not named[name]]:
        raise NotFound(f"Pipeline not found: {', '.join(missing)}; check the name, the region and etl.name_prefix")
    unknown = [f"{name}: Pipeline not found" for name in lenient if not named[name]]
    region = settings.etl.region
    return list(_open(strict, named, region)), list(_open(lenient, named, region)), unknown


def _open(names: Sequence[str], named: dict[str, list[str]], region: str | None) -> Iterator[_Dependency]:
    return (_Dependency(name, PipelineRuns(named[name][0], region)) for name in names if named[name])


def _check(named: dict[str, list[str]], own: str | None) -> None:
    for name, ids in named.items():
        if len(ids) > 1:
            raise ParameterError(
                f"{len(ids)} pipelines have the name {name!r} ({', '.join(ids)}); rename or delete one"
            )
        if own in ids:
            raise ParameterError(f"{name!r} is this pipeline itself: it would wait for ever")


def _tell(failures: Sequence[str], parameters: DependenciesParameters, settings: Settings) -> None:
    text = f"Failed dependencies: {', '.join(failures)}"
    topic = parameters.sns_topic_arn or settings.etl.sns_topic_arn_warning
    if not topic or topic == "None":  # what Dataduct's definitions hold where no topic was configured
        sys.stderr.write(f"ductrunner: {text}\n")
        return
    notifications.publish(topic, f"Dependency error for pipeline: {parameters.pipeline_name or '(no name)'}.", text)


STEP = Step(
    name="pipeline-dependencies",
    summary="Wait until other pipelines have finished their runs of a day.",
    parameters=DependenciesParameters,
    run=run,
)
