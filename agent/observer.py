"""What happens in the agent, told to whoever counts or announces it: metrics, health, alerts.

An observer never disturbs the work: what it raises is logged and forgotten.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from agent import log
from agent.source import Verdict
from agent.task import Task
from agent.usage import Usage
from core.errors import DuctrunnerError


@dataclass(frozen=True)
class Ended:
    """One attempt that is over, as the service knows it now."""

    group: str
    task: Task
    verdict: Verdict
    #: ``finished``, ``failed``, ``false``, ``canceled``, ``lost`` or ``not_taken``.
    outcome: str
    #: Since the hand-over.
    seconds: float
    usage: Usage | None
    #: Last lines of stderr, redacted.
    last_lines: str
    #: Where the logs are: an S3 address, or a path and a host.
    logs: str


#: Seconds that a call of the service may take: connection, TLS, answer, said twice, keys renewed.
CALL_PATIENCE = 180.0
#: The same for a poll, which the service may hold.
POLL_PATIENCE = 100.0 + CALL_PATIENCE


class Observer:
    """Takes no notice of anything; subclasses override what they want to know. Called from many threads."""

    def polled(self, group: str, *, taken: bool, error: DuctrunnerError | None) -> None:
        """A poll was answered (or failed with ``error``)."""

    def started(self, group: str, task: Task) -> None:
        """A task was acknowledged."""

    def reported(self, group: str, error: DuctrunnerError | None) -> None:
        """A progress report, status or heartbeat was taken by the service (or failed with ``error``)."""

    def staged(self, group: str, direction: str, files: int, volume: int) -> None:
        """``files`` of together ``volume`` bytes were staged ``in`` or ``out``."""

    def ended(self, ended: Ended) -> None:
        """An attempt is over."""

    def occupied(self, group: str, busy: int, slots: int) -> None:
        """``busy`` of a group's ``slots`` have a task now."""

    def held(self, preconditions: int) -> None:
        """So many preconditions wait or are evaluated now."""

    def draining(self, reason: str) -> None:
        """No more tasks are taken."""

    def turned(self, within: float | None) -> None:
        """The loop of this thread turns; it says so again within so many seconds (``None``: it waits for others)."""


class Observers(Observer):
    """Tells each of several observers."""

    def __init__(self, observers: Sequence[Observer] = ()) -> None:
        self._observers = observers

    def polled(self, group: str, *, taken: bool, error: DuctrunnerError | None) -> None:
        """A poll was answered (or failed with ``error``)."""
        self._tell(lambda observer: observer.polled(group, taken=taken, error=error))

    def started(self, group: str, task: Task) -> None:
        """A task was acknowledged."""
        self._tell(lambda observer: observer.started(group, task))

    def reported(self, group: str, error: DuctrunnerError | None) -> None:
        """A progress report, status or heartbeat was taken by the service (or failed with ``error``)."""
        self._tell(lambda observer: observer.reported(group, error))

    def staged(self, group: str, direction: str, files: int, volume: int) -> None:
        """``files`` of together ``volume`` bytes were staged ``in`` or ``out``."""
        self._tell(lambda observer: observer.staged(group, direction, files, volume))

    def ended(self, ended: Ended) -> None:
        """An attempt is over."""
        self._tell(lambda observer: observer.ended(ended))

    def occupied(self, group: str, busy: int, slots: int) -> None:
        """``busy`` of a group's ``slots`` have a task now."""
        self._tell(lambda observer: observer.occupied(group, busy, slots))

    def held(self, preconditions: int) -> None:
        """So many preconditions wait or are evaluated now."""
        self._tell(lambda observer: observer.held(preconditions))

    def draining(self, reason: str) -> None:
        """No more tasks are taken."""
        self._tell(lambda observer: observer.draining(reason))

    def turned(self, within: float | None) -> None:
        """The loop of this thread turns; it says so again within so many seconds (``None``: it waits for others)."""
        self._tell(lambda observer: observer.turned(within))

    def _tell(self, tell: Callable[[Observer], None]) -> None:
        for observer in self._observers:
            try:
                tell(observer)
            except Exception as error:  # whatever it is, the task must not feel it
                log.failure("observer_failed", error, observer=type(observer).__name__)
