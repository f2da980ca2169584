"""The configuration file can be read, and names a worker group that the service can know."""

from __future__ import annotations

from collections.abc import Iterator

from agent.doctor.finding import Finding, failed, ok, warning
from agent.doctor.patient import Patient

#: Longest name of a worker group (API Reference, PollForTask), in characters.
GROUP_LIMIT = 1024


def check_configuration(patient: Patient) -> Iterator[Finding]:
    """Look at the file and the name."""
    name, group = "configuration", patient.group
    if patient.problem:
        yield failed(name, patient.problem, "until then the other checks look at the defaults")
    elif not group:
        yield failed(name, "no worker group is named", "give --workerGroup=NAME, or agent.worker_group in the file")
    elif len(group) > GROUP_LIMIT or not group.isprintable():
        yield failed(name, f"the worker group {group[:40]!r} is no legal name", f"at most {GROUP_LIMIT} characters")
    elif group != group.strip():
        yield warning(
            name, f"the worker group {group!r} has blanks around it", "they count: check the pipelines' spelling"
        )
    else:
        yield ok(name, f"worker group {group!r}, {patient.agent.tasks} tasks at a time")
