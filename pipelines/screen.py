"""Live progress: a block that is drawn again on a terminal, a line for each change elsewhere."""

from __future__ import annotations

import shutil
import time
from collections import Counter
from collections.abc import Iterator
from typing import TextIO

import click

from core.redaction import REDACTOR
from core.terminal import cut, printable
from pipelines.steps import WAITING_FOR_RUNNER, Step, blocked
from pipelines.watch import Look

COLOURS = {
    "FINISHED": "green",
    "RUNNING": "cyan",
    WAITING_FOR_RUNNER: "yellow",
    "FAILED": "red",
    "CASCADE_FAILED": "red",
    "TIMEDOUT": "red",
    "CANCELED": "magenta",
}
#: Lines of the block that are not steps.
_FRAME = 3
_NAME, _STATUS = 28, 24


class Screen:
    """Shows looks at a pipeline on a stream."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._terminal = stream.isatty()
        self._began = time.monotonic()
        self._drawn = 0
        self._shown: dict[str, tuple[object, ...]] = {}
        self._several = False

    def show(self, look: Look) -> None:
        """Show how the pipeline is now."""
        self._several = len({step.scheduled for step in look.steps}) > 1
        if self._terminal:
            self.clear()
            lines = list(self._block(look))
            self._drawn = len(lines)
            self._write("\n".join(lines) + "\n")
        else:
            for step in look.steps:
                self._line(step)

    def say(self, text: str) -> None:
        """Print a line of its own."""
        self.clear()
        self._write(f"{self._elapsed()}  {text}\n")

    def clear(self) -> None:
        """Take the block away, so that something else can stand there."""
        if self._drawn:
            self._write(f"\x1b[{self._drawn}F\x1b[0J")
            self._drawn = 0

    def _line(self, step: Step) -> None:
        seen = (step.status, step.attempts, step.error_id)
        if not step.shown or self._shown.get(step.id) == seen:
            return
        self._shown[step.id] = seen
        self._write(f"{self._elapsed()}  {self.describe(step)}\n")

    def _block(self, look: Look) -> Iterator[str]:
        columns, rows = shutil.get_terminal_size()
        steps = [step for step in look.steps if step.shown]
        counts = Counter(step.status for step in steps)
        told = ", ".join(f"{number} {status}" for status, number in sorted(counts.items()))
        yield cut(f"{self._elapsed()}  {told or look.state}", columns)
        stuck = blocked(look.steps)
        lively = sorted(steps, key=lambda step: (step.good, step.id in stuck, not step.attempts))
        for step in lively[: max(1, rows - _FRAME)]:
            yield cut(f"{'':9}  {self.describe(step)}", columns)

    def describe(self, step: Step) -> str:
        """Return one step as one line."""
        name = f"{step.component} {step.scheduled}" if self._several else step.component
        remark = str(printable(REDACTOR.redact(_remark(step))))
        status = click.style(f"{step.status:<{_STATUS}}" if remark else step.status, fg=COLOURS.get(step.status))
        return f"{name:<{_NAME}}  {status} {remark}".rstrip()

    def _elapsed(self) -> str:
        return f"{time.monotonic() - self._began:7.1f} s"

    def _write(self, text: str) -> None:
        self._stream.write(text if self._terminal else click.unstyle(text))
        self._stream.flush()


def _remark(step: Step) -> str:
    told = step.told if step.status in ("RUNNING", "FINISHED") else ""
    tries = f"attempt {step.attempts}" if step.attempts > 1 else ""
    if step.error_id and not step.good:
        first = step.error.strip().splitlines()[0] if step.error.strip() else ""
        again = "" if step.ended else "; it is tried again"
        return (
            f"attempt {step.attempts}: {step.error_id}: {first}{again}"
            if step.attempts
            else f"{step.error_id}: {first}"
        )
    return ", ".join(filter(None, (tries, told)))
