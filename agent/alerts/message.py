"""What an alert says: a subject of one line, and a text that an operator can act on without opening anything."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from dataclasses import dataclass

from agent.alerts.limits import Kind
from agent.alerts.scrub import scrub
from agent.observer import Ended
from agent.report import LAST_LINES, LOGS, clean
from core.errors import OwnershipLost

#: Outcomes that are told, and what they mean. A cancelled attempt is what somebody wanted.
OUTCOMES = {
    "failed": "failed",
    "false": "did not become true in its time",
    "not_taken": "has ended, but the service did not take its status",
    "lost": "was taken away from this worker",
}
#: Those whose error id the service knows too.
_REPORTED = frozenset({"failed", "false"})
#: Kinds that a summary lists by name.
LISTED = 50


@dataclass(frozen=True)
class Message:
    """As it goes to the topic."""

    kind: Kind
    subject: str
    text: str


def kind_of(ended: Ended) -> Kind:
    """Return what makes this failure the same as another."""
    error_id = ended.verdict.error_id if ended.outcome in _REPORTED else OwnershipLost.error_id
    return Kind(ended.task.pipeline_id, ended.task.component, error_id)


def failure(ended: Ended, left_out: int) -> Message:
    """Return the alert about one attempt; ``left_out`` of the same kind were not told before it."""
    kind = kind_of(ended)
    host = socket.gethostname()
    facts = {
        "pipeline": kind.pipeline,
        "step": f"{kind.component} ({ended.task.attempt.type or 'no type'})",
        "attempt": ended.task.attempt.id,
        "error": kind.error_id,
        "worker group": ended.group,
        "host": host,
        "ran for": f"{ended.seconds:.1f} s",
        "logs": ended.logs,
    }
    parts = [
        f"{kind.component} {OUTCOMES[ended.outcome]}.",
        "\n".join(f"{name + ':':<14}{value}" for name, value in facts.items()),
        _reason(ended),
    ]
    if left_out:
        parts.append(f"{left_out} more failures of this kind came before this one and were not told.")
    if ended.last_lines:
        parts.append(f"Last lines of stderr (values are masked, the logs are whole):\n{scrub(clean(ended.last_lines))}")
    subject = f"Ductrunner: {kind.component} failed: {kind.error_id}"
    return Message(kind, subject, "\n\n".join(filter(None, parts)) + "\n")


def summary(untold: Mapping[Kind, int]) -> Message:
    """Return the alert about failures that were not told one by one."""
    total = sum(untold.values())
    lines = [f"{count:>7}  {_named(kind)}" for kind, count in list(untold.items())[:LISTED]]
    if rest := sum(list(untold.values())[LISTED:]):
        lines.append(f"{rest:>7}  of other kinds")
    host = socket.gethostname()
    head = f"{total} more failed attempts on {host} were not told one by one (alerts.per_hour, alerts.repeat_after):"
    subject = f"Ductrunner: {total} more failed attempts on {host}"
    return Message(Kind("", "", "Summary"), subject, "\n".join((head, "", *lines)) + "\n")


def _named(kind: Kind) -> str:
    return f"{kind.error_id} of {kind.component} in {kind.pipeline}" if kind.pipeline else f"{kind.error_id} of others"


def _reason(ended: Ended) -> str:
    """Return the message of the error alone: its last lines and the place of the logs stand in parts of their own."""
    return scrub(clean(ended.verdict.error_message.partition(LOGS)[0].partition(LAST_LINES)[0]))
