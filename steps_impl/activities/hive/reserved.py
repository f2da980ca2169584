"""Columns whose names became reserved words: Hive 1.2 and later read ``SELECT user`` only with backquotes.

Scripts of definitions were written for the Hive of older clusters (AMI 3: Hive 0.13); the example of the guide's page
*HiveActivity* selects ``user``. So a column of a node's format that is such a word is quoted in the script.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from steps_impl.activities.hive.statements import masked, split

#: Reserved since Hive 1.2, and without another meaning in a query.
_WORDS = frozenset(
    {"authorization", "conf", "cursor", "less", "more", "none", "out", "procedure", "reads", "trigger", "user"}
)
#: These are types and begin literals too: ``AS date``, ``date '2013-01-01'``, ``date(x)``.
_TYPES = frozenset({"date", "timestamp"})
_QUERY = re.compile(r"\s*(?:INSERT|SELECT|FROM|WITH)\b", re.IGNORECASE)
_WORD = re.compile(r"(?<![\w$@:{`])([A-Za-z]+)\b(?!\s*[}.])")
_AS_TYPE = re.compile(r"\bAS\s+$", re.IGNORECASE)


def quote_columns(script: str, columns: Iterable[str]) -> str:
    """Return the script with those of the columns quoted in its queries that are reserved words."""
    names = {column.lower() for column in columns} & (_WORDS | _TYPES)
    if not names:
        return script
    return ";".join(_quoted(part, names) for part in split(script))


def _quoted(statement: str, names: set[str]) -> str:
    bare = masked(statement)
    if not _QUERY.match(bare):
        return statement
    pieces, done = [], 0
    for match in _WORD.finditer(bare):
        if match[1].lower() in names and not _is_type(match, bare):
            pieces += [statement[done : match.start()], "`", match[1], "`"]
            done = match.end()
    return "".join([*pieces, statement[done:]])


def _is_type(match: re.Match[str], bare: str) -> bool:
    """Say whether the word is a type, or begins a literal or a call."""
    if match[1].lower() not in _TYPES:
        return False
    following = bare[match.end() :].lstrip()[:1]
    return following in ("'", '"', "(") or _AS_TYPE.search(bare[: match.start()]) is not None
