"""The rows of one query, read in portions and printed as they come."""

from __future__ import annotations

import itertools
import json
import math
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TextIO

from core.errors import ParameterError
from core.sections.databases import DatabaseLogin, MySqlHost
from steps_impl.queries import bare_query
from stores import mysql
from stores.sql import Statement

#: Rows of one portion.
_PORTION = 5000
_TO_QUOTE = re.compile(r'[,"\r\n]')
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
        WRITERS[form](names, rows, target)


@contextmanager
def _answer(kind: str, login: DatabaseLogin, query: str) -> Iterator[tuple[Sequence[str], Iterable[Row]]]:
    """Hand out the names of the columns, and the rows."""
    if isinstance(login, MySqlHost):
        with mysql.connect(login) as connection:
            connection.rows("SET SESSION TRANSACTION READ ONLY")  # as a cursor is; CREATE and DROP are refused, too
            columns = connection.start_query(query)
            yield [column.name for column in columns], _of_mysql(connection, [_reader(column) for column in columns])
        return
    from stores.redshift import connect

    with connect(login, title=kind.capitalize()) as session, session.transaction():
        names = list(session.columns(Statement(f"SELECT * FROM ({query}) AS asked LIMIT 0", "run the query")))
        session.execute(Statement(f"DECLARE asked CURSOR FOR {query}", "run the query"))
        yield names, _of_cursor(session)


def _of_mysql(connection: mysql.Connection, readers: Sequence[Callable[[bytes], Any]]) -> Iterator[Row]:
    while rows := connection.fetch(_PORTION):
        for row in rows:
            yield [value if value is None else read(value) for read, value in zip(readers, row, strict=True)]


def _reader(column: mysql.Column) -> Callable[[bytes], Any]:
    return _number if column.type == "bit" else _words


def _number(value: bytes) -> int:
    return int.from_bytes(value, "big")


def _words(value: bytes) -> str | bytes:
    """Return text; what is none stays bytes (CHAR and many a function of MySQL return texts as BINARY)."""
    try:
        return bytes(value).decode("utf-8") if b"\0" not in value else bytes(value)
    except UnicodeDecodeError:
        return bytes(value)


def _of_cursor(session: Any) -> Iterator[Row]:
    while rows := session.rows(Statement(f"FETCH {_PORTION} FROM asked", "read its rows")):
        yield from rows


def _tsv(names: Sequence[str], rows: Iterable[Row], target: TextIO) -> None:
    for row in itertools.chain([names], rows):
        target.write("\t".join(map(_escaped, row)) + "\n")


def _csv(names: Sequence[str], rows: Iterable[Row], target: TextIO) -> None:
    for row in itertools.chain([names], rows):
        target.write(",".join(map(_quoted, row)) + "\n")


def _json(names: Sequence[str], rows: Iterable[Row], target: TextIO) -> None:
    for row in rows:
        told = {name: value if _in_json(value) else _text(value) for name, value in zip(names, row, strict=True)}
        target.write(json.dumps(told, default=_text, ensure_ascii=False) + "\n")


def _in_json(value: Any) -> bool:
    if isinstance(value, float):
        return math.isfinite(value)
    return value is None or isinstance(value, int | str | dict | list)


def _escaped(value: Any) -> str:
    return "\\N" if value is None else _text(value).translate(_ESCAPES)


def _quoted(value: Any) -> str:
    """Return a field of CSV; an empty text stands in quotes, which tells it from NULL."""
    if value is None:
        return ""
    text = _text(value)
    return text if text and not _TO_QUOTE.search(text) else '"' + text.replace('"', '""') + '"'


def _text(value: Any) -> str:
    """Return a value as text: bytes as hexadecimal digits, arrays and objects as JSON."""
    if isinstance(value, bytes | memoryview):
        return f"\\x{bytes(value).hex()}"
    if isinstance(value, dict | list):
        return json.dumps(value, default=_text, ensure_ascii=False)
    return str(value).lower() if isinstance(value, bool) else str(value)


WRITERS: dict[str, Callable[[Sequence[str], Iterable[Row], TextIO], None]] = {
    "csv": _csv,
    "json": _json,
    "tsv": _tsv,
}
