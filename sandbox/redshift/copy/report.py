"""What a COPY leaves in the catalog: the records it refused, the characters it replaced, and that it ran."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from sandbox.redshift.catalog import Catalog
from sandbox.redshift.clock import now
from sandbox.redshift.copy.columns import Column, Target
from sandbox.redshift.copy.command import CopyCommand
from sandbox.redshift.copy.faults import BadRecord

_LINE_LIMIT: Final = 1024  # characters of raw data that stl_load_errors keeps
_ERRORS: Final = [
    "userid",
    "query",
    "transaction_id",
    "session_id",
    "database_name",
    "tbl",
    "starttime",
    "filename",
    "line_number",
    "colname",
    "type",
    "col_length",
    "position",
    "raw_line",
    "raw_field_value",
    "err_code",
    "err_reason",
    "public_reason",
]
_REPLACEMENTS: Final = [
    "userid",
    "query",
    "slice",
    "tbl",
    "starttime",
    "session",
    "filename",
    "line_number",
    "colname",
    "raw_line",
]
_HISTORY: Final = [
    "user_id",
    "query_id",
    "transaction_id",
    "session_id",
    "database_name",
    "status",
    "table_name",
    "start_time",
    "end_time",
    "data_source",
    "loaded_rows",
    "loaded_bytes",
    "source_file_count",
    "error_count",
    "error_message",
]
_FILES: Final = [
    "userid",
    "query",
    "transaction_id",
    "session_id",
    "database_name",
    "table_name",
    "filename",
    "file_bytes",
    "lines_scanned",
    "errors",
    "curtime",
    "file_format",
]
_TYPE_NAMES: Final = {"bpchar": "char", "jsonb": "super", "bytea": "varbyte"}


class Rejected(Exception):
    """There are as many bad records as the COPY may not have."""


@dataclass(frozen=True)
class Place:
    """A line of a file; lines count from 1."""

    file: str
    line: int
    record: bytes


class Report:
    """Collects while the files are loaded; :meth:`keep` writes, on a connection of its own."""

    def __init__(self, catalog: Catalog, database: str, copy: CopyCommand, target: Target) -> None:
        self._catalog = catalog
        self._database = database
        self._copy = copy
        self._target = target
        self._started = now()
        self._limit = max(copy.max_errors, 1)
        self._errors: list[tuple[Any, ...]] = []
        self._replacements: list[tuple[Any, ...]] = []
        self._files: list[tuple[Any, ...]] = []
        self.query_id = catalog.next_query_id(database)

    @property
    def error_count(self) -> int:
        """The number of records refused so far."""
        return len(self._errors)

    def bookmark(self) -> Callable[[], None]:
        """Return a function that forgets what is reported from now on."""
        errors, replacements = len(self._errors), len(self._replacements)

        def forget() -> None:
            del self._errors[errors:]
            del self._replacements[replacements:]

        return forget

    def loaded(self, file: str, size: int, rows: int, errors: int) -> None:
        """Note a file that has been read; ``size`` is in bytes."""
        target = self._target
        head = (target.user_id, self.query_id, target.transaction_id, target.session_id, self._database)
        body = (self._copy.table[-1], file, size, rows + errors, errors, now(), self._copy.form)
        self._files.append((*head, *body))

    def refuse(self, place: Place, bad: BadRecord) -> None:
        """Note a bad record.

        Raises:
            Rejected: that was one too many.
        """
        target, value = self._target, bad.value
        head = (target.user_id, self.query_id, target.transaction_id, target.session_id, self._database, target.oid)
        where = (self._started, place.file, place.line, *_describe(bad.column), value.position)
        raw = (_shown(place.record), _shown(bad.field))
        self._errors.append((*head, *where, *raw, value.code, value.reason[:100], value.public[:512]))
        if len(self._errors) >= self._limit:
            raise Rejected

    def replaced(self, place: Place, column: Column) -> None:
        """Note that ACCEPTINVCHARS changed a field."""
        target = self._target
        head = (target.user_id, self.query_id, 0, target.oid, self._started, target.session_id)
        self._replacements.append((*head, place.file, place.line, column.name, _shown(place.record)))

    def keep(self, status: str, rows: int, size: int, files: int, message: str = "") -> None:
        """Write everything; ``size`` is in bytes."""
        target, catalog, database = self._target, self._catalog, self._database
        catalog.keep(database, "redshift_load_errors", _ERRORS, self._errors)
        catalog.keep(database, "redshift_load_files", _FILES, self._files)
        catalog.keep(database, "stl_replacements", _REPLACEMENTS, self._replacements)
        head = (target.user_id, self.query_id, target.transaction_id, target.session_id, database, status)
        body = (self._copy.table[-1], self._started, now(), self._copy.source, rows, size, files)
        catalog.keep(
            database, "redshift_load_history", _HISTORY, [(*head, *body, self.error_count, message[:1024] or None)]
        )


def _describe(column: Column | None) -> tuple[str, str, str]:
    if column is None:
        return "", "", ""
    length = f"{column.length}, {column.scale}" if column.scale else str(column.length)
    return column.name, _TYPE_NAMES.get(column.type, column.type), length


def _shown(raw: bytes) -> str:
    return raw[: 4 * _LINE_LIMIT].decode("utf-8", "replace").replace("\0", "")[:_LINE_LIMIT]
