"""Where the rows of an upsert come from: files in S3, a table or a query of the warehouse."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from core.errors import DefinitionError, NotFound, ParameterError, SchemaMismatch
from core.sections.databases import RedshiftSettings
from steps_impl.load.copy_options import CopyOptions, CopyTarget
from steps_impl.load.counts import arrival_report
from steps_impl.load.manifest import LoadInput
from steps_impl.load.staging import Loaded, Loader
from steps_impl.quality.report import CheckReport
from steps_impl.queries import bare_query
from steps_impl.tables.model import Table, TableName
from steps_impl.tables.reader import TokenReader
from steps_impl.tables.tokens import statements_in
from steps_impl.warehouse.plan import MergePlan
from steps_impl.warehouse.statements import fill_from_query, fill_from_table, no_rows_of
from steps_impl.warehouse.window import Window
from stores.redshift import Session, Statement
from stores.s3 import S3Store

#: Bytes of the largest script that is read.
_LIMIT = 1 << 20

#: Fills a staging table: given its name and whether the target is there, returns what arrived and the reports about it.
Fill = Callable[[Session, TableName, bool], tuple[Loaded, list[CheckReport]]]


@dataclass(frozen=True)
class WarehouseSource:
    """A table or a query of the warehouse, and which of its rows are taken."""

    table: TableName | None
    query: str | None
    #: A condition that they fulfil, without WHERE.
    condition: str | None = None
    window: Window | None = None

    @classmethod
    def of(cls, table: str | None, query: str | None, condition: str | None, window: Window | None) -> WarehouseSource:
        """Return the source as its texts say."""
        name = TokenReader(table).table_name() if table else None
        return cls(name, bare_query(query, "postgres") if query else None, condition, window)

    def columns(self, session: Session) -> tuple[str, ...]:
        """Ask the warehouse for the names of the columns.

        Raises:
            StoreError: there is no such table, or the query is wrong.
        """
        relation = self.table.sql if self.table else f"(\n{self.query}\n)"
        return tuple(name.lower() for name in session.columns(no_rows_of(f"{relation} AS source")))

    def statement(self, staging: TableName, plan: MergePlan, *, exists: bool) -> Statement:
        """Return the INSERT into the staging table; ``exists``: whether the target is there."""
        window = self.window.condition(plan.table) if self.window and exists else None
        tail = source_tail(self.condition, window)
        if self.table:
            return fill_from_table(staging, self.table, plan.columns, tail)
        return fill_from_query(staging, self.query or "", plan.columns, tail)


def filled_from_files(plan: MergePlan, warehouse: RedshiftSettings, files: LoadInput, options: CopyOptions) -> Fill:
    """Return what loads files by COPY and compares the rows that arrived with those that the extract counted."""
    loader = Loader(warehouse, files, options)

    def fill(session: Session, staging: TableName, exists: bool) -> tuple[Loaded, list[CheckReport]]:  # noqa: ARG001
        loaded = loader.load(session, CopyTarget(staging, plan.columns))
        return loaded, [arrival_report(plan.table.name, files, loaded, plan.tolerance)]

    return fill


def filled_from_warehouse(plan: MergePlan, source: WarehouseSource) -> Fill:
    """Return what inserts the rows of a table or of a query, columns by name."""

    def fill(session: Session, staging: TableName, exists: bool) -> tuple[Loaded, list[CheckReport]]:
        return Loaded(session.execute(source.statement(staging, plan, exists=exists))), []

    return fill


def source_columns(table: Table, found: tuple[str, ...]) -> tuple[str, ...]:
    """Return which columns of a warehouse source are taken, by name, in its order.

    It may have fewer than the table: the others become NULL or get their DEFAULT. What the warehouse numbers itself
    (IDENTITY) is left out.

    Raises:
        SchemaMismatch: it has a column that the table has not, one twice, or lacks one that may not be NULL.
    """
    faults = [f"the source has {name!r}, which the definition has not" for name in found if not table.has(name)]
    faults += [f"the source has {name!r} twice" for name in sorted(set(found)) if found.count(name) > 1]
    needed = [column for column in table.columns if column.not_null or column.name in table.key]
    lacking = [column.name for column in needed if column.name not in found and not column.fills_itself]
    faults += [f"column {name!r} may not be NULL and is not in the source" for name in lacking]
    if faults:
        raise SchemaMismatch(f"table {table.name} and its source do not fit: {'; '.join(faults)}")
    return tuple(name for name in found if _takes_values(table, name))


def source_tail(condition: str | None, window: str | None) -> str:
    """Return the WHERE of a source: the user's condition and that of a window.

    The bracket closes on a line of its own: a condition may end with a comment.
    """
    conditions = [*([window] if window else []), *([f"(\n{condition}\n)"] if condition else [])]
    return f"WHERE {' AND '.join(conditions)}" if conditions else ""


def _takes_values(table: Table, name: str) -> bool:
    identity = table.column(name).identity
    return identity is None or identity.by_default


def read_query(place: str, store: S3Store) -> str:
    """Return the query of a file or of an object in S3.

    Raises:
        NotFound: no such file or object.
        ParameterError: it is not one query.
    """
    try:
        if place.startswith(("s3://", "s3n://", "s3a://")):
            text = store.get_bytes(place, _LIMIT).decode("utf-8-sig")
        else:
            text = Path(place).expanduser().read_text(encoding="utf-8-sig")
        if statements_in(text) != 1:
            raise ParameterError(f"--source-script: {place} has to hold one query")
    except OSError as error:
        raise NotFound(f"cannot read the script {place}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ParameterError(f"--source-script: {place} is not UTF-8 text") from None
    except DefinitionError as error:
        raise ParameterError(f"--source-script: {place}: {error}") from None
    return text
