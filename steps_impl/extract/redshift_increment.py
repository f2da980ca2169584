"""What an incremental extract asks of the warehouse, and the query for the rows that it finds new.

All of it runs in one transaction, which Redshift keeps serializable: the newest value, the digests and the UNLOAD see
the same rows. How rows are told new is the same for all servers (``increments``).
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from typing import Any

from core.errors import ParameterError, UnsupportedValue
from steps_impl.extract import increments
from steps_impl.extract.dialects import Kind, PostgresDialect
from steps_impl.extract.increments import Piece
from steps_impl.extract.mark import MarkStore, mark_address
from steps_impl.extract.redshift_parameters import ExtractRedshiftParameters
from steps_impl.extract.relation import Relation
from steps_impl.formats.typed import Column
from steps_impl.queries import bare_query
from steps_impl.tables.model import TableName
from stores.redshift import Session, Statement

#: One snapshot for all statements, whatever the database's own default is.
SNAPSHOT = "ISOLATION LEVEL SERIALIZABLE"
#: Numbers of the types on the wire, as Redshift has them from Postgres (``pg_type``).
_TYPES = {
    16: "boolean",
    20: "bigint",
    21: "smallint",
    23: "integer",
    25: "text",
    700: "real",
    701: "double precision",
    1042: "character",
    1043: "character varying",
    1082: "date",
    1083: "time without time zone",
    1114: "timestamp without time zone",
    1184: "timestamp with time zone",
    1266: "time with time zone",
    1700: "numeric",
}
#: Text for a digest, where a cast to VARCHAR is not possible.
_AS_TEXT = {"boolean": "CASE WHEN {} THEN 't' ELSE 'f' END"}


class RedshiftDialect(PostgresDialect):
    """Redshift: no infinite values, no rows as text."""

    def literal(self, value: str, source_type: str) -> str:
        """Moments with their type behind them; a cast would cut texts at 256 bytes and numbers at whole ones."""
        typed = super().literal(value, source_type)
        if source_type.startswith(("date", "time")):
            return typed
        text = typed[: typed.rindex("'") + 1]
        return text if source_type.startswith(("char", "text")) else text.strip("'")

    def without_order(self, name: str, kind: Kind) -> str:  # noqa: ARG002 - the same for all
        """NULL only."""
        return f"{self.quote(name)} IS NULL"

    def digest(self, relation: Relation) -> str:
        """A digest of the columns' digests: their texts together may be longer than a VARCHAR; ``-`` is NULL."""
        parts = [self._digest(column.name, relation.source_types[column.name]) for column in relation.columns]
        return f"MD5({' || '.join(parts)})"

    def _digest(self, name: str, kind: str) -> str:
        column = self.quote(name)
        text = _AS_TEXT.get(kind, "CAST({} AS VARCHAR(65535))").format(column)
        return f"CASE WHEN {column} IS NULL THEN '-' ELSE MD5({text}) END"


class Asking:
    """Asks a session, and gives the answers as the server prints them."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def ask(self, statement: str) -> Iterable[Sequence[str | None]]:
        """Run a query and return its rows as text."""
        self._session.text_columns(Statement(f"SELECT * FROM ({statement}) AS asked LIMIT 0", "look for new rows"))
        rows = self._session.text_rows(Statement(statement, "look for new rows"))
        return [[None if value is None else value.decode() for value in row] for row in rows]

    def relation(self, table: TableName | None, sql: str | None) -> Relation:
        """Return the table or query with its columns.

        Raises:
            UnsupportedValue: a column has a type whose values cannot be compared (SUPER, GEOMETRY …).
        """
        source = table.sql if table else f"(\n{bare_query(sql or '', 'postgres')}\n) AS unloaded_rows"
        found = self._session.text_columns(Statement(f"SELECT * FROM {source} LIMIT 0", "look up the columns"))
        types = {name: _TYPES.get(code, "") for name, code in found}
        if unknown := [name for name, kind in types.items() if not kind]:
            raise UnsupportedValue(
                f"the values of {', '.join(unknown)} cannot be compared; leave them out by --sql, or read all rows"
            )
        if len(types) < len(found):
            raise ParameterError("--sql: two columns have the same name; give each its own")
        columns = tuple(Column(name, {"base": kind}) for name, kind in types.items())
        return Relation(source=source, selection="*", columns=columns, source_types=types)


def query_of(relation: Relation, pieces: Sequence[Piece]) -> str:
    """Return the query for the rows of all pieces; for none of them a query without rows."""
    whole = [piece.condition for piece in pieces if piece.limit is None]
    limited: list[Any] = [piece for piece in pieces if piece.limit is not None]
    selects = [relation.rows(" OR ".join(f"({condition})" for condition in whole if condition))] if whole else []
    selects += [f"SELECT * FROM ({relation.rows(piece.condition, piece.limit)}) AS repeated" for piece in limited]
    return "\nUNION ALL\n".join(selects) or relation.rows("1 = 0")


class Increment:
    """One incremental run: its query, and the mark that is set when its rows are delivered."""

    def __init__(self, session: Session, parameters: ExtractRedshiftParameters, source: str, key: str | None) -> None:
        asking = Asking(session)
        relation = asking.relation(parameters.source, parameters.sql)
        self._marks = MarkStore(mark_address(parameters.state, parameters.output))
        kept = self._marks.read()
        self._increment = increments.Increment(parameters, relation, RedshiftDialect(), asking.ask, kept, source, key)
        self.query = query_of(relation, self._increment.pieces())
        self._document = self._increment.document()
        #: What the result and the manifest tell.
        self.details = self._increment.details()

    def held(self, cancelled: threading.Event) -> AbstractContextManager[None]:
        """Keep other runs with this mark from publishing (``MarkStore.held``)."""
        return self._marks.held(cancelled)

    def keep(self) -> None:
        """Set the mark."""
        self._marks.replace(self._document)
