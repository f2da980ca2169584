"""A Cassandra table as its cluster describes it, and the statement that writes one row of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from core.errors import NotFound, ParameterError
from steps_impl.activities.copying.relations import split_name
from steps_impl.load.products.columns import chosen
from stores.cassandra.session import Session
from stores.cassandra.values import Converter, converter


@dataclass(frozen=True)
class CassandraTarget:
    """Where rows go: the prepared statement, and for each value of a row its column and how it is read."""

    name: str
    columns: tuple[str, ...]
    converters: tuple[Converter, ...]
    #: Places of the columns of the primary key.
    keys: tuple[int, ...]
    statement: Any


def prepare(
    session: Session, keyspace: str | None, table: str, given: Sequence[str] | None, *, expires: bool
) -> CassandraTarget:
    """Return the target for rows that hold the ``given`` columns, else (where names go with the values) all of them.

    Raises:
        NotFound: the table is not there.
        ParameterError: no keyspace is known, the table holds counters, or its key is not in the files.
        SchemaMismatch: the table has no such column.
    """
    described = _described(session, keyspace, table)
    name = f"{described.keyspace_name}.{described.name}"
    where = f"{session.where}, table {name}"
    kinds = {column.name: column.cql_type for column in described.columns.values()}
    if "counter" in kinds.values():
        raise ParameterError(f"{where} holds counters, which cannot be set; load another table")
    columns = chosen(given, list(kinds), (), where)
    keys = [column.name for column in described.primary_key]
    if missing := [key for key in keys if key not in columns]:
        raise ParameterError(f"the files for {where} do not hold the key {', '.join(missing)}; see --columns")
    prepared = session.prepare(insert(described.keyspace_name, described.name, columns, expires=expires))
    types = [column.type for column in prepared.column_metadata[: len(columns)]]
    return CassandraTarget(
        name=name,
        columns=columns,
        converters=tuple(_converter(kind, column, where) for kind, column in zip(types, columns, strict=True)),
        keys=tuple(columns.index(key) for key in keys),
        statement=prepared,
    )


def insert(keyspace: str, table: str, columns: Sequence[str], *, expires: bool) -> str:
    """Return the INSERT of one row with the time of its writing, and how long it lives if it ``expires``."""
    names = ", ".join(map(quote, columns))
    places = ", ".join("?" * len(columns))
    using = "USING TIMESTAMP ?" + (" AND TTL ?" if expires else "")
    return f"INSERT INTO {quote(keyspace)}.{quote(table)} ({names}) VALUES ({places}) {using}"


def quote(name: str) -> str:
    """Return an identifier in double quotes."""
    return '"' + name.replace('"', '""') + '"'


def _described(session: Session, keyspace: str | None, table: str) -> Any:
    """Return the table that is called so as it stands, or in small letters, as CQL stores what has no quotes."""
    schema, bare = split_name(table)
    space = schema or keyspace
    if space is None:
        raise ParameterError("--table: write keyspace.table, or name a keyspace in the configuration")
    try:
        return session.table(space, bare)
    except NotFound:
        return session.table(space.lower(), bare.lower())


def _converter(kind: Any, column: str, where: str) -> Converter:
    try:
        return converter(kind)
    except NotImplementedError as error:
        raise ParameterError(f"{where}, column {column}: values of type {error} cannot be loaded from text") from None
