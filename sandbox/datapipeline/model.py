"""What the service remembers: pipelines, instances and attempts, as plain records that are stored as JSON.

An instance is one run of a component, ``@X_<scheduledStart>``; an attempt is one try of an instance,
``@X_<scheduledStart>_Attempt=<n>``. A precondition or an action runs for another instance, its owner. Moments are
seconds since 1970 on the service's clock.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Self

from core.periods import parse_period

ApiField = dict[str, str]


#: In place of a worker group: the preconditions that the service evaluates and the messages that it sends. No worker
#: can name them, since NUL is not allowed in a request.
OWN_PRECONDITIONS = "\0preconditions"
OWN_ALARMS = "\0alarms"
INSIDE = frozenset({OWN_PRECONDITIONS, OWN_ALARMS})


class Status:
    """Status words (AWS Data Pipeline Developer Guide, *Interpreting pipeline status details*)."""

    PENDING = "PENDING"
    SCHEDULED = "SCHEDULED"
    DEACTIVATING = "DEACTIVATING"
    INACTIVE = "INACTIVE"
    PAUSED = "PAUSED"
    WAITING_ON_DEPENDENCIES = "WAITING_ON_DEPENDENCIES"
    WAITING_FOR_RUNNER = "WAITING_FOR_RUNNER"
    RUNNING = "RUNNING"
    FINISHED = "FINISHED"
    FAILED = "FAILED"
    TIMEDOUT = "TIMEDOUT"
    CANCELED = "CANCELED"
    CASCADE_FAILED = "CASCADE_FAILED"
    SKIPPED = "SKIPPED"

    #: An attempt or instance in one of these does not go on by itself.
    TERMINAL = frozenset({FINISHED, FAILED, TIMEDOUT, CANCELED, CASCADE_FAILED, SKIPPED})
    #: The outcomes after which consumers go on, and a pipeline can end.
    DONE = frozenset({FINISHED, SKIPPED})
    #: The outcomes that keep consumers from ever starting.
    UNSUCCESSFUL = TERMINAL - DONE
    #: An attempt in one of these is queued for a worker or held by one.
    WITH_RUNNER = frozenset({WAITING_FOR_RUNNER, RUNNING})


@dataclass(slots=True)
class Pipeline:
    """One pipeline; its definitions are kept beside it, by version."""

    id: str
    name: str
    unique_id: str
    created: float
    description: str | None = None
    tags: list[dict[str, str]] = field(default_factory=list)
    state: str = Status.PENDING
    latest_version: int = 0
    active_version: int = 0
    #: Number of the last run; a run is one activation of an on-demand pipeline, or the one run of a schedule.
    run: int = 0
    first_activated: float | None = None
    last_activated: float | None = None
    last_deactivated: float | None = None
    #: The moment that FIRST_ACTIVATION_DATE_TIME stands for.
    anchor: float | None = None
    #: The ``startTimestamp`` of the last activation that had one: earlier intervals are skipped.
    resumed_from: float | None = None
    paused: list[str] = field(default_factory=list)
    deleted: bool = False
    #: The tasks that workers held when the pipeline was deleted.
    orphaned_tasks: list[str] = field(default_factory=list)

    @property
    def active(self) -> bool:
        """Tell whether new attempts may start."""
        return self.state == Status.SCHEDULED

    def record(self) -> dict[str, Any]:
        """Return what is stored."""
        return {name: getattr(self, name) for name in self.__slots__}

    @classmethod
    def of(cls, record: dict[str, Any]) -> Self:
        """Return the pipeline that was stored."""
        return cls(**record)


@dataclass(slots=True)
class Instance:
    """One run of one component: an occurrence of its schedule, or with an owner a run for that instance alone."""

    pipeline_id: str
    id: str
    component: str
    run: int
    version: int
    scheduled_start: float
    scheduled_end: float
    #: When it may start at the earliest: the scheduled start, or the end with ``scheduleType`` timeseries.
    due: float
    status: str = Status.SCHEDULED
    started: float | None = None
    ended: float | None = None
    attempts: int = 0
    #: Attempts since the last rerun; ``maximumRetries`` counts these.
    tries: int = 0
    retry_at: float | None = None
    cascade_failed_on: str | None = None
    cancellation_reason: str | None = None
    canceled_by_deactivation: bool = False
    #: Why no attempt could be made.
    error: dict[str, str] = field(default_factory=dict)
    #: Id of the instance that this one is there for alone (a precondition, an action); see ``instances``.
    owner: str | None = None
    #: When it was created.
    created: float = 0.0
    #: It runs again after it had ended; such runs are not counted by ``maxActiveInstances``.
    rerun: bool = False
    #: When it is late (``lateAfterTimeout``), and whether that has been told already.
    late_at: float | None = None
    late: bool = False

    @classmethod
    def owned_by(cls, owner: Instance, component: str, instance_id: str) -> Self:
        """Return a new instance of a component that is there for another instance alone, with its interval.

        Its id comes from ``State.new_instance_id``; it is taken in with ``State.add_instance``.
        """
        return cls(
            pipeline_id=owner.pipeline_id,
            id=instance_id,
            component=component,
            run=owner.run,
            version=owner.version,
            scheduled_start=owner.scheduled_start,
            scheduled_end=owner.scheduled_end,
            due=owner.due,
            owner=owner.id,
            created=owner.created,
        )

    @property
    def head_attempt(self) -> str | None:
        """Return the id of the newest attempt."""
        return f"{self.id}_Attempt={self.attempts}" if self.attempts else None

    @property
    def terminal(self) -> bool:
        """Tell whether it goes on by itself no more."""
        return self.status in Status.TERMINAL

    def record(self) -> dict[str, Any]:
        """Return what is stored."""
        return {name: getattr(self, name) for name in self.__slots__}

    @classmethod
    def of(cls, record: dict[str, Any]) -> Self:
        """Return the instance that was stored."""
        return cls(**record)


@dataclass(frozen=True, slots=True)
class AttemptContent:
    """What an attempt was made of, evaluated once when it was created."""

    name: str
    fields: list[ApiField]
    #: The objects that the attempt refers to, evaluated in the same run.
    linked: list[dict[str, Any]]

    def text(self, key: str) -> str | None:
        """Return the first string value of a field."""
        for entry in self.fields:
            if entry["key"] == key and "stringValue" in entry:
                return entry["stringValue"]
        return None

    def seconds(self, key: str) -> float | None:
        """Return a field that is a period; ``None`` where it is missing or cannot be read."""
        written = self.text(key)
        try:
            return parse_period(written).total_seconds() if written else None
        except ValueError:
            return None


@dataclass(slots=True)
class Attempt:
    """One try of an instance and where its task is."""

    pipeline_id: str
    id: str
    instance_id: str
    number: int
    worker_group: str
    content: AttemptContent
    started: float
    status: str = Status.WAITING_FOR_RUNNER
    ended: float | None = None
    task_id: str | None = None
    deliveries: int = 0
    #: When the task was first handed to a worker: ``attemptTimeout`` counts from here.
    first_delivered: float | None = None
    delivered: float | None = None
    reported: float | None = None
    hostname: str | None = None
    queued_at: float | None = None
    #: When the service looks again, for a precondition that it evaluates itself; none while it looks.
    look_at: float | None = None
    #: Fields that the worker reported.
    progress: dict[str, ApiField] = field(default_factory=dict)
    #: Every SetTaskStatus that was taken, in order: the first is the outcome, a repetition changes nothing.
    statuses: list[str] = field(default_factory=list)
    error: dict[str, str] = field(default_factory=dict)

    @property
    def terminal(self) -> bool:
        """Tell whether its outcome stands."""
        return self.status in Status.TERMINAL

    @property
    def inside(self) -> bool:
        """Tell whether the service carries it out itself, and no worker is given it."""
        return self.worker_group in INSIDE

    def record(self) -> dict[str, Any]:
        """Return what is stored and changes; the content is stored apart, once."""
        return {name: getattr(self, name) for name in self.__slots__ if name != "content"}

    @classmethod
    def of(cls, record: dict[str, Any], content: dict[str, Any]) -> Self:
        """Return the attempt that was stored."""
        return cls(**record, content=AttemptContent(**content))
