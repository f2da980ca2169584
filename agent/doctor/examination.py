"""All checks side by side, none longer than its time: a check that hangs becomes a finding."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from agent.doctor.finding import Finding, Status, failed, skipped
from agent.doctor.patient import Patient
from core.errors import DuctrunnerError
from core.redaction import REDACTOR

#: Seconds that a check may take.
PATIENCE = 25.0

Look = Callable[[Patient], Iterable[Finding]]


@dataclass(frozen=True)
class Check:
    """One thing to look at."""

    name: str
    look: Look


def examine(patient: Patient, checks: Sequence[Check]) -> Iterator[Finding]:
    """Yield the findings in the order of the checks, each as soon as it and those before it are there.

    The threads are daemons: one that hangs in a driver does not keep the process.
    """
    give_up = time.monotonic() + PATIENCE
    answers: list[queue.Queue[list[Finding]]] = []
    for check in checks:
        answer: queue.Queue[list[Finding]] = queue.Queue()
        answers.append(answer)
        threading.Thread(target=_carry_out, args=(check, patient, answer), name=check.name, daemon=True).start()
    known: dict[str, str] = {}
    for check, answer in zip(checks, answers, strict=True):
        try:
            found = answer.get(timeout=max(0.0, give_up - time.monotonic()))
        except queue.Empty:
            found = [failed(check.name, f"no answer within {PATIENCE:.0f} s", "check the network on the way there")]
        for finding in map(_redacted, found):
            first = known.setdefault(finding.message, finding.check)
            if finding.status is Status.FAILED and first != finding.check:
                yield skipped(finding.check, f"see {first}")  # the same cause: once is enough
            else:
                yield finding


def is_well(findings: Iterable[Finding]) -> bool:
    """Return whether nothing has to be put right."""
    return all(finding.status is not Status.FAILED for finding in findings)


def _carry_out(check: Check, patient: Patient, answer: queue.Queue[list[Finding]]) -> None:
    found: list[Finding] = []
    try:
        found.extend(check.look(patient))
    except DuctrunnerError as error:
        found.append(failed(check.name, str(error)))
    except Exception as error:  # the other findings are worth more than this check
        found.append(failed(check.name, f"the check itself broke: {type(error).__name__}: {error}", "please report it"))
    answer.put(found)


def _redacted(finding: Finding) -> Finding:
    return replace(finding, message=REDACTOR.redact(finding.message), advice=REDACTOR.redact(finding.advice))
