"""The hooks of this machine can be run."""

from __future__ import annotations

from collections.abc import Iterator

from agent.doctor.finding import Finding, failed, ok
from agent.doctor.patient import Patient
from agent.hooks.directory import Hooks, check
from core.errors import HookFailed

NAME = "hooks"


def check_hooks(patient: Patient) -> Iterator[Finding]:
    """Look at each as the agent would before it runs it."""
    directory = patient.agent.hooks
    found = Hooks(directory, patient.agent.hook_timeout).find()
    bad = False
    for path in found.values():
        try:
            check(path)
        except HookFailed as error:
            bad = True
            yield failed(NAME, str(error))
    if not bad:
        yield ok(NAME, f"{', '.join(sorted(found))} in {directory}" if found else f"none in {directory}")
