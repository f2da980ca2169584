"""Flags of a step's command line, read by its catalogue entry; every fault is collected, none hides another.

A scalar takes the next word whatever it begins with (SQL may begin with ``--``), unless that word is a flag of
this step. A list takes words up to the next one that begins with ``--``, and may be repeated. All words behind a
lone ``--`` are arguments of what the step runs, whatever they begin with.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from steps_impl.catalogue import Entry, Flag, nearest

PARAMS_FLAG = "--params"
HELP_FLAGS = ("--help", "-h")
_SHOWN = 40
_REST = "--"
#: Parameters that hold the arguments of a script or of its statements.
_ARGUMENTS = ("script_arguments", "arguments")


@dataclass
class CommandLine:
    """What a command line said: values by parameter name, the ``--params`` file, and one line per fault."""

    values: dict[str, Any] = field(default_factory=dict)
    params: str | None = None
    help: bool = False
    faults: list[str] = field(default_factory=list)


class _Words:
    """The words of the command line, read one after the other."""

    def __init__(self, words: Sequence[str], spellings: Mapping[str, Any]) -> None:
        self._words = list(words)
        self._spellings = spellings

    def __bool__(self) -> bool:
        return bool(self._words)

    def take(self) -> str:
        return self._words.pop(0)

    def take_value(self) -> str | None:
        """Return the next word unless there is none or it is a flag of this step."""
        if not self._words or self._words[0].partition("=")[0] in self._spellings:
            return None
        return self._words.pop(0)

    def at_rest(self) -> bool:
        """Tell whether all that is left are arguments."""
        return self._words[:1] == [_REST]

    def take_rest(self) -> list[str]:
        """Return all words that are left."""
        taken, self._words = self._words, []
        return taken

    def take_list(self) -> list[str]:
        """Return the words up to the next one that begins with ``--``."""
        taken = []
        while self._words and not self._words[0].startswith("--"):
            taken.append(self._words.pop(0))
        return taken


def parse_flags(arguments: Sequence[str], entry: Entry) -> CommandLine:
    """Read a step's arguments; never raises, faults are in the result."""
    spellings = _spellings(entry)
    line = CommandLine()
    words = _Words(arguments, spellings)
    while words:
        word = words.take()
        name, equals, text = word.partition("=")
        if word == _REST:
            _read_rest(line, words, entry)
        elif name in HELP_FLAGS:
            line.help = True
        elif name == PARAMS_FLAG:
            line.params = _scalar(line, name, text if equals else words.take_value(), line.params)
        elif name in spellings:
            _read(line, spellings[name], name, text if equals else None, words)
        else:
            line.faults.append(_unknown(word, name, spellings, entry))
    return line


def _read_rest(line: CommandLine, words: _Words, entry: Entry) -> None:
    flag = next((flag for flag in entry.flags if flag.name in _ARGUMENTS and flag.kind == "list"), None)
    rest = words.take_rest()
    if flag is None:
        line.faults.append(f"{_REST}: {entry.name} runs nothing that takes arguments")
    else:
        line.values.setdefault(flag.name, []).extend(rest)


def _spellings(entry: Entry) -> dict[str, Flag | None]:
    known: dict[str, Flag | None] = {PARAMS_FLAG: None, "--help": None}
    for flag in entry.flags:
        if flag.kind != "secret":
            known[flag.flag] = flag
        if flag.kind == "switch":
            known["--no-" + flag.flag[2:]] = flag
    return known


def _read(line: CommandLine, flag: Flag | None, name: str, text: str | None, words: _Words) -> None:
    assert flag is not None
    if flag.kind == "switch":
        _switch(line, flag, name, text)
    elif flag.kind == "list":
        values = [text] if text is not None else words.take_list()
        if not (flag.name in _ARGUMENTS and words.at_rest()):  # `--arguments -- …`
            _require_values(line, flag, values)
        line.values.setdefault(flag.name, []).extend(values)
    else:
        value = _scalar(line, name, text if text is not None else words.take_value(), line.values.get(flag.name))
        if value is not None:
            line.values[flag.name] = _object(line, name, value) if flag.kind == "object" else value


def _switch(line: CommandLine, flag: Flag, name: str, text: str | None) -> None:
    if text is not None:
        line.faults.append(f"{name}: takes no value; write {flag.flag} or --no-{flag.flag[2:]}")
    line.values[flag.name] = name == flag.flag


def _require_values(line: CommandLine, flag: Flag, values: list[str]) -> None:
    if not values:
        line.faults.append(f"{flag.flag}: needs at least one value")


def _scalar(line: CommandLine, name: str, value: str | None, former: Any) -> str | None:
    if value is None:
        line.faults.append(f"{name}: needs a value")
    elif former is not None:
        line.faults.append(f"{name}: given twice; give it once")
    return value


def _object(line: CommandLine, name: str, text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        line.faults.append(f"{name}: is not JSON")
        return None


def _unknown(word: str, name: str, spellings: Mapping[str, Any], entry: Entry) -> str:
    if any(flag.kind == "secret" and flag.flag == name for flag in entry.flags):
        return f"{name}: is a secret and no flag; give it in the --params file"
    if word.startswith("-"):
        return f"{name}: unknown flag{nearest(name, list(spellings))}"
    shown = word if len(word) <= _SHOWN else word[:_SHOWN] + "…"
    return f"{shown!r}: unexpected word; every parameter of {entry.name} is a flag"
