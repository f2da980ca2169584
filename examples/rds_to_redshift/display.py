"""What the demo shows: one refreshing block on a terminal, plain lines elsewhere, tables at the end of a run."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Sequence

from service import Step

_COLUMNS = ("step", "status", "attempts", "seconds", "rows", "bytes")


def say(text: str = "") -> None:
    print(text, flush=True)


class Progress:
    """Shows steps as they go on."""

    def __init__(self) -> None:
        self._terminal = sys.stdout.isatty()
        self._lines = 0
        self._shown: dict[str, str] = {}
        self._start = time.monotonic()

    def show(self, steps: Sequence[Step]) -> None:
        if self._terminal:
            self._refresh(steps)
            return
        for step in steps:
            if self._shown.get(step.name) != step.status:
                self._shown[step.name] = step.status
                say(f"  {time.monotonic() - self._start:6.1f} s  {step.name:<20} {step.status}")

    def close(self) -> None:
        """Remove the block, so that the table takes its place."""
        if self._terminal and self._lines:
            sys.stdout.write(f"\x1b[{self._lines}F\x1b[0J")
            sys.stdout.flush()
        self._lines = 0

    def _refresh(self, steps: Sequence[Step]) -> None:
        self.close()
        lines = [f"  {time.monotonic() - self._start:5.0f} s"]
        lines += [f"  {step.name:<20} {step.status:<24} {step.told[:48]}" for step in steps]
        self._lines = len(lines)
        say("\n".join(lines))


def table(steps: Iterable[Step]) -> str:
    """Return one line for each step; a dash where a step has no such number."""
    lines = [_COLUMNS] + [
        (
            step.name,
            step.status,
            str(step.attempts),
            _number(step.seconds),
            _number(step.count("rows")),
            _number(step.count("bytes")),
        )
        for step in steps
    ]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join("  " + "  ".join(_aligned(line, widths)).rstrip() for line in lines)


def _aligned(line: Sequence[str], widths: Sequence[int]) -> list[str]:
    words = [word.ljust(width) for word, width in zip(line[:2], widths, strict=False)]
    return words + [word.rjust(width) for word, width in zip(line[2:], widths[2:], strict=True)]


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:,.0f}"
