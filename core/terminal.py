"""What is printed for people in a terminal: safe texts, tables, lines that fit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import click

_GAP = "  "


def printable(value: Any) -> Any:
    """Return the same without control characters: what a task says of itself must not steer a terminal.

    Lists and objects are gone through; line ends become blanks.
    """
    if isinstance(value, str):
        return "".join(character if character.isprintable() else " " for character in value)
    if isinstance(value, list):
        return [printable(entry) for entry in value]
    if isinstance(value, dict):
        return {key: printable(entry) for key, entry in value.items()}
    return value


def table(rows: Sequence[tuple[str, ...]]) -> Iterator[str]:
    """Yield the rows with aligned columns, the first one as their bold heads."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for number, row in enumerate(rows):
        line = _GAP.join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        yield click.style(line, bold=True) if number == 0 else line


def cut(line: str, width: int) -> str:
    """Return a line that takes at most ``width`` columns; one that is cut loses its colours."""
    bare = click.unstyle(line)
    return line if len(bare) <= width else f"{bare[: width - 1]}…"
