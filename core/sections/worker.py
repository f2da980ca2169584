"""The worker itself, and where its releases come from."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import ByteSize, Field, field_validator, model_validator

from core.sections.section import Section


class AgentSettings(Section):
    """The worker. A key that has a flag of ``ductrunner agent`` is overridden by it."""

    worker_group: str | None = Field(default=None, description="exact, case-sensitive")
    taskrunner_id: str | None = Field(default=None, description="unique in the account; made from the host if absent")
    tasks: int = Field(default=2, ge=1, le=256, description="attempts at the same time")
    worker_groups: dict[str, Annotated[int, Field(ge=1, le=256)]] = Field(
        default={}, description="further groups of this process with their slots: `{reports: 1}`, or `reports=1,etl2=4`"
    )
    output: Path = Field(default=Path("output"), description="local logs, journal, staging and temporary files")
    log_uri: str | None = Field(default=None, description="`s3://…` for attempt logs without `pipelineLogUri`")
    endpoint: str | None = Field(default=None, description="of Data Pipeline; default: the region's")
    region: str | None = Field(default=None, description="AWS region; default: the environment's, else us-east-1")
    # Calls of the service: rates of the whole account are 2, 10 and 10 a second.
    max_polls_per_second: float = Field(default=2.0, gt=0, description="polls of this process, all groups together")
    max_reports_per_second: float = Field(default=8.0, gt=0, description="progress reports; 100 may go at once")
    max_statuses_per_second: float = Field(default=8.0, gt=0, description="terminal statuses; 100 may go at once")
    report_interval: float = Field(default=60.0, gt=0, description="seconds between progress reports")
    ownership_window: float = Field(default=300.0, gt=0, description="silent seconds until a task counts as lost")
    heartbeat_interval: float = Field(default=900.0, gt=0, description="seconds")
    evaluate_scripts: bool = Field(
        default=False, description="evaluate `#{…}` in scripts behind a `scriptUri` (a task's `myEvaluateScript` wins)"
    )
    # Preconditions that the worker evaluates.
    preconditions: int = Field(default=2, ge=1, le=64, description="evaluations at the same time, beside `tasks`")
    maximum_preconditions: int = Field(
        default=240, ge=1, description="held at the same time; each is a report a minute. With more, no task is taken"
    )
    precondition_retry_delay: float = Field(default=600.0, ge=0, description="seconds, without a `retryDelay`")
    precondition_timeout: float = Field(default=86_400.0, gt=0, description="seconds, without a `preconditionTimeout`")
    # The processes of an attempt.
    kill_grace: float = Field(default=10.0, ge=0, description="seconds between TERM and KILL")
    keep_daemons: bool = Field(default=False, description="let processes that left the group outlive their attempt")
    nice: int = Field(default=0, ge=-20, le=19, description="niceness of attempts")
    memory_limit: ByteSize | None = Field(default=None, description="of all processes of an attempt: `4GiB`")
    run_as_user: str | None = Field(default=None, description="of attempts (a task's `myRunAsUser` wins); needs root")
    working_directory: Path | None = Field(default=None, description="default: a directory of the attempt's own")
    oom_score: int = Field(default=300, ge=0, le=1000, description="added to attempts' score: they go before the agent")
    hooks: Path | None = Field(default=Path("/etc/ductrunner/hooks"), description="directory of hooks; may be absent")
    hook_timeout: float = Field(default=600.0, gt=0, description="seconds a hook may take")
    # Going away.
    drain_timeout: float | None = Field(default=None, description="seconds a drain waits for running attempts")
    max_uptime: float | None = Field(default=None, gt=0, description="seconds until the agent drains by itself")
    instance_notices: Literal["auto", "on", "off"] = Field(
        default="auto", description="watch EC2's spot, rebalance and Auto Scaling notices; `auto`: on EC2"
    )
    notice_interval: float = Field(default=5.0, gt=0, description="seconds between looks for a notice")
    notice_reserve: float = Field(default=20.0, ge=0, description="seconds before the end for reports and logs")
    lifecycle_hook: str | None = Field(
        default=None, description="the one hook of Auto Scaling to complete; default: all of the termination"
    )
    rebalance: Literal["drain", "ignore"] = Field(default="drain", description="what a rebalance recommendation does")
    # When no task is taken.
    minimum_free_disk: int = Field(default=64 * 1024 * 1024, ge=0, description="bytes of the work directory")
    minimum_free_inodes: int = Field(default=1000, ge=0, description="of the work directory")
    minimum_free_memory: int = Field(default=64 * 1024 * 1024, ge=0, description="bytes available on the machine")
    maximum_load: float | None = Field(default=None, gt=0, description="load average per processor")
    staging_concurrency: int = Field(default=16, ge=1, le=256, description="objects on their way at the same time")
    # For operators.
    listen: str = Field(default="127.0.0.1:8717", description="status and metrics, loopback only; `off`: nowhere")
    metrics_interval: float = Field(default=60.0, gt=0, description="seconds between lines of metrics")

    @field_validator("worker_groups", mode="before")
    @classmethod
    def _read_groups(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        pairs = [entry.strip().rpartition("=") for entry in value.split(",") if entry.strip()]
        if not all(name and slots for name, _, slots in pairs):
            raise ValueError("write NAME=SLOTS, several with a comma between, for example reports=1,backfill=2")
        return {name.strip(): slots.strip() for name, _, slots in pairs}

    @model_validator(mode="after")
    def _name_each_group_once(self) -> Self:
        if self.worker_group in self.worker_groups:
            raise ValueError(f"the worker group {self.worker_group!r} stands in worker_groups too; name it once")
        return self


class BootstrapSettings(Section):
    """Where releases come from."""

    releases: str | None = Field(default=None, description="`s3://…` folder of the releases")
