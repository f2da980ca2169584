"""The steps of a pipeline's runs: instances of activities and preconditions, and whatever else went wrong."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from core.periods import parse_datetime
from stores.datapipeline import ENDED, SUCCEEDED, Described, attempt_number

WAITING_FOR_RUNNER = "WAITING_FOR_RUNNER"
_BEGIN = "@actualStartTime"
_WAITING = "WAITING_ON_DEPENDENCIES"
#: Types whose instances only follow others; they are shown when they end badly.
_MACHINES = ("Ec2Resource", "EmrCluster")
_ACTIONS = ("SnsAlarm", "Terminate")
_QUIET = ("DataNode", *_MACHINES, *_ACTIONS)


@dataclass(frozen=True)
class Step:
    """One instance: a component in one run."""

    id: str
    component: str
    type: str
    status: str
    fields: Mapping[str, str]
    waiting_on: tuple[str, ...] = ()

    @classmethod
    def of(cls, described: Described) -> Step:
        """Return the step of an instance as the service describes it."""
        fields = described.fields
        return cls(
            id=described.id,
            component=fields.get("@componentParent") or described.name,
            type=fields.get("type", ""),
            status=fields.get("@status", ""),
            fields=fields,
            waiting_on=tuple(described.every.get("@waitingOn", ())),
        )

    @property
    def ended(self) -> bool:
        """Whether it goes on by itself no more."""
        return self.status in ENDED

    @property
    def good(self) -> bool:
        """Whether it ended well."""
        return self.status in SUCCEEDED

    @property
    def bad(self) -> bool:
        """Whether it ended otherwise."""
        return self.ended and not self.good

    @property
    def decides(self) -> bool:
        """Whether the outcome of a run depends on it: a message that could not be sent fails nothing."""
        return self.type not in _ACTIONS

    @property
    def shown(self) -> bool:
        """Whether a reader wants to see it."""
        return self.bad or not self.type.endswith(_QUIET)

    @property
    def attempts(self) -> int:
        """How many attempts it has had."""
        return attempt_number(self.fields.get("@headAttempt", ""))

    @property
    def attempt_id(self) -> str | None:
        """The id of its newest attempt."""
        return self.fields.get("@headAttempt") or None

    @property
    def scheduled(self) -> str:
        """Its scheduled start, which tells its runs apart."""
        return self.fields.get("@scheduledStartTime", "")

    @property
    def told(self) -> str:
        """What the worker says of the attempt: its phase, rows and bytes, what it has used."""
        return self.fields.get("attemptStatus", "")

    @property
    def error_id(self) -> str:
        """The kind of its error; of an attempt that is tried again, too."""
        return self.fields.get("errorId", "")

    @property
    def error(self) -> str:
        """What went wrong, in words."""
        return self.fields.get("errorMessage", "") or self.fields.get("cancellationReason", "")

    def count(self, name: str) -> int | None:
        """Return ``rows`` or ``bytes``, if the worker has reported them."""
        words = dict(word.partition("=")[::2] for word in self.told.split() if "=" in word)
        number = words.get(name, self.fields.get(name, ""))
        return int(number) if number.isdigit() else None

    @property
    def first_attempt_id(self) -> str | None:
        """The id of its first attempt."""
        return f"{self.attempt_id.rpartition('=')[0]}=1" if self.attempt_id else None

    def begun(self, moment: str | None) -> Step:
        """Return the same as begun at a moment, not when it began to wait for others; ``None``: not at all."""
        fields = {key: value for key, value in self.fields.items() if key != _BEGIN}
        return replace(self, fields=fields | {_BEGIN: moment} if moment else fields)

    def seconds(self, now: datetime | None = None) -> float | None:
        """Return how long it took from its start, or until now if it goes on; ``None`` before its start."""
        start, end = self._moment(_BEGIN), self._moment("@actualEndTime")
        if start is None or (end is None and self.ended):
            return None
        return max(0.0, ((end or now or datetime.now(UTC)) - start).total_seconds())

    def _moment(self, key: str) -> datetime | None:
        return parse_datetime(self.fields[key]) if self.fields.get(key) else None


def blocked(steps: Iterable[Step]) -> frozenset[str]:
    """Return the ids of steps that can never start: they wait for one that ended badly, directly or through others."""
    known = {step.id: step for step in steps}
    stuck = {step.id for step in known.values() if step.bad}
    grown = True
    while grown:
        reached = {
            step.id
            for step in known.values()
            if step.status == _WAITING and step.id not in stuck and stuck.intersection(step.waiting_on)
        }
        stuck |= reached
        grown = bool(reached)
    return frozenset(name for name in stuck if not known[name].ended)


def unfinished(steps: Sequence[Step]) -> list[Step]:
    """Return the steps of which more is to be expected.

    A resource is none of them: it is there as long as something may still run on it, even what waits in vain.
    """
    stuck = blocked(steps)
    return [step for step in steps if not step.ended and step.id not in stuck and step.type not in _MACHINES]
