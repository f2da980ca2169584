"""One COPY: file after file into the client's own transaction, all or nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from sandbox.redshift.copy.avro import AvroLoad
from sandbox.redshift.copy.columnar import ColumnarLoad
from sandbox.redshift.copy.columns import Target, find_target
from sandbox.redshift.copy.command import CopyCommand
from sandbox.redshift.copy.faults import BadRecord, BadValue
from sandbox.redshift.copy.file_load import FileLoad, Refused
from sandbox.redshift.copy.named import Find, NamedLoad
from sandbox.redshift.copy.report import Place, Rejected, Report
from sandbox.redshift.copy.sources import Readable, find_values, readable
from sandbox.redshift.errors import SqlError
from sandbox.redshift.upstream import UpstreamError

if TYPE_CHECKING:
    from sandbox.redshift.session import Session

#: SQLSTATE classes of Postgres that speak of a value and not of the system: data exceptions, and NOT NULL.
_ABOUT_DATA: Final = ("22", "23")


class CopyJob:
    """Loads for one session; a transaction is open."""

    def __init__(self, session: Session, copy: CopyCommand) -> None:
        self._session = session
        self._upstream = session.upstream
        self._copy = copy
        self._find: Find | None = None

    def run(self) -> int:
        """Load; return the number of rows.

        Raises:
            SqlError: nothing is loaded, and the transaction has failed or must be rolled back.
            UpstreamError: Postgres failed for a reason that is not in the data.
        """
        target = find_target(self._upstream, self._copy)
        report = Report(self._session.catalog, self._session.database, self._copy, target)
        self._session.running.number(report.query_id)
        try:
            files = readable(self._copy, target.columns)
            rows = self._load_all(files, target, report)
        except Rejected as error:
            failure = self._failure()
            report.keep("aborted", 0, 0, 0, failure.message)
            raise failure from error
        except SqlError as error:
            report.keep("aborted", 0, 0, 0, error.message)
            raise
        self._remember(report.query_id, rows)
        report.keep("completed", rows, sum(file.size for file in files), len(files))
        if report.error_count:
            self._session.inform(
                f"Load into table '{self._copy.table[-1]}' completed, {report.error_count} record(s) could not be "
                "loaded.  Check 'sys_load_error_detail' system table for details."
            )
        return rows

    def _load_all(self, files: list[Readable], target: Target, report: Report) -> int:
        self._find = find_values(self._copy, target.columns)
        if self._copy.columnar:
            columnar = ColumnarLoad(self._upstream, self._copy, target.columns, report, self._session.client.check_open)
            return sum(self._noted(file, report, columnar.load) for file in files)
        if not self._copy.no_load:
            return sum(self._noted(file, report, lambda file: self._load(file, target, report)) for file in files)
        self._upstream.run("SAVEPOINT redshift_noload")
        for file in files:
            self._load(file, target, report)
        self._upstream.run("ROLLBACK TO SAVEPOINT redshift_noload")
        return 0

    def _noted(self, file: Readable, report: Report, load: Callable[[Readable], int]) -> int:
        errors = report.error_count
        rows = load(file)
        report.loaded(file.name, file.size, rows, report.error_count - errors)
        return rows

    def _failure(self) -> SqlError:
        table = self._copy.table[-1]
        return SqlError(f"Load into table '{table}' failed.  Check 'sys_load_error_detail' system table for details.")

    def _remember(self, query_id: int, rows: int) -> None:
        """Keep what ``pg_last_copy_id()`` and ``pg_last_copy_count()`` say; it goes back with the transaction."""
        self._upstream.run(
            f"SELECT set_config('redshift.last_copy_id', '{query_id}', false),"
            f" set_config('redshift.last_copy_count', '{rows}', false)"
        )

    def _attempt(self, file: Readable, target: Target, report: Report, skip: frozenset[int]) -> FileLoad:
        arguments = (self._upstream, self._copy, target.columns, report, file.name, skip)
        if self._find is None:
            return FileLoad(*arguments, self._session.client.check_open)
        kind = AvroLoad if self._copy.avro else NamedLoad
        return kind(*arguments, self._session.client.check_open, self._find)

    def _load(self, file: Readable, target: Target, report: Report) -> int:
        """Load one file: fast, and if Postgres refuses a value once more with every record looked at."""
        forget = report.bookmark()
        refused: dict[int, Refused] = {}
        careful = False
        while True:
            self._upstream.run("SAVEPOINT redshift_copy")
            attempt = self._attempt(file, target, report, frozenset(refused))
            try:
                rows = attempt.run(file.open(), careful=careful)
            except UpstreamError as error:
                if error.fields.get("C", "")[:2] not in _ABOUT_DATA:
                    raise
                self._upstream.run("ROLLBACK TO SAVEPOINT redshift_copy")
                forget()
                if careful:
                    found = attempt.find_refused(error.fields)
                    refused[found.line] = found
                careful = True
                self._repeat(report, file.name, refused)
                continue
            self._upstream.run("RELEASE SAVEPOINT redshift_copy")
            return rows

    def _repeat(self, report: Report, file: str, refused: dict[int, Refused]) -> None:
        """Report again what only Postgres could find wrong."""
        for found in refused.values():
            value = BadValue(1216, f"Invalid value: {found.reason}", public="Invalid value")
            report.refuse(Place(file, found.line, found.record), BadRecord(value, found.column))
