"""How a quality check reports: one record, told to the log, to SNS and to S3 in Dataduct's form.

Dataduct (executors, QA reporting): a check succeeds when its error rate is known and not above the tolerance;
the log row is ``schema, table, pipeline, UTC time, test name, 1|0, tolerance, error_rate``. Unlike Dataduct a
failed check fails the step also when a topic is told, unless ``on_failure`` is ``warn``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

from pydantic import ConfigDict, Field

from core.errors import CheckFailed, DuctrunnerError, SettingsError
from core.settings import Settings
from steps_impl.contract import PIPELINE_VARIABLE, StepContext, StepResult
from steps_impl.quality.pages import Shown, write_report
from steps_impl.registry import Parameters
from stores import notifications


class CheckParameters(Parameters):
    """What every check is told beside what it looks at."""

    model_config = ConfigDict(allow_inf_nan=False)  # JSON has no word for them

    tolerance: float = Field(default=0.0, ge=0, description="highest error rate that still passes (in percent)")
    on_failure: Literal["fail", "warn"] = Field(
        default="fail", description="what a failed check does: fail the step (exit 3) or only warn"
    )
    sns_topic_arn: str | None = Field(
        default=None, description="topic told of a failed check; default: etl.sns_topic_arn_warning"
    )
    log_to_s3: bool = Field(default=False, description="leave Dataduct's log row under etl.qa_log_path in S3")
    path_suffix: str = Field(default="", description="folder between the log path and the log row")
    test_name: str | None = Field(default=None, description="name of the check in reports")
    report: str | None = Field(
        default=None,
        description="leave a report there, a file or s3://bucket/key: HTML or JSON by its ending, else one of each",
    )


@dataclass(frozen=True)
class CheckReport:
    """The outcome of one check. ``error_rate`` is in the unit of the tolerance; ``None`` means not computable."""

    check: str
    schema: str
    table: str
    tolerance: float
    error_rate: float | None
    #: Counts by name; never row data.
    counts: Mapping[str, Any] = field(default_factory=dict)
    #: One sentence about what was found.
    finding: str = ""
    #: What the error rate and the tolerance count.
    unit: str = "%"
    #: Whether a failure is only told, inside a step that goes on.
    warns: bool = False

    @property
    def success(self) -> bool:
        """Whether the error rate is known and within the tolerance."""
        return self.error_rate is not None and self.error_rate <= self.tolerance

    def summary(self) -> str:
        """Return the lines that a person reads; free of row data."""
        counts = "".join(f"\n  {name}: {value}" for name, value in self.counts.items())
        outcome = "passed" if self.success else "FAILED"
        table = f"{self.schema}.{self.table}" if self.schema else self.table
        rate = "not computable" if self.error_rate is None else f"{self.error_rate:g}"
        return (
            f"{self.check} of {table} {outcome}: {self.finding}\n"
            f"  error rate: {rate} (tolerance {self.tolerance:g}){counts}"
        )

    @property
    def details(self) -> dict[str, Any]:
        """What a step's result says of it."""
        rates = {"success": self.success, "error_rate": self.error_rate, "tolerance": self.tolerance}
        return {"check": self.check, **rates, **self.counts}


#: A check with the parameters under whose name it is told.
Named = tuple[CheckReport, CheckParameters]
TOPIC = "its topic was not told"


def conclude(report: CheckReport, parameters: CheckParameters, settings: Settings, context: StepContext) -> StepResult:
    """Tell everyone who asked about the report, and end the step as it says. Raises as ``conclude_all``."""
    return conclude_all([report], parameters, settings, context)


def conclude_all(
    reports: Sequence[CheckReport], parameters: CheckParameters, settings: Settings, context: StepContext
) -> StepResult:
    """Tell everyone who asked about the reports of one step, and end it as the parameters say.

    Raises:
        CheckFailed: one of them failed and ``on_failure`` is ``fail``; it says, too, what could not be told elsewhere.
        SettingsError, ParameterError, StoreError: a log row or the report could not be written.
    """
    untold = tell(reports, parameters, settings, context)
    failed = [report for report in reports if not report.success]
    if failed and parameters.on_failure == "fail":
        raise CheckFailed(with_untold(summaries(failed), untold))
    if unwritten := [one.error for one in untold if one.what != TOPIC]:
        raise unwritten[0]
    told = {"notification": "; ".join(map(str, untold))} if untold else {}
    if len(reports) == 1:
        return StepResult(details={**reports[0].details, **told})
    return StepResult(details={"success": not failed, "checks": [report.details for report in reports], **told})


