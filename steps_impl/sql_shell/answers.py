"""The rows of one query, read in portions and printed as they come."""

from __future__ import annotations

import csv
import itertools
import json
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TextIO

from core.errors import ParameterError
from core.sections.databases import DatabaseLogin, MySqlHost
from steps_impl.queries import bare_query
from stores.sql import Statement

#: Rows of one portion.
_PORTION = 5000
_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})
Row = Sequence[Any]


def print_rows(kind: str, login: DatabaseLogin, sql: str, form: str, target: TextIO = sys.stdout) -> None:
    """Run a query and print its rows, names of the columns first.

    Raises:
        ParameterError: there is no query.
        StoreError: the database refuses it, or cannot be reached.
    """
    query = bare_query(sql, "mysql" if kind == "mysql" else "postgres")
    if not query:
        raise ParameterError("--query holds no query")
    with _answer(kind, login, query) as (names, rows):
        _WRITERS[form](names, rows, target)


@contextmanager
def _answer(kind: str, login: DatabaseLogin, query: str) -> Iterator[tuple[Sequence[str], Iterable[Row]]]:
    """Hand out the names of the columns, and the rows."""
    if isinstance(login, MySqlHost):
        from stores import mysql

        with mysql.connect(login) as connection:
            names = [column.name for column in connection.start_query(query)]
            yield names, _of_mysql(connection)
        return
    from stores.redshift import connect

    with connect(login, title=kind.capitalize()) as session, session.transaction():
        names = list(session.columns(Statement(f"SELECT * FROM ({query}) AS asked LIMIT 0", "run the query")))
        session.execute(Statement(f"DECLARE asked CURSOR FOR {query}", "run the query"))
        yield names, _of_cursor(session)


def _of_mysql(connection: Any) -> Iterator[Row]:
    while rows := connection.fetch(_PORTION):
        for row in rows:
            yield [value if value is None else bytes(value).decode("utf-8", "replace") for value in row]


def _of_cursor(session: Any) -> Iterator[Row]:
    while rows := session.rows(Statement(f"FETCH {_PORTION} FROM asked", "read its rows")):
        yield from rows


def _tsv(names: Sequence[str], rows: Iterable[Row], target: TextIO) -> None:
    for row in itertools.chain([names], rows):
        target.write("\t".join(map(_escaped, row)) + "\n")


def _csv(names: Sequence[str], rows: Iterable[Row], target: TextIO) -> None:
    writer = csv.writer(target, lineterminator="\n")
    writer.writerow(names)
    writer.writerows(rows)


def _json(names: Sequence[str], rows: Iterable[Row], target: TextIO) -> None:
    for row in rows:
        target.write(json.dumps(dict(zip(names, row, strict=True)), default=str, ensure_ascii=False) + "\n")


def _escaped(value: Any) -> str:
    if value is None:
        return "\\N"
    return str(value).translate(_ESCAPES)


_WRITERS: dict[str, Callable[[Sequence[str], Iterable[Row], TextIO], None]] = {
    "csv": _csv,
    "json": _json,
    "tsv": _tsv,
}
