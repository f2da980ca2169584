"""Fills a staging table from S3 and counts what arrived."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace

from core.errors import DuctrunnerError, LoadRejected, SchemaMismatch, SettingsError, StatementFailed, StoreError
from core.sections.databases import RedshiftSettings
from steps_impl.load.beginnings import told_by
from steps_impl.load.copy_options import CopyOptions, CopyTarget, compression, copy_statement
from steps_impl.load.manifest import LoadInput
from steps_impl.tables.model import Table, TableName, quote
from steps_impl.tables.render import ddl
from stores.redshift import LoadErrors, Session, Statement, connect, load_errors


@dataclass(frozen=True)
class Loaded:
    """What one COPY did, in rows and characters."""

    rows: int
    rejected: int = 0
    #: Lines in which invalid characters were replaced; ``None``: not asked for.
    replaced: int | None = None
    #: Of the rows, those that were left out because they have no key.
    without_key: int = 0


@dataclass(frozen=True)
class CopyDone:
    """A COPY that went through: its rows, its number, and what tells the lines that it left out."""

    rows: int
    query: int
    refused: Callable[[], LoadErrors]


def run_copy(session: Session, statement: Statement, elsewhere: Callable[[], Session]) -> CopyDone:
    """Run a COPY; ``elsewhere`` opens another session, on which the log of refused lines is read.

    The loading session may be in a failed or older transaction, which does not see the log.

    Raises:
        LoadRejected: COPY refused lines; the message names file, line, column and reason, never the data.
        StoreError: the warehouse or S3.
    """
    process, began = session.row(Statement("SELECT pg_backend_pid(), GETDATE()", "begin the load"))

    def refused() -> LoadErrors:
        with elsewhere() as other:
            return load_errors(other, process, began)

    try:
        session.execute(statement)
    except LoadRejected as error:
        raise LoadRejected(f"{error}: {_told(refused)}") from None
    counted, query = session.row(Statement("SELECT pg_last_copy_count(), pg_last_copy_id()", "count the load"))
    return CopyDone(int(counted), int(query), refused)


def _told(refused: Callable[[], LoadErrors]) -> str:
    """Return the refused lines in words; that the log cannot be read must not hide that the load was refused."""
    try:
        return str(refused())
    except StoreError as error:
        return f"which lines it is cannot be told ({error})"


@dataclass(frozen=True)
class Loader:
    """Loads one input; keeps what every attempt of the transaction needs."""

    warehouse: RedshiftSettings
    source: LoadInput
    options: CopyOptions

    def __post_init__(self) -> None:
        """Look for the role before anything is done.

        Raises:
            SettingsError: the configuration names no role that COPY could read S3 with.
        """
        if not self.warehouse.iam_role:
            raise SettingsError("redshift.iam_role is not set: COPY reads S3 with this role; give its ARN or 'default'")

    def statement(self, target: CopyTarget) -> Statement:
        """Return the COPY."""
        files = [file.uri for file in self.source.files]
        return copy_statement(target, self.source.manifest, files, self.warehouse.iam_role or "default", self.options)

    def load(self, session: Session, target: CopyTarget) -> Loaded:
        """Load the files into a table that holds nothing else, and return what arrived.

        Raises:
            LoadRejected: COPY refused rows; the message names file, line, column and reason, never the data.
            StoreError: the warehouse or S3.
        """
        try:
            done = run_copy(session, self.statement(target), lambda: connect(self.warehouse))
        except (LoadRejected, StatementFailed) as error:
            raise type(error)(f"{error}{self._hint()}") from None
        if done.rows and self.options.by_name and self.source.columns is None:
            self._demand_values(session, target, done.rows)
        rejected = done.refused().rejected if self._is_short(done.rows) else 0
        replaced = self._replaced(done.query) if self.options.may_replace else None
        return Loaded(done.rows, rejected, replaced)

    def _hint(self) -> str:
        """Return what the files are by their beginning, or that nobody said it; empty where there is nothing to add."""
        files = [file.uri for file in self.source.files]
        if self.options.instead or not self.source.beginning:
            return ""
        taken_for = compression(self.options, files).lower() or self.options.format
        with suppress(StoreError):
            if what := told_by(self.source.beginning(files[0]), taken_for):
                return f"; {files[0]} was taken for {taken_for}, but {what}"
        assumed = f"; the files were taken for {self.options.format}: if they are not, give --input-format"
        return assumed if self.options.assumed else ""

    def _demand_values(self, session: Session, target: CopyTarget, rows: int) -> None:
        """Refuse objects that have no column at all: COPY makes rows of NULL of them in silence.

        Raises:
            LoadRejected: there is no value.
        """
        if not session.rows(any_value(target)):
            raise LoadRejected(
                f"none of the {rows} objects in the files has a value for {', '.join(target.columns)}: the names in "
                "them have to be those of the columns (items of DynamoDB have to be extracted as plain json)"
            )

    def _is_short(self, rows: int) -> bool:
        return self.options.may_refuse or (self.source.rows is not None and rows < self.source.rows)

    def _replaced(self, copy: int) -> int:
        query = "SELECT COUNT(*) FROM stl_replacements WHERE query = %s"
        with connect(self.warehouse) as session:
            return int(session.row(Statement(query, "count the replaced characters", (copy,)))[0])


def any_value(target: CopyTarget) -> Statement:
    """Return the query that has a row when a loaded column has a value in any row."""
    present = " OR ".join(f"{quote(column)} IS NOT NULL" for column in target.columns)
    return Statement(f"SELECT 1 FROM {target.table.sql} WHERE {present} LIMIT 1", "look for a value")


def staging_name() -> TableName:
    """Return a name that no other attempt has."""
    return TableName(f"stg_{uuid.uuid4().hex}")


def staging_like(name: TableName, target: TableName) -> Statement:
    """Return a temporary table with the columns, NOT NULLs, distribution and sort keys of the target."""
    text = f"CREATE TEMPORARY TABLE {name.sql} (LIKE {target.sql} INCLUDING DEFAULTS)"
    return Statement(text, f"create the staging table for {target}")


def staging_defined(
    name: TableName, table: Table, columns: tuple[str, ...], nullable: Collection[str] = ()
) -> Statement:
    """Return a temporary table with these columns of the definition and the keys that they allow.

    For a target that is not there yet, for one with an IDENTITY column that the warehouse fills (``LIKE`` would make it
    NOT NULL without a value), and where columns have to be ``nullable`` that are not so in the target.
    """
    kept = tuple(
        replace(column, identity=None, not_null=column.not_null and column.name not in nullable)
        for column in table.columns
        if column.name in columns
    )
    dist_key = table.dist_key if table.dist_key in columns else None
    staging = Table(
        name=name,
        columns=kept,
        dist_style=table.dist_style if dist_key or table.dist_style in ("EVEN", "ALL") else None,
        dist_key=dist_key,
        sort_style=table.sort_style if set(table.sort_key) <= set(columns) else None,
        sort_key=table.sort_key if set(table.sort_key) <= set(columns) else (),
        temporary=True,
    )
    return Statement(ddl(staging), f"create the staging table for {table.name}")


def create_staging(
    name: TableName, table: Table, columns: tuple[str, ...], *, exists: bool, nullable: Collection[str] = ()
) -> Statement:
    """Return the statement for a staging table that can take ``columns``, with NULL in the ``nullable`` ones."""
    filled_there = [column.name for column in table.columns if column.identity and column.name not in columns]
    if exists and not filled_there and not nullable:
        return staging_like(name, table.name)
    return staging_defined(name, table, columns, nullable)


def drop_staging(name: TableName) -> Statement:
    """Return the DROP of a staging table."""
    return Statement(f"DROP TABLE {name.sql}", "drop the staging table")


@contextmanager
def dropped_at_the_end(session: Session, name: TableName) -> Iterator[None]:
    """Drop a staging table when the block ends: the server drops it only some time after the session is closed."""
    try:
        yield
    except DuctrunnerError as error:
        try:
            session.execute(drop_staging(name))
        except StoreError as second:  # the session is broken, and its temporary tables end with it
            error.add_note(f"{name} was not dropped ({second})")
        raise
    with suppress(InterruptedError):  # asked to stop after the work is done: the end of the session drops it
        session.execute(drop_staging(name))


def load_columns(table: Table, named: tuple[str, ...] | None) -> tuple[str, ...]:
    """Return the columns that the files hold, in their order.

    Without ``named``: all of the definition except IDENTITY columns, as COPY itself would take them.

    Raises:
        SchemaMismatch: files and definition do not hold the same columns (those with DEFAULT or IDENTITY may miss).
    """
    if not named:
        return tuple(column.name for column in table.columns if not column.identity)
    found = [f"the files hold {name!r}, which the definition does not" for name in named if not table.has(name)]
    found += [f"column {name!r} is named twice" for name in sorted(set(named)) if named.count(name) > 1]
    for column in table.columns:
        if column.name not in named and not column.fills_itself:
            found.append(f"column {column.name!r} is not in the files")
        if column.name in named and column.identity and not column.identity.by_default:
            found.append(
                f"column {column.name!r} is IDENTITY and takes no values (GENERATED BY DEFAULT AS IDENTITY does)"
            )
    if found:
        raise SchemaMismatch(f"table {table.name} and its files do not fit: {'; '.join(found)}")
    return named
