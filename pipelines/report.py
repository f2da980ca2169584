"""What is printed when a run is over: a table of its steps, where their logs are, and why something failed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from core.redaction import REDACTOR
from core.terminal import printable, table
from core.units import span
from pipelines.steps import Step, blocked

#: Last lines of standard error that are shown of a step that failed, and the bytes that are read for them.
LAST_LINES = 10
_TAIL = 8192
_STDERR = "StdError"
_PRECISE = 10.0  # seconds, below which tenths are shown


@dataclass(frozen=True)
class Places:
    """Where the logs of a pipeline's attempts lie: on this machine (if our agent made them), and in S3."""

    pipeline_id: str
    output: Path | None = None

    def local(self, step: Step) -> Path | None:
        """Return the folder of a step's newest attempt on this machine."""
        if self.output is None or not step.attempt_id:
            return None
        folder = self.output.joinpath("logs", self.pipeline_id, step.component, step.id, step.attempt_id)
        return folder if folder.is_dir() else None

    def remote(self, step: Step) -> str | None:
        """Return the prefix of a step's newest attempt in S3."""
        root = _root(step)
        if not root or not step.attempt_id:
            return None
        return "/".join((root.removesuffix("/"), self.pipeline_id, step.component, step.id, step.attempt_id))


def _root(step: Step) -> str | None:
    """Return the step's ``pipelineLogUri``; an instance shows an expression in it as it was written: then nothing."""
    root = step.fields.get("pipelineLogUri")
    return None if root is None or "#{" in root else root


def summary(steps: Sequence[Step], places: Places) -> Iterator[str]:
    """Yield the lines of a whole report."""
    shown = [step for step in steps if step.shown]
    if not shown:
        yield "no step has run"
        return
    yield from table([("STEP", "TYPE", "ATTEMPTS", "STATUS", "TIME", "ROWS"), *(_row(step, shown) for step in shown)])
    yield from _logs(shown, places)
    stuck = blocked(steps)
    for step in shown:
        if step.bad:
            yield ""
            yield from _failure(step, places)
        elif step.id in stuck:
            yield ""
            yield f"{_name(step, shown)} never starts: it waits for {', '.join(step.waiting_on)}"


def _row(step: Step, shown: Sequence[Step]) -> tuple[str, ...]:
    seconds, rows = step.seconds(), step.count("rows")
    return (
        _name(step, shown),
        step.type,
        str(step.attempts or "-"),
        step.status,
        "-" if seconds is None else _time(seconds),
        "-" if rows is None else f"{rows:,}",
    )


def _name(step: Step, shown: Sequence[Step]) -> str:
    """Return the component's id, with the scheduled start where it has several runs."""
    several = sum(other.component == step.component for other in shown) > 1
    return f"{step.component} {step.scheduled}" if several else step.component


def _time(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds < _PRECISE else span(seconds)


def _logs(steps: Sequence[Step], places: Places) -> Iterator[str]:
    tried = [step for step in steps if step.attempt_id]
    roots = [] if places.output is None or not tried else [str(places.output / "logs")]
    roots += [root.removesuffix("/") for step in tried if (root := _root(step))]
    if roots:
        yield ""
    for root in dict.fromkeys(roots):
        yield f"logs: {root}/{places.pipeline_id}/<step>/<@instance>/<@attempt>/StdOutput, StdError"


def _failure(step: Step, places: Places) -> Iterator[str]:
    yield click.style(f"{step.id} {step.status}{f': {step.error_id}' if step.error_id else ''}", fg="red", bold=True)
    message = [_safe(line) for line in step.error.strip().splitlines()]
    if not message and (cause := step.fields.get("@cascadeFailedOn")):
        message = [f"{cause} failed, and failureAndRerunMode is cascade"]
    yield from (f"  {line}" for line in message)
    local, remote = places.local(step), places.remote(step)
    last = [line for line in _last_lines(local) if line.strip() and not any(line.strip() in told for told in message)]
    if last:
        yield "  last lines of its standard error:"
        yield from (f"    {line}" for line in last)
    yield from (
        f"  logs: {place}" for place in (local, remote) if place and not any(str(place) in told for told in message)
    )


def _last_lines(folder: Path | None) -> list[str]:
    if folder is None or not (path := folder / _STDERR).is_file():
        return []
    with path.open("rb") as stream:
        stream.seek(max(0, path.stat().st_size - _TAIL))
        text = stream.read(_TAIL).decode("utf-8", "replace")
    return [_safe(line) for line in text.splitlines()[-LAST_LINES:]]


def _safe(line: str) -> str:
    return str(printable(REDACTOR.redact(line)))
