"""What the worker says: its logs and its alerts."""

from __future__ import annotations

from typing import Any

from pydantic import ByteSize, Field, field_validator

from core.sections.section import Section, separated


class LoggingSettings(Section):
    """What the agent says about itself, and what becomes of the output of attempts."""

    level: str = Field(default="INFO", description="of the agent's own lines: `DEBUG`, `INFO`, `WARNING`, `ERROR`")
    cloudwatch: bool = Field(default=True, description="send logs to CloudWatch Logs while they are written")
    cloudwatch_group: str | None = Field(default=None, description="default: `/ductrunner/<workerGroup>`")
    cloudwatch_interval: float = Field(default=1.0, gt=0, description="seconds that a line waits for others")
    backlog_limit: ByteSize = Field(
        default=ByteSize(4 * 1024**3), description="bytes that may wait for CloudWatch; what is older is dropped"
    )
    attempt_limit: ByteSize | None = Field(default=None, description="bytes kept of one stream of an attempt")
    s3_interval: float = Field(default=300.0, gt=0, description="seconds between uploads of a running attempt's logs")
    redacted_vars: tuple[str, ...] = Field(
        default=(
            "*_PASSWORD",
            "*_SECRET",
            "*_TOKEN",
            "*_PRIVATE_KEY",
            "*_ACCESS_KEY",
            "*_SECRET_KEY",
            "*_API_KEY",
            "*_CONNECTION_STRING",
        ),
        description="environment variables whose values are secret; in a variable: separated by commas",
    )
    keep_days: float = Field(default=14.0, gt=0, description="days that local logs are kept")
    keep_attempts: int = Field(default=10_000, ge=0, description="attempts whose local logs are kept")
    keep_disk_share: float = Field(default=0.2, gt=0, le=1, description="share of the disk that local logs may take")

    @field_validator("redacted_vars", mode="before")
    @classmethod
    def _separated(cls, value: Any) -> Any:
        return separated(value)


class AlertSettings(Section):
    """Messages about failed attempts."""

    topic: str | None = Field(default=None, description="SNS topic; default: `etl.sns_topic_arn_failure`")
    per_hour: int = Field(default=60, ge=1, description="messages an hour at most; the rest is counted and told later")
    repeat_after: float = Field(default=900.0, ge=0, description="seconds until the same failure is told again")
