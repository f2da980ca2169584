r"""The steps of an EmrActivity: ``jar,argument,argument``, and what EMR makes of the jars that it knows by name.

Source: Developer Guide, *EmrActivity*; EMR Release Guide, *Run commands and scripts with command-runner.jar and
script-runner.jar*, *Differences … for earlier AMI versions* (``hive-script``, ``pig-script``).
"""

from __future__ import annotations

import re

from core.errors import ParameterError

#: A run of backslashes and what follows it; an argument with the comma behind it.
_ESCAPED = re.compile(r"(\\+)(.?)", re.DOTALL)
_PART = re.compile(r"((?:\\+.?|[^,\\])*)(,|\Z)", re.DOTALL)


def split_step(text: str) -> list[str]:
    r"""Return the jar and the arguments of a step; blanks before them are left out, as the guide's examples have some.

    A comma that backslashes stand before is a part of the argument. The guide lets the first of two escapes go: of a
    pair of backslashes one stays, and one alone only makes the next character plain. Before a comma all of a run's
    escapes are taken for its own, since who removes a level on the way here is not known (``a\,b`` and ``a\\,b`` are
    both one argument).

    Raises:
        ParameterError: there is no jar.
    """
    parts = []
    for match in _PART.finditer(text):
        parts.append(_ESCAPED.sub(_plain, match[1].lstrip()))
        if not match[2]:
            break
    if not parts[0].strip():
        raise ParameterError(f"the step {text[:80]!r} names no jar; write jar,argument,argument")
    return [parts[0].strip(), *parts[1:]]


def _plain(match: re.Match[str]) -> str:
    """Return what stands for a run of backslashes and the character behind it."""
    backslashes, following = len(match[1]), match[2]
    if following == ",":
        return "\\" * ((backslashes - 1) // 2) + ","
    return "\\" * (backslashes // 2) + following
