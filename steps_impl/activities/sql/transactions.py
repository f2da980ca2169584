"""Whether a script runs as one transaction.

It does, unless it says itself where its transactions begin and end, or holds a statement that servers refuse inside
of one: then each statement is its own. So a script that fails leaves nothing half done wherever the server allows it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from steps_impl.activities.servers.server import Engine
from steps_impl.activities.sql.script import Piece

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


def runs_as_one(pieces: Sequence[Piece], engine: Engine) -> bool:
    """Tell whether the statements can all be run in one transaction of ours."""
    alone = re.compile(rf"\s*(?:{_OWN_CONTROL}|{_ALONE[engine]})", re.IGNORECASE | re.DOTALL)
    return not any(_begins(alone, piece) for piece in pieces)


def _begins(pattern: re.Pattern[str], piece: Piece) -> bool:
    match = pattern.match(piece.text)
    return match is not None and not piece.text[match.end() : match.end() + 1].isalnum()
