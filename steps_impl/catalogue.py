"""The list of steps and their flags as plain data, so that help needs neither pydantic nor a step's own imports.

``catalog.json`` is made from the parameter models by ``python -m docs.generate``; a test and ``make lint`` hold it
fresh. Only running a step imports its model.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from core.errors import ParameterError

FILE = Path(__file__).with_name("catalog.json")


class Flag(NamedTuple):
    """One parameter of a step.

    ``kind`` says how it is written: ``value`` (``--splits 4``), ``switch`` (``--analyze/--no-analyze``), ``list``
    (``--keys a b`` or ``--keys a --keys b``), ``object`` (a JSON object) or ``secret`` (``--params`` only).
    """

    name: str
    kind: str
    type: str
    required: bool
    default: Any
    unit: str
    help: str

    @property
    def flag(self) -> str:
        """Return the flag's spelling, ``--table-definition``."""
        return "--" + self.name.replace("_", "-")


class Entry(NamedTuple):
    """One step: its name, one line about it, its flags in the order of the model."""

    name: str
    summary: str
    flags: tuple[Flag, ...]


def entries() -> Mapping[str, Entry]:
    """Return every step by name, in alphabetical order."""
    document = json.loads(FILE.read_text(encoding="utf-8"))
    return {
        name: Entry(name, described["summary"], tuple(Flag(**flag) for flag in described["flags"]))
        for name, described in sorted(document.items())
    }


def entry(name: str) -> Entry:
    """Return one step.

    Raises:
        ParameterError: no step has this name; the message names the nearest one.
    """
    known = entries()
    if name not in known:
        raise ParameterError(f"there is no step {name!r}{nearest(name, known)}; `ductrunner steps` lists them")
    return known[name]


def nearest(name: str, known: Mapping[str, Any] | list[str]) -> str:
    """Return ``, did you mean 'x'?`` for the nearest known name, or nothing."""
    close = difflib.get_close_matches(name, list(known), n=1, cutoff=0.5)
    return f", did you mean {close[0]}?" if close else ""
