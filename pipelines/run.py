"""``ductrunner pipeline run``: create, put, activate, watch, report.

Exit status: 0 every step finished, 1 something did not, 2 the definition or a value is wrong, 130 (143) interrupted.
"""

from __future__ import annotations

import os
import signal
import sys
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

import click

from core.errors import PipelineInvalid, RequestRefused
from pipelines.agents import Agents
from pipelines.documents import Document
from pipelines.places import Place
from pipelines.report import Places, summary
from pipelines.schedules import endless, scheduled
from pipelines.screen import Screen
from pipelines.service import Finding, Service
from pipelines.skipping import Skipping
from pipelines.steps import unfinished
from pipelines.watch import Look, Occurrences, Watch

FINISHED, FAILED, INVALID = 0, 1, 2
_SIGNALLED = 128


@dataclass(frozen=True)
class Choices:
    """How to run: what was said on the command line."""

    occurrences: int | None = None
    agent: bool = True
    tasks: int = 4
    output: Path | None = None
    timeout: float | None = None
    #: Let the sandbox's clock go over times in which nothing is to be done.
    skip: bool = True


class Interrupted(Exception):
    """SIGINT or SIGTERM came."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


def run(document: Document, place: Place, choices: Choices) -> int:
    """Run a definition and return the exit status; progress goes to stderr, the report to stdout.

    Raises:
        PipelineInvalid: the definition is not accepted.
        StoreError: the service cannot be reached or refuses.
    """
    service = Service()
    pipeline_id = _start(service, document)
    screen = Screen(sys.stderr)
    screen.say(f"{document.name} runs as {pipeline_id}")
    wanted = _awaited(document, choices.occurrences, screen)
    output = choices.output or Path("~/.ductrunner/runs").expanduser() / pipeline_id
    agents = Agents(
        place.url if place.local else None,
        pipeline_id,
        output.absolute(),
        dict(os.environ),
        screen.say,
        choices.tasks,
        wanted=choices.agent,
    )
    skipping = Skipping(place.url if place.local and choices.skip else None, pipeline_id, screen.say)
    return _Running(service, pipeline_id, screen, agents, skipping).to_its_end(wanted, choices.timeout)


def _awaited(document: Document, occurrences: int | None, screen: Screen) -> Occurrences | None:
    """Return how many occurrences are awaited; ``None`` for all that there are."""
    if occurrences is not None:
        return Occurrences(occurrences, scheduled(document))
    if not (unbounded := endless(document)):
        return None
    screen.say("its schedule goes on without an end: the first run of each step is awaited (--occurrences N for more)")
    return Occurrences(1, unbounded)


def _start(service: Service, document: Document) -> str:
    pipeline_id = service.create(document.name)
    try:
        findings = service.put(pipeline_id, document)
        for finding in findings:
            click.echo(str(finding), err=True)
        refuse_errors(document, findings)
        service.activate(pipeline_id)
    except (PipelineInvalid, RequestRefused):
        service.delete(pipeline_id)
        raise
    return pipeline_id


def refuse_errors(document: Document, findings: list[Finding]) -> None:
    """Raise if there is an error among what the service found.

    Raises:
        PipelineInvalid: with the number of errors, which were printed before.
    """
    if errors := sum(finding.error for finding in findings):
        raise PipelineInvalid(f"{document.name} has {errors} error{'s' if errors > 1 else ''}, listed above")


class _Running:
    """A pipeline that has been activated."""

    def __init__(self, service: Service, pipeline_id: str, screen: Screen, agents: Agents, skipping: Skipping) -> None:
        self._service = service
        self._pipeline_id = pipeline_id
        self._screen = screen
        self._agents = agents
        self._skipping = skipping

    def to_its_end(self, wanted: Occurrences | None, timeout: float | None) -> int:
        watch = Watch(self._service, self._pipeline_id, wanted)
        _listen()
        with self._agents:
            look, status = self._until_done(watch, timeout)
            if look is None or wanted is not None:
                self._stop(watch)
        final = watch.timed(look or watch.look())
        self._report(final)
        deciding = [step for step in final.steps if step.decides]
        return status or (FINISHED if deciding and all(step.good for step in deciding) else FAILED)

    def _until_done(self, watch: Watch, timeout: float | None) -> tuple[Look | None, int]:
        """Return what was seen last, if all was done then, and the exit status if that is clear already."""
        try:
            look = watch.until_done(self._show, timeout)
        except Interrupted as interrupted:
            self._screen.say("interrupted: what has not ended is canceled (a second time: leave at once)")
            return None, _SIGNALLED + interrupted.number
        if look is None:
            self._screen.say(f"not done after {timeout:g} s: what has not ended is canceled")
        return look, FINISHED if look else FAILED

    def _show(self, look: Look) -> None:
        self._screen.show(look)
        self._agents.serve()
        if not look.done:
            self._skipping.after([(step.id, step.status, step.attempts) for step in look.steps])

    def _stop(self, watch: Watch) -> None:
        """Cancel what has not ended, and let nothing more start."""
        if left := [step.id for step in unfinished(watch.look().steps)]:
            self._service.cancel(self._pipeline_id, left)
        if watch.look().state not in ("FINISHED", "INACTIVE"):
            self._service.deactivate(self._pipeline_id)
        self._agents.hurry()

    def _report(self, look: Look) -> None:
        self._screen.clear()
        places = Places(self._pipeline_id, self._agents.output if self._agents.any else None)
        click.echo("\n".join(summary(look.steps, places)))


def _listen() -> None:
    """Turn the first SIGINT or SIGTERM into ``Interrupted``; a second one ends this process at once."""

    def hear(number: int, _frame: FrameType | None) -> None:
        for each in (signal.SIGINT, signal.SIGTERM):
            signal.signal(each, signal.SIG_DFL)
        raise Interrupted(number)

    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, hear)
