"""Where the rows of an upsert come from: files in S3, a table or a query of the warehouse."""

from __future__ import annotations

from collections.abc import Callable

from core.settings import RedshiftSettings
from steps_impl.load.copy_options import CopyOptions, CopyTarget
from steps_impl.load.counts import arrival_report
from steps_impl.load.manifest import LoadInput
from steps_impl.load.staging import Loaded, Loader
from steps_impl.quality.report import CheckReport
from steps_impl.queries import bare_query
from steps_impl.tables.reader import TokenReader
from steps_impl.warehouse.plan import MergePlan
from steps_impl.warehouse.statements import fill_from_query, fill_from_table
from stores.redshift import Session, Statement

#: Fills a staging table, whose name it is given; returns what arrived and the reports about it.
Fill = Callable[[Session, str], tuple[Loaded, list[CheckReport]]]


def filled_from_files(plan: MergePlan, warehouse: RedshiftSettings, files: LoadInput, options: CopyOptions) -> Fill:
    """Return what loads files by COPY and compares the rows that arrived with those that the extract counted."""
    loader = Loader(warehouse, files, options)

    def fill(session: Session, staging: str) -> tuple[Loaded, list[CheckReport]]:
        loaded = loader.load(session, CopyTarget(staging, plan.columns))
        return loaded, [arrival_report(plan.table.name, files, loaded, plan.tolerance)]

    return fill


def filled_from_warehouse(plan: MergePlan, table: str | None, query: str | None) -> Fill:
    """Return what inserts the rows of a table or of a query, columns by name."""
    if table is not None:
        source = TokenReader(table).table_name()

        def statement_for(staging: str) -> Statement:
            return fill_from_table(staging, source, plan.columns)
    else:
        text = bare_query(query or "", "postgres")

        def statement_for(staging: str) -> Statement:
            return fill_from_query(staging, text, plan.columns)

    def fill(session: Session, staging: str) -> tuple[Loaded, list[CheckReport]]:
        return Loaded(session.execute(statement_for(staging))), []

    return fill
