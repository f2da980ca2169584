"""Whether a script runs as one transaction.

It does, unless it says itself where its transactions begin and end, or holds a statement that servers refuse inside
of one: then each statement is its own. So a script that fails leaves nothing half done wherever the server allows it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from core.errors import ParameterError
from steps_impl.activities.servers.server import Engine
from steps_impl.activities.sql.script import Piece, without_comments

_OWN_CONTROL = r"begin|start\s+transaction|commit|end|rollback|abort|set\s+autocommit|prepare\s+transaction"
#: Refused inside a transaction: Postgres and Redshift, *VACUUM*, *CREATE DATABASE*, *ALTER TABLE APPEND* …
_ALONE: dict[Engine, str] = {
    "mysql": r"(?!)",
    "postgres": (
        r"vacuum|(?:create|drop|alter)\s+(?:database|tablespace|system)\b|(?:create|drop)\s+(?:unique\s+)?index\s+"
        r"concurrently|reindex\b.*\bconcurrently|(?:create|alter|drop)\s+subscription|cluster\s*\Z|call\b"
        r"|alter\s+type\b.*\badd\s+value"
    ),
    "redshift": (
        r"vacuum|(?:create|drop|alter)\s+(?:database|datashare|library|external\s+table)\b"
        r"|(?:create|drop|alter)\s+external|alter\s+table\b.*\bappend\s+from|alter\s+table\b.*\balter\s+column\b"
        r"|call\b"
    ),
}


#: Commits what came before it: Redshift, *TRUNCATE*; MySQL, *Statements That Cause an Implicit Commit*.
_COMMITS: dict[Engine, str] = {
    "mysql": (
        r"(?:alter|create(?!\s+temporary\s+table)|drop(?!\s+temporary\s+table)|rename|truncate|grant|revoke"
        r"|lock\s+tables|unlock\s+tables|analyze|optimize|repair|flush|install|uninstall|load\s+index|set\s+password)"
    ),
    "postgres": r"(?!)",
    "redshift": r"truncate",
}
_OPENS = r"begin|start\s+transaction"
_CLOSES = r"commit|end"
#: A procedure may be called inside a transaction as long as it has no control of its own; the server tells.
_CALL = r"call"


def runs_as_one(pieces: Sequence[Piece], engine: Engine) -> bool:
    """Tell whether the statements can all be run in one transaction of ours."""
    return not any(_begins(f"{_OWN_CONTROL}|{_ALONE[engine]}", piece, engine) for piece in pieces)


def inside_one(
    pieces: Sequence[Piece], engine: Engine, *, otherwise: str = "--no-wrap-transaction", alone: bool = True
) -> list[Piece]:
    """Return the statements that are run between BEGIN and COMMIT; a script's own pair around all of it is left out.

    Args:
        pieces: the statements.
        engine: of the server.
        otherwise: the flag that runs each statement by itself, for the message.
        alone: nothing else is run with them, so that a single statement needs no transaction and may be anything.

    Raises:
        ParameterError: a statement ends the transaction or cannot be part of one; all of them are named.
    """
    kept = list(pieces)
    if len(kept) > 2 and _begins(_OPENS, kept[0], engine) and _begins(_CLOSES, kept[-1], engine):
        kept = kept[1:-1]
    found = [] if alone and len(kept) < 2 else list(_unfit(kept, engine))
    if found:
        raise ParameterError(
            f"the script cannot be one transaction: {'; '.join(found)}; use DELETE in place of TRUNCATE, take such "
            f"statements out, or run each statement by itself ({otherwise})"
        )
    return kept


def _unfit(pieces: Sequence[Piece], engine: Engine) -> Iterator[str]:
    reasons = {
        "begins or ends a transaction itself": _OWN_CONTROL,
        "commits what came before it": _COMMITS[engine],
        "may not be part of a transaction": _ALONE[engine],
    }
    for number, piece in enumerate(pieces, start=1):
        for reason, pattern in reasons.items():
            if _begins(pattern, piece, engine) and not _begins(_CALL, piece, engine):
                words = without_comments(piece.text, engine).upper().split()
                yield f"statement {number} ({' '.join(words[:2])[:40]}) {reason}"
                break


def _begins(pattern: str, piece: Piece, engine: Engine) -> bool:
    text = without_comments(piece.text, engine)
    match = re.match(rf"(?:{pattern})", text, re.IGNORECASE | re.DOTALL)
    return match is not None and not text[match.end() : match.end() + 1].isalnum()
