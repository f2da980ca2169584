"""Every number that the agent gives away: one list for Prometheus, CloudWatch and the reference page.

Labels take few values: worker groups of the configuration, activity types that the worker runs, error ids of
``core.errors``. No pipeline, attempt or path is a label.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["counter", "gauge", "histogram"]
#: Units of CloudWatch that are used here.
Unit = Literal["Count", "Seconds", "Bytes", "Percent", "None"]


@dataclass(frozen=True)
class Metric:
    """One number, or one for each combination of its labels."""

    #: For Prometheus, where ``ductrunner_`` goes before and ``_total`` behind a counter.
    name: str
    #: For CloudWatch; where ``spread`` is given, a value of that label is appended (``StagedBytesIn``).
    title: str
    kind: Kind
    unit: Unit
    help: str
    labels: tuple[str, ...] = ()
    #: A label, and all its values.
    spread: tuple[str, tuple[str, ...]] | None = None
    #: Upper bounds of a histogram.
    buckets: tuple[float, ...] = ()


OUTCOMES = ("finished", "failed", "false", "canceled", "lost", "not_taken")
DIRECTIONS = ("in", "out")
_SECONDS = (0.1, 0.5, 1.0, 5.0, 15.0, 60.0, 300.0, 900.0, 3600.0, 14400.0, 43200.0, 86400.0)

TASKS = Metric(
    "tasks",
    "Tasks",
    "counter",
    "Count",
    "attempts that ended",
    ("group", "type", "outcome"),
    spread=("outcome", OUTCOMES),
)
RUN_TIME = Metric(
    "run_time_seconds",
    "RunTime",
    "histogram",
    "Seconds",
    "from the hand-over of a task to its end",
    ("group", "type"),
    buckets=_SECONDS,
)
QUEUE_WAIT = Metric(
    "queue_wait_seconds",
    "QueueWait",
    "histogram",
    "Seconds",
    "from `@actualStartTime`, when the service queued an attempt, to its acknowledgement, by the service's clock",
    ("group",),
    buckets=_SECONDS,
)
RETRIES = Metric("retries", "Retries", "counter", "Count", "attempts that were a second or later try", ("group",))
TASK_CPU = Metric(
    "task_cpu_seconds", "TaskCpuSeconds", "counter", "Seconds", "processor time of ended attempts", ("group", "type")
)
STAGED_BYTES = Metric(
    "staged_bytes",
    "StagedBytes",
    "counter",
    "Bytes",
    "bytes staged from and to S3",
    ("group", "direction"),
    spread=("direction", DIRECTIONS),
)
STAGED_FILES = Metric(
    "staged_files",
    "StagedFiles",
    "counter",
    "Count",
    "files staged from and to S3",
    ("group", "direction"),
    spread=("direction", DIRECTIONS),
)
POLLS = Metric("polls", "Polls", "counter", "Count", "polls that were answered", ("group",))
POLL_ERRORS = Metric("poll_errors", "PollErrors", "counter", "Count", "polls that failed", ("group", "error"))
REPORT_ERRORS = Metric(
    "report_errors",
    "ReportErrors",
    "counter",
    "Count",
    "progress reports and heartbeats that failed",
    ("group", "error"),
)
STATUS_ERRORS = Metric(
    "status_errors",
    "StatusErrors",
    "counter",
    "Count",
    "terminal statuses that did not arrive, or were refused (they are sent again)",
    ("error",),
)
CALLS = Metric(
    "calls",
    "Calls",
    "counter",
    "Count",
    "calls of the service by operation and outcome (`ok` or an error id)",
    ("operation", "outcome"),
)
RETRIED = Metric(
    "retried_calls",
    "RetriedCalls",
    "counter",
    "Count",
    "calls that failed in passing (not reached, throttled), and so are made again",
)
THROTTLED = Metric("throttled_calls", "ThrottledCalls", "counter", "Count", "calls that the service throttled")
SLOTS = Metric("slots", "Slots", "gauge", "Count", "attempts that may run at the same time", ("group",))
BUSY = Metric("busy_slots", "BusySlots", "gauge", "Count", "slots that have a task", ("group",))
PRECONDITIONS = Metric(
    "preconditions", "Preconditions", "gauge", "Count", "preconditions that are held, waiting or evaluated", ("group",)
)
LEASE_AGE = Metric(
    "lease_age_seconds",
    "LeaseAge",
    "gauge",
    "Seconds",
    "since the service took the last report, of the attempt that waits longest; at 300 the task is lost",
    ("group",),
)
READY = Metric("ready", "Ready", "gauge", "Count", "1 when tasks are taken, else 0")
CONTACT_AGE = Metric("contact_age_seconds", "ContactAge", "gauge", "Seconds", "since the service was last reached")
LOG_BACKLOG = Metric("log_backlog_bytes", "LogBacklog", "gauge", "Bytes", "of logs that wait for CloudWatch")
CLOCK_OFFSET = Metric(
    "clock_offset_seconds", "ClockOffset", "gauge", "Seconds", "this machine's clock less the service's"
)
CPU = Metric("machine_cpu_percent", "MachineCpu", "gauge", "Percent", "of all processors of the machine in use")
LOAD = Metric("machine_load", "MachineLoad", "gauge", "None", "load average of a minute, per processor")
MEMORY_FREE = Metric(
    "machine_memory_available_bytes", "MemoryAvailable", "gauge", "Bytes", "memory that may still be used here"
)
MEMORY_TOTAL = Metric("machine_memory_bytes", "MemoryTotal", "gauge", "Bytes", "memory of the machine or our cgroup")
DISK_FREE = Metric("disk_free_bytes", "DiskFree", "gauge", "Bytes", "free in the work directory's file system")
DISK_TOTAL = Metric("disk_bytes", "DiskTotal", "gauge", "Bytes", "of the work directory's file system")
INODES_FREE = Metric("disk_inodes_free", "InodesFree", "gauge", "Count", "free in the work directory's file system")
OWN_MEMORY = Metric("agent_resident_bytes", "AgentMemory", "gauge", "Bytes", "resident memory of the agent itself")
OWN_CPU = Metric("agent_cpu_seconds", "AgentCpuSeconds", "counter", "Seconds", "processor time of the agent itself")
OWN_THREADS = Metric("agent_threads", "AgentThreads", "gauge", "Count", "threads of the agent")
OWN_FILES = Metric("agent_open_files", "AgentOpenFiles", "gauge", "Count", "open file descriptors of the agent")

CATALOGUE = (
    *(TASKS, RUN_TIME, QUEUE_WAIT, RETRIES, TASK_CPU, STAGED_BYTES, STAGED_FILES),
    *(POLLS, POLL_ERRORS, REPORT_ERRORS, STATUS_ERRORS, CALLS, RETRIED, THROTTLED, CONTACT_AGE, CLOCK_OFFSET),
    *(READY, SLOTS, BUSY, PRECONDITIONS, LEASE_AGE, LOG_BACKLOG),
    *(CPU, LOAD, MEMORY_FREE, MEMORY_TOTAL, DISK_FREE, DISK_TOTAL, INODES_FREE),
    *(OWN_MEMORY, OWN_CPU, OWN_THREADS, OWN_FILES),
)
