"""What COPY refused, by file, line and column, without the rows themselves.

Read from ``sys_load_error_detail`` (Developer Guide: it holds no data values) by our own session's number and the
time at which the load began: ``pg_last_copy_id()`` does not know a COPY whose transaction was rolled back.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from stores.redshift.session import Session
from stores.sql import Statement

#: Lines named in a message; the rest is counted.
_NAMED = 5


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
    """
    where = "WHERE session_id = %s AND start_time >= %s"
    parameters = (process_id, since)
    counted = (
        f"SELECT COUNT(*) FROM (SELECT DISTINCT file_name, line_number FROM sys_load_error_detail {where}) AS lines"
    )
    details = (
        "SELECT file_name, line_number, column_name, column_type, error_message "
        f"FROM sys_load_error_detail {where} ORDER BY start_time, file_name, line_number LIMIT {_NAMED}"
    )
    rejected = int(session.row(Statement(counted, "count the rejected lines", parameters))[0])
    rows = session.rows(Statement(details, "read the load errors", parameters)) if rejected else []
    return LoadErrors(rejected, tuple(_in_words(*row) for row in rows))


def _in_words(file: str, line: int, column: str | None, column_type: str | None, message: str | None) -> str:
    place = f"{(file or '').strip()} line {line}"
    what = f", column {column.strip()} ({(column_type or '').strip()})" if column and column.strip() else ""
    return f"{place}{what}: {(message or 'no reason given').strip()}"
