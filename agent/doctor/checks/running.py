"""The agents that run on this machine now, and how they are, as they say themselves."""

from __future__ import annotations

from collections.abc import Iterator

from agent.doctor.finding import Finding, ok, skipped, warning
from agent.doctor.patient import Patient
from agent.health.address_file import living, run_directories
from agent.health.client import Document, ask
from core.errors import StoreUnreachable

NAME = "agent"


def check_running(patient: Patient) -> Iterator[Finding]:
    """Ask each for its status."""
    directories = [patient.agent.output.absolute(), *run_directories(patient.environment)]
    entries = living(directories)
    if not entries:
        yield skipped(NAME, "none runs on this machine now (or agent.listen is off)")
    for entry in entries:
        try:
            yield _told(entry.pid, ask(entry.address))
        except StoreUnreachable as error:
            yield warning(NAME, f"pid {entry.pid}: {error}", "if that stays so, restart it")


def _told(pid: int, status: Document) -> Finding:
    text = f"pid {pid} serves {', '.join(status['groups'])}, {status['busy']} of {status['slots']} slots busy"
    if status["ready"]:
        return ok(NAME, f"{text}, takes tasks")
    why = "; ".join(status["reasons"])
    return warning(NAME, f"{text}, takes no tasks: {why}", "ductrunner status tells more")
