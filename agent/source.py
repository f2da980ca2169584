"""The port to whoever hands out tasks. Real implementations: ``agent.sources``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

#: Longest ``errorMessage`` that is sent, in bytes of UTF-8: it lands on the attempt object (10,240 a field).
ERROR_MESSAGE_LIMIT = 4096
#: Longest ``errorStackTrace``, in characters (AWS says 1,024 in one place and 4,095 in another).
STACK_TRACE_LIMIT = 1000


@dataclass(frozen=True)
class Handed:
    """What a poll brought: the handle under which the task is reported, and the task as the service wrote it."""

    task_id: str
    document: Mapping[str, Any]


@dataclass(frozen=True)
class Verdict:
    """How an attempt ended; if not well, with a stable id and a sentence that an operator can act on."""

    finished: bool
    error_id: str = ""
    error_message: str = ""
    stack_trace: str = ""
    #: A precondition that did not become true in its time, which is no failure of its evaluation.
    untrue: bool = False

    @property
    def status(self) -> str:
        """What SetTaskStatus calls it: ``FINISHED``, ``FAILED`` or ``FALSE``."""
        if self.finished:
            return "FINISHED"
        return "FALSE" if self.untrue else "FAILED"

    @property
    def outcome(self) -> str:
        """What logs, metrics and alerts call it, once the service has taken it."""
        return self.status.lower()


class TaskSource(Protocol):
    """Where tasks come from and where their outcome goes.

    Every method may raise ``Throttled``, ``AccessDenied``, ``StoreUnreachable`` or ``RequestRefused``; those that
    name a task also ``OwnershipLost``.
    """

    def poll(self) -> Handed | None:
        """Ask for one task; blocks for up to 90 s and returns ``None`` when there was no work."""

    def stop_polling(self) -> None:
        """Break off an open poll from another thread; every later poll returns ``None`` at once."""

    def close(self) -> None:
        """Break off every open call; nothing is asked any more."""

    def report_progress(self, task_id: str, fields: Mapping[str, str]) -> bool:
        """Acknowledge or keep the task; ``True`` means that it is cancelled."""

    def set_status(self, task_id: str, verdict: Verdict) -> None:
        """Report the end of the task."""

    def describe(self, pipeline_id: str, object_ids: Sequence[str]) -> list[Mapping[str, Any]]:
        """Return these objects of a pipeline, with their expressions evaluated."""

    def evaluate(self, pipeline_id: str, object_id: str, text: str) -> str:
        """Return a text with its expressions evaluated for this object."""

    def heartbeat(self) -> bool:
        """Say that this worker is there; ``True`` means that it shall stop."""
