r"""The steps of an EmrActivity: ``jar,argument,argument``, and what EMR makes of the jars that it knows by name.

Source: Developer Guide, *EmrActivity*; EMR Release Guide, *Run commands and scripts with command-runner.jar and
script-runner.jar*, *Differences … for earlier AMI versions* (``hive-script``, ``pig-script``).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from core.errors import ParameterError

#: A run of backslashes and what follows it.
_ESCAPED = re.compile(r"(\\+)(.?)", re.DOTALL)


def split_step(text: str) -> list[str]:
    r"""Return the jar and the arguments of a step.

    A comma that backslashes stand before is a part of the argument. The guide lets the first of two escapes go: of a
    pair of backslashes one stays, and one alone only makes the next character plain. Before a comma all of a run's
    escapes are taken for its own, since who removes a level on the way here is not known (``a\,b`` and ``a\\,b`` are
    both one argument).

    Raises:
        ParameterError: there is no jar.
    """
    words = ["".join(part) for part in _parts(text)]
    if not words[0].strip():
        raise ParameterError(f"the step {text[:80]!r} names no jar; write jar,argument,argument")
    return [words[0].strip(), *words[1:]]


def _parts(text: str) -> Iterator[list[str]]:
    part: list[str] = []
    position = 0
    while position < len(text):
        if found := _ESCAPED.match(text, position):
            part.append(_plain(len(found[1]), found[2]))
            position = found.end()
        elif text[position] == ",":
            yield part
            part = []
            position += 1
        else:
            part.append(text[position])
            position += 1
    yield part


def _plain(backslashes: int, following: str) -> str:
    """Return what stands for a run of backslashes and the character behind it."""
    if following == ",":
        return "\\" * ((backslashes - 1) // 2) + ","
    return "\\" * (backslashes // 2) + following
