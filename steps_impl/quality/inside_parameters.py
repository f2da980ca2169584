"""Parameters of the checks that a loading step makes before its commit; loading steps inherit them."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator

from core.periods import parse_period
from steps_impl.quality.null_rates import parse_limits
from steps_impl.quality.report import CheckParameters
from steps_impl.quality.sample_parameters import SampleParameters
from steps_impl.tables.tokens import statements_in

InsideCheck = Literal["dropped", "nulls", "freshness", "sql"]
#: What stands for the table of the new rows in a query of the user.
STAGING = "{staging}"


class InsideCheckParameters(SampleParameters):
    """Checks on what was staged and on the target, inside the transaction: a failure rolls everything back."""

    check_rows: bool = Field(default=True, description="check the row counts from the source to the target")
    tolerance: float = Field(
        default=0.0,
        ge=0,
        le=100,
        description="percent of rows that may be lost on the way to staging, or differ in the sample",
    )
    check_dropped: float | None = Field(
        default=None,
        ge=0,
        le=100,
        description="percent of the staged rows that may be left out (refused, without a key, duplicates of a key)",
    )
    check_nulls: tuple[str, ...] = Field(
        default=(), description="columns that may have no NULL among the new rows, or COLUMN=PERCENT at most"
    )
    check_freshness: str | None = Field(
        default=None, description="COLUMN=PERIOD: age that the newest new row may have, e.g. 'updated_at=2 days'"
    )
    check_sql: tuple[str, ...] = Field(
        default=(),
        description="queries that must each return 0; {staging} and {target} stand for the new rows and the table",
    )
    warn_checks: tuple[InsideCheck, ...] = Field(
        default=(), description="of these checks a failure is told and the step goes on"
    )
    check_topic_arn: str | None = Field(
        default=None, description="topic told of failed checks; default: etl.sns_topic_arn_warning"
    )
    check_log_to_s3: bool = Field(default=False, description="leave Dataduct's log row of each check in S3")
    check_report: str | None = Field(
        default=None,
        description="leave a report of the checks there, a file or s3://bucket/key: HTML or JSON by its ending, "
        "else one of each",
    )

    @field_validator("check_nulls")
    @classmethod
    def _limits(cls, entries: tuple[str, ...]) -> tuple[str, ...]:
        parse_limits(entries, 0.0)
        return entries

    @field_validator("check_freshness")
    @classmethod
    def _column_and_period(cls, text: str | None) -> str | None:
        if text is not None:
            column, _, period = text.partition("=")
            parse_period(period)
            if not column.strip():
                raise ValueError("write COLUMN=PERIOD, for example 'updated_at=2 days'")
        return text

    @field_validator("check_sql")
    @classmethod
    def _queries(cls, texts: tuple[str, ...]) -> tuple[str, ...]:
        for text in texts:
            if statements_in(text) != 1:
                raise ValueError("takes one query in each value")
        return texts

    @property
    def need_staging(self) -> bool:
        """Whether a query asks for the new rows beside the table."""
        return any(STAGING in text for text in self.check_sql)

    def told(self, test_name: str) -> CheckParameters:
        """Return how the outcome is told."""
        return CheckParameters(
            sns_topic_arn=self.check_topic_arn,
            log_to_s3=self.check_log_to_s3,
            report=self.check_report,
            test_name=test_name,
        )


class LoadCheckParameters(InsideCheckParameters):
    """Checks of a load that takes the rows as they are."""

    check_keys: bool = Field(
        default=False,
        description="check that every key of the table is in it exactly once, and no part of it is NULL",
    )
