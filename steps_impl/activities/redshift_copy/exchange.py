"""The rows of the staging table go into the target, by insertMode.

KEEP_EXISTING adds rows whose key the target does not have, OVERWRITE_EXISTING replaces those whose key it has, TRUNCATE
empties the target first (by DELETE: Redshift's TRUNCATE would commit), APPEND just adds. All statements belong to one
transaction of the caller. NULL in a key equals NULL here, so that a second run finds the rows of the first.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from steps_impl.activities.redshift_copy.target import Target
from steps_impl.tables.model import TableName
from steps_impl.warehouse import statements
from steps_impl.warehouse.keys import null_safe_match, plain_match
from stores.redshift import Session

InsertMode = Literal["KEEP_EXISTING", "OVERWRITE_EXISTING", "TRUNCATE", "APPEND"]
#: Modes that match rows by keys.
MERGING: tuple[InsertMode, ...] = ("KEEP_EXISTING", "OVERWRITE_EXISTING")


@dataclass(frozen=True)
class Exchange:
    """What was done, in rows; ``same_key`` are staged rows beyond the first of each key, which are all inserted."""

    deleted: int
    inserted: int
    same_key: int = 0

    @property
    def details(self) -> dict[str, Any]:
        """For the result."""
        return {"deleted": self.deleted, "inserted": self.inserted, "rows_with_a_key_twice": self.same_key}


def exchange(
    session: Session, target: Target, incoming: TableName, mode: InsertMode, keys: tuple[str, ...]
) -> Exchange:
    """Put the rows of the table ``incoming`` in place; return what was done."""
    if mode in MERGING:
        return _merge(session, target, incoming, mode, keys)
    deleted = session.execute(statements.delete_all(target.name)) if mode == "TRUNCATE" else 0
    return Exchange(deleted, _insert_all(session, target, incoming))


def _merge(session: Session, target: Target, incoming: TableName, mode: InsertMode, keys: tuple[str, ...]) -> Exchange:
    rows, distinct, nulls = map(int, session.row(statements.profile_keys(incoming, keys)))
    kinds = dict(zip(target.columns, target.types, strict=True))
    match = null_safe_match({key: kinds[key] for key in keys}) if nulls else plain_match(keys)
    if mode == "KEEP_EXISTING":
        missing = statements.insert_missing(target.name, incoming, target.columns, keys, match)
        return Exchange(0, session.execute(missing), rows - distinct)
    deleted = session.execute(statements.delete_matching(target.name, incoming, match))
    return Exchange(deleted, _insert_all(session, target, incoming), rows - distinct)


def _insert_all(session: Session, target: Target, incoming: TableName) -> int:
    return session.execute(statements.insert_all(target.name, incoming, target.columns))
