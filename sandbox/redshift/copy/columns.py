"""The columns that a COPY fills, as the client's own transaction sees them."""

from __future__ import annotations

from dataclasses import dataclass

from sandbox.redshift.copy.command import CopyCommand
from sandbox.redshift.cursor import quote_name, quote_text
from sandbox.redshift.errors import UNDEFINED_TABLE, SqlError
from sandbox.redshift.upstream import Upstream


@dataclass(frozen=True)
class Column:
    """A column: ``type`` is Postgres' short name; ``length`` counts bytes, or the digits of a numeric."""

    name: str
    type: str
    length: int
    scale: int
    not_null: bool

    @property
    def is_text(self) -> bool:
        """Say whether it holds text."""
        return self.type in ("varchar", "bpchar")


@dataclass(frozen=True)
class Target:
    """The table of a COPY and what the catalog's records of it need."""

    oid: int
    columns: list[Column]
    user_id: int
    session_id: int
    transaction_id: int


def find_target(upstream: Upstream, copy: CopyCommand) -> Target:
    """Look the table up.

    Raises:
        SqlError: there is no such table or column, or the list names an identity column without EXPLICIT_IDS.
    """
    name = copy.table[-1]
    rows = upstream.run(
        "SELECT a.attname, t.typname, a.atttypmod, a.attnotnull, a.attidentity, c.oid,"
        " (SELECT oid FROM pg_roles WHERE rolname = current_user), pg_backend_pid(), pg_current_xact_id()"
        f" FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid JOIN pg_type t ON t.oid = a.atttypid"
        f" WHERE c.oid = to_regclass({quote_text(quote_name(*copy.table))}) AND c.relkind IN ('r', 'p')"
        " AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum"
    ).rows
    if not rows:
        raise SqlError(f"Cannot COPY into nonexistent table {name}", UNDEFINED_TABLE)
    present = {str(row[0]): row for row in rows}
    chosen = [_row_of(present, column, copy) for column in copy.columns] if copy.columns else _loadable(rows, copy)
    oid, user_id, session_id, transaction_id = (int(value or 0) for value in rows[0][5:9])
    return Target(oid, [_column(row) for row in chosen], user_id, session_id, transaction_id)


def _row_of(present: dict[str, list[str | None]], column: str, copy: CopyCommand) -> list[str | None]:
    row = present.get(column)
    if row is None:
        raise SqlError(f'column "{column}" of relation "{copy.table[-1]}" does not exist', "42703")
    if row[4] == "a" and not copy.explicit_ids:
        raise SqlError(f'Cannot COPY into the identity column "{column}" without EXPLICIT_IDS', "0A000")
    return row


def _loadable(rows: list[list[str | None]], copy: CopyCommand) -> list[list[str | None]]:
    """Without a list, an IDENTITY column takes no value from the file unless EXPLICIT_IDS says so."""
    return [row for row in rows if row[4] != "a" or copy.explicit_ids]


def _column(row: list[str | None]) -> Column:
    name, type_name, modifier = str(row[0]), str(row[1]), int(row[2] or -1)
    length, scale = max(modifier - 4, 0), 0
    if type_name == "numeric":
        length, scale = (length >> 16) & 0xFFFF, length & 0x7FF
    return Column(name, type_name, length, scale, not_null=row[3] == "t")
