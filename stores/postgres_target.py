"""Postgres as a target: statements and COPY from a stream, in one transaction."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import psycopg2
from psycopg2 import errorcodes

from core.sections.databases import PostgresSettings
from stores.postgres import Link, open_link
from stores.reaching import until_reached
from stores.redshift.faults import reason_of, statement_fault
from stores.rejections import Rejected

if TYPE_CHECKING:
    import psycopg2.extensions

_BUFFER = 1 << 20
#: ``COPY items, line 3, column price: "abc"``: where COPY was when it failed.
_PLACE = re.compile(r"COPY .*?, line (\d+)(?:, column (.+?)(?:: (?:\".*|null input)|$))?", re.DOTALL)
_ABOUT_A_ROW = ("22", "23")


class Target(Link):
    """An open connection in one transaction; what was not committed when it closes is undone. Times are in UTC."""

    def execute(self, statement: str | bytes, doing: str, values: Sequence[Any] = ()) -> int:
        """Run a statement and return the number of rows that it touched.

        Raises:
            Rejected: a value or a row was refused.
            StoreError: typed by SQLSTATE.
        """
        return int(self._run(statement, doing, values).rowcount)

    def rows(self, query: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Run a query with a small answer and return its rows."""
        rows: list[tuple[Any, ...]] = self._run(query, "run a query", values).fetchall()
        return rows

    def copy_in(self, statement: str, pieces: Iterable[bytes]) -> int:
        """Run ``COPY … FROM STDIN`` over a stream and return the number of rows.

        Raises:
            Rejected: a row was refused.
            StoreError: typed by SQLSTATE.
            Exception: whatever ``pieces`` raises.
        """
        cursor = self._link.cursor()
        stream = _Stream(iter(pieces))
        try:
            cursor.copy_expert(statement, stream, _BUFFER)  # type: ignore[arg-type]  # it never calls readline
        except psycopg2.Error as error:
            if stream.failure is not None:
                raise stream.failure from None
            self._raise(error, "copy rows in")
        return int(cursor.rowcount)

    def commit(self) -> None:
        """Make everything visible at once."""
        try:
            self._link.commit()
        except psycopg2.Error as error:
            self._raise(error, "commit")

    def rollback(self) -> None:
        """Undo everything since the last commit."""
        try:
            self._link.rollback()
        except psycopg2.Error as error:
            raise statement_fault(error, self.where, "roll back") from None

    def _run(self, statement: str | bytes, doing: str, values: Sequence[Any]) -> Any:
        cursor = self._link.cursor()
        try:
            cursor.execute(statement, tuple(values) or None)
        except psycopg2.Error as error:
            self._raise(error, doing)
        return cursor

    def _raise(self, error: psycopg2.Error, doing: str) -> None:
        if rejected := rejection(error):
            raise rejected from None
        raise statement_fault(error, self.where, doing) from None


class _Stream:
    """A file for COPY to read, over pieces of any size; keeps what they raise, which psycopg2 turns into text."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = iter(pieces)
        self._rest = memoryview(b"")
        self.failure: BaseException | None = None

    def read(self, size: int = _BUFFER, /) -> bytes:
        """Return up to ``size`` bytes; none at the end. A piece that fits is handed on as it is."""
        try:
            while not self._rest:
                piece = next(self._pieces)
                if piece and len(piece) <= size:
                    return piece
                self._rest = memoryview(piece)
        except StopIteration:
            return b""
        except BaseException as error:
            self.failure = error
            raise
        part, self._rest = self._rest[:size], self._rest[size:]
        return bytes(part)


def rejection(error: psycopg2.Error) -> Rejected | None:
    """Return what an error tells about a row; nothing when it is about something else."""
    if not (error.pgcode or "").startswith(_ABOUT_A_ROW):
        return None
    match = _PLACE.search(error.diag.context or "")
    return Rejected(int(match[1]) if match else None, (match and match[2]) or error.diag.column_name, _reason(error))


def _reason(error: psycopg2.Error) -> str:
    message = error.diag.message_primary or ""
    if error.pgcode == errorcodes.BAD_COPY_FILE_FORMAT:
        missing = re.search(r'missing data for column "(.*)"', message)
        return f"it has no value for the column {missing[1]}" if missing else "it has too many values"
    return reason_of(error.pgcode or "", message)


def connect(settings: PostgresSettings, retries: int = 2, options: Mapping[str, Any] | None = None) -> Target:
    """Connect to write; ``options`` are psycopg2's.

    Raises:
        AccessDenied: user or password refused; never tried again.
        NotFound: the database is not there.
        StoreUnreachable: no connection after ``retries`` further attempts.
    """
    target: Target = until_reached(retries)(open_link, Target, settings, None, options or {})
    return target
