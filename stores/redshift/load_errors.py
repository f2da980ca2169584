"""What COPY refused, by file, line and column, without the rows themselves.

Read from ``sys_load_error_detail`` (Developer Guide: it holds no data values) by our own session's number and the
time at which the load began: ``pg_last_copy_id()`` does not know a COPY whose transaction was rolled back. A warehouse
that does not show that view is asked for ``stl_load_errors``, whose columns of row data are left alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from core.errors import AccessDenied, NotFound
from stores.redshift.faults import without_values
from stores.redshift.session import Session
from stores.sql import Statement

#: Lines named in a message; the rest is counted.
_NAMED = 5
_SYS = {
    "log": "sys_load_error_detail",
    "fields": "file_name, line_number, column_name, column_type, error_message",
    "session": "session_id",
    "time": "start_time",
}
_STL = {
    "log": "stl_load_errors",
    "fields": "filename, line_number, colname, type, err_reason",
    "session": "session",
    "time": "starttime",
}


@dataclass(frozen=True)
class LoadErrors:
    """Rejected lines of one load: how many, and the first ones in words."""

    rejected: int
    first: tuple[str, ...]

    def __str__(self) -> str:
        more = self.rejected - len(self.first)
        return "; ".join(self.first) + (f"; and {more} more" if more > 0 else "")


def load_errors(session: Session, process_id: int, since: datetime) -> LoadErrors:
    """Return what was refused in the session ``process_id`` since a moment of the warehouse's clock.

    ``session`` is another one when the load runs in an open transaction, whose snapshot may be older than the log.

    Raises:
        StoreError: neither log can be read.
    """
    try:
        return _read(session, _SYS, (process_id, since))
    except (NotFound, AccessDenied):
        return _read(session, _STL, (process_id, since))


def _read(session: Session, log: dict[str, str], parameters: tuple[Any, ...]) -> LoadErrors:
    fields = log["fields"]
    where = f"WHERE {log['session']} = %s AND {log['time']} >= %s"
    file, line = fields.split(", ")[:2]
    counted = f"SELECT COUNT(*) FROM (SELECT DISTINCT {file}, {line} FROM {log['log']} {where}) AS lines"
    details = f"SELECT {fields} FROM {log['log']} {where} ORDER BY {log['time']}, {file}, {line} LIMIT {_NAMED}"
    rejected = int(session.row(Statement(counted, "count the rejected lines", parameters))[0])
    rows = session.rows(Statement(details, "read the load errors", parameters)) if rejected else []
    return LoadErrors(rejected, tuple(_in_words(*row) for row in rows))


def _in_words(file: str, line: int, column: str | None, column_type: str | None, message: str | None) -> str:
    place = f"{(file or '').strip()} line {line}"
    what = f", column {column.strip()} ({(column_type or '').strip()})" if column and column.strip() else ""
    return f"{place}{what}: {without_values((message or 'no reason given').strip())}"
