"""The step ``load-cassandra``: files into a Cassandra table, with prepared statements to the replicas themselves.

Cassandra has no transactions over many rows. What makes a load safe to run again is the time that it gives its rows:
``USING TIMESTAMP`` with a time that belongs to the input, not to the run. A row that is written twice with one time is
written once; a row that somebody else wrote later stays. The files are read twice: first all values are read and
counted, so that a bad one changes nothing; then they are written, row n of m with the stated time minus m - n
microseconds, so that the last of several rows with one key wins, and none is later than stated.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from functools import cache, partial
from typing import Literal

from pydantic import Field, field_validator

from core.errors import CheckFailed, ParameterError, SettingsError, StepInterrupted
from core.extras import optional
from core.settings import Settings, load_settings
from steps_impl.activities.copying.lines import Chunk
from steps_impl.contract import ATTEMPT_VARIABLE, StepContext, StepResult
from steps_impl.load.products.cassandra_rows import bound, converted
from steps_impl.load.products.cassandra_table import CassandraTarget, prepare
from steps_impl.load.products.cassandra_writer import Writer
from steps_impl.load.products.inputs import addresses_of, find_files, s3_store
from steps_impl.load.products.parameters import FileParameters
from steps_impl.load.products.rows import file_format, read_rows
from steps_impl.registry import Step
from stores.cassandra.session import Session, connect
from stores.cassandra.values import BadValue, milliseconds

#: ``@Load_2026-01-31T02:00:00_Attempt=1``: the id of an attempt holds when its instance was scheduled.
_SCHEDULED = re.compile(r"_(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:_Attempt=\d+)?$")
#: Digits from which a number of --write-timestamp is microseconds, as CQL's; fewer are milliseconds.
_MICROSECONDS = 15
#: Rows between two reports.
_REPORT = 1000


class LoadCassandraParameters(FileParameters):
    """Parameters of ``load-cassandra``."""

    table: str = Field(min_length=1, description="the table, with its keyspace or without; odd names in double quotes")
    write_timestamp: str | None = Field(
        default=None,
        description="the time that the rows are as of: ISO 8601 (UTC), or microseconds since 1970; the same for each "
        "run over the same files; default: when the task's instance was scheduled",
    )
    nulls: Literal["unset", "tombstone"] = Field(
        default="unset", description="NULL: leave the column as it is, or delete its value (which costs reads later)"
    )
    ttl: int | None = Field(default=None, ge=1, le=630_720_000, description="seconds that the rows live; default: ever")
    rate: float | None = Field(default=None, gt=0, description="rows a second at most; default: as fast as it goes")
    in_flight: int = Field(default=128, ge=1, le=10_000, description="rows that are on their way at the same time")

    @field_validator("write_timestamp")
    @classmethod
    def _a_time(cls, text: str | None) -> str | None:
        if text is not None:
            try:
                microseconds(text)
            except BadValue as bad:
                raise ValueError(f"{bad}; or microseconds since 1970") from None
        return text


def run(parameters: LoadCassandraParameters, context: StepContext) -> StepResult:
    """Load the files.

    Raises:
        ParameterError, SettingsError, SchemaMismatch: cluster, table, column or time; nothing was written.
        LoadRejected, DataError, CheckFailed: the files; nothing was written (but where the server refuses a row).
        StoreError: the cluster, after several tries. What was written stays; a rerun writes the same.
        StepInterrupted: the step was cancelled. What was written stays; a rerun writes the same.
    """
    settings = load_settings(environment=context.environment)
    if settings.cassandra is None:
        raise SettingsError("the configuration has no cassandra section; add one with contact_points")
    last = _time(parameters, context.environment)
    s3 = cache(partial(s3_store, settings.etl.region))
    source = find_files(addresses_of(parameters.input, context.environment), s3)
    with _session(settings) as session:
        given = parameters.columns or source.names
        if not given and (parameters.input_format or source.format) != "json":
            raise ParameterError(
                "--columns: say which columns the files hold, in order: a table of Cassandra has none that is kept"
            )
        keyspace = settings.cassandra.keyspace
        target = prepare(session, keyspace, parameters.table, given, expires=parameters.ttl is not None)
        form = file_format(parameters, source, target.columns)
        load = _Load(parameters, session, target, lambda: read_rows(source.files, form, s3), context)
        rows = load.count()
        writer = load.write(rows, last)
    details = {"table": target.name, "files": len(source.files), "write_timestamp": last, "sent_again": writer.retries}
    return StepResult(rows=rows, bytes=source.bytes, details=details)


class _Load:
    def __init__(
        self,
        parameters: LoadCassandraParameters,
        session: Session,
        target: CassandraTarget,
        read: Callable[[], Iterator[Chunk]],
        context: StepContext,
    ) -> None:
        self._parameters, self._session, self._target = parameters, session, target
        self._read, self._context = read, context

    def count(self) -> int:
        """Read all values and return the number of rows; nothing is written yet."""
        rows = 0
        for rows, _ in enumerate(converted(self._read(), self._target), 1):
            if rows % _REPORT == 0:
                self._report("check", rows)
        return rows

    def write(self, total: int, last: int) -> Writer:
        """Write all rows, the last of them with the time ``last`` in microseconds."""
        parameters = self._parameters
        writer = Writer(self._session, parameters.in_flight, parameters.rate, self._context.cancelled)
        unset = optional("cassandra.query").UNSET_VALUE if parameters.nulls == "unset" else None
        expiry = [] if parameters.ttl is None else [parameters.ttl]
        number = 0
        try:
            for number, row in enumerate(converted(self._read(), self._target), 1):
                tail = [last - total + number, *expiry]
                writer.write(self._target.statement.bind(bound(row, unset, tail)), row.place)
                if number % _REPORT == 0:
                    self._report("load", number)
            writer.finish()
        except InterruptedError:
            raise StepInterrupted(
                f"load-cassandra was asked to stop (SIGTERM) after {number - 1} rows of {total}; those that are "
                "written stay, and a rerun writes the same and the rest"
            ) from None
        finally:
            writer.settle()
        if number != total:
            raise CheckFailed(f"the files for {self._target.name} changed while they were loaded; run the step again")
        return writer

    def _report(self, phase: str, rows: int) -> None:
        if self._context.cancelled.is_set():
            raise InterruptedError("cancelled while loading")
        self._context.reporter.progress(phase, rows=rows)


def microseconds(text: str) -> int:
    """Return ``--write-timestamp`` in microseconds since 1970.

    Raises:
        BadValue: it is no time.
    """
    if text.isascii() and text.isdigit() and len(text) >= _MICROSECONDS:
        return int(text)
    return milliseconds(text) * 1000


def _time(parameters: LoadCassandraParameters, environment: Mapping[str, str]) -> int:
    if parameters.write_timestamp is not None:
        return microseconds(parameters.write_timestamp)
    if match := _SCHEDULED.search(environment.get(ATTEMPT_VARIABLE, "")):
        return int(datetime.fromisoformat(match[1]).replace(tzinfo=UTC).timestamp()) * 1_000_000
    raise ParameterError(
        "--write-timestamp: say as of when the rows are, for example when they were extracted; a rerun needs the same "
        "time, or it would overwrite what was written since"
    )


def _session(settings: Settings) -> Session:
    assert settings.cassandra is not None
    return connect(settings.cassandra, settings.etl.connection_retries)


STEP = Step(
    name="load-cassandra",
    summary="Load files into a Cassandra table; a rerun changes nothing, and later writes of others stay.",
    parameters=LoadCassandraParameters,
    run=run,
)