@dataclass(frozen=True)
class Untold:
    """One of the ways to tell of checks, and why it failed."""

    what: str
    error: DuctrunnerError

    def __str__(self) -> str:
        return f"{self.what}: {self.error.error_id}: {self.error}"


def with_untold(text: str, untold: Sequence[Untold]) -> str:
    """Return a text about checks with what could not be told of them elsewhere."""
    return "".join([text, *(f"\n  and {one}" for one in untold)])


def tell(
    reports: Sequence[CheckReport], parameters: CheckParameters, settings: Settings, context: StepContext
) -> list[Untold]:
    """Tell the topic of failures, and write log rows and report as asked for; return what could not be done.

    One that fails keeps none of the others from being tried.
    """
    pipeline = context.environment.get(PIPELINE_VARIABLE, "")
    named = [(report, named_for(report, parameters, len(reports))) for report in reports]
    ways = {
        TOPIC: lambda: _notify([report for report in reports if not report.success], parameters, settings),
        "its log row was not written": lambda: _log(named, parameters, settings, pipeline),
        "its report was not written": lambda: _write(named, parameters, settings, pipeline),
    }
    return [Untold(what, error) for what, way in ways.items() if (error := _failure_of(way))]


def _failure_of(way: Callable[[], None]) -> DuctrunnerError | None:
    try:
        way()
    except DuctrunnerError as error:
        return error
    return None


def named_for(report: CheckReport, parameters: CheckParameters, several: int) -> CheckParameters:
    """Return the parameters with the name of one check: of several, each says which one it is."""
    if several == 1 or not parameters.test_name:
        return parameters
    return parameters.model_copy(update={"test_name": f"{parameters.test_name} {report.check}"})


def summaries(reports: Sequence[CheckReport]) -> str:
    """Return the summaries of several reports."""
    return "\n".join(report.summary() for report in reports)


def shown(report: CheckReport, parameters: CheckParameters) -> Shown:
    """Return what a written report says of a check."""
    warns = report.warns or parameters.on_failure == "warn"
    return Shown(
        name=parameters.test_name or report.check,
        relation=f"{report.schema}.{report.table}" if report.schema else report.table,
        outcome="passed" if report.success else "warning" if warns else "failed",
        error_rate=report.error_rate,
        tolerance=report.tolerance,
        unit=report.unit,
        finding=report.finding,
        counts=report.counts,
    )


def _notify(failed: Sequence[CheckReport], parameters: CheckParameters, settings: Settings) -> None:
    topic = parameters.sns_topic_arn or settings.etl.sns_topic_arn_warning
    if failed and topic:
        notifications.publish(topic, f"Failure on {parameters.test_name or failed[0].check}", summaries(failed))


def _write(named: Sequence[Named], parameters: CheckParameters, settings: Settings, pipeline: str) -> None:
    if parameters.report:
        write_report(parameters.report, [shown(report, own) for report, own in named], pipeline, settings.etl)


def _log(named: Sequence[Named], parameters: CheckParameters, settings: Settings, pipeline: str) -> None:
    """Leave Dataduct's log row of each check in S3 where that is asked for."""
    if not parameters.log_to_s3:
        return
    from stores.s3 import S3Store

    etl = settings.etl
    if not etl.s3_etl_bucket:
        raise SettingsError("--log-to-s3 needs etl.s3_etl_bucket in the configuration")
    for report, own in named:
        values = log_row(report, own, pipeline, datetime.now(UTC))
        parts = [etl.s3_base_path, etl.qa_log_path, etl.dp_qa_tests_log_path, own.path_suffix, log_name(values)]
        key = "/".join(part.strip("/") for part in parts if part.strip("/"))
        S3Store(region=etl.region).put_bytes(f"s3://{etl.s3_etl_bucket}/{key}", ("\t".join(values) + "\n").encode())


def log_row(report: CheckReport, parameters: CheckParameters, pipeline: str, moment: datetime) -> list[str]:
    """Return the eight values of Dataduct's log row; each is one field, so that no name may hold a tab or line end."""
    test_name = parameters.test_name or report.check
    values = [
        report.schema or "NULL",
        report.table,
        test_name.partition(".")[0] if "." in test_name else pipeline or "NULL",
        moment.strftime("%Y-%m-%d %H:%M:%S"),
        test_name,
        "1" if report.success else "0",
        f"{report.tolerance:g}",
        "NULL" if report.error_rate is None else f"{report.error_rate:g}",
    ]
    return [" ".join(re.split(r"[\x00-\x1f\x7f]+", value)) for value in values]


def log_name(values: list[str]) -> str:
    """Return the key's last part: the values joined by ``_``, dots and spaces replaced (Dataduct's form)."""
    return re.sub(r"[. /]", "_", "_".join(values)) + ".tsv"
