"""The sampled comparison with the source, inside the transaction of an upsert."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_DOWN

from core.errors import ParameterError
from core.settings import Settings
from steps_impl.quality.report import CheckReport
from steps_impl.quality.sampling import SampleComparison
from steps_impl.quality.sides import SourceRelation, open_source, warehouse_side
from steps_impl.tables.model import Table, TableName
from steps_impl.warehouse.plan import MergeCounts, MergePlan
from steps_impl.warehouse.statements import sampled_rows
from stores.redshift import Session


@dataclass(frozen=True)
class SourceComparison:
    """A check: rows that were just written, as they stand in the target, are looked up in the source.

    Rows are drawn from what this upsert wrote, since only that must agree with the source now; a row of the source
    that lost against another one with the same key is no difference.
    """

    source: SourceRelation
    settings: Settings
    #: Columns that identify a row of the source.
    keys: tuple[str, ...]
    sample_size: int
    #: Set when the step is to stop: what the source is asked by then is broken off.
    cancelled: threading.Event
    #: What the load did with digits beyond a column's scale.
    rounding: str = ROUND_DOWN

    def __call__(self, session: Session, staging: TableName, plan: MergePlan, counts: MergeCounts) -> CheckReport:
        """Draw the sample and compare each column in its canonical form."""
        types = types_of(plan.table, plan.columns, self.keys)
        size = (self.sample_size, counts.unique)
        relation = sampled_rows(plan.table.name, staging, tuple(types), plan.keys, *size)
        with open_source(self.source, self.settings, self.cancelled, types) as source:
            comparison = SampleComparison(source, warehouse_side(session, relation), types, self.keys, self.rounding)
            sample = comparison.from_target(self.sample_size)
        nothing_to_compare = counts.unique == 0
        return CheckReport(
            check="sample against source",
            schema=plan.table.name.schema or "",
            table=plan.table.name.name,
            tolerance=plan.tolerance,
            error_rate=0.0 if nothing_to_compare else sample.error_rate,
            counts={
                "compared": sample.compared,
                "different": sample.different,
                "missing_in_source": sample.missing_in_source,
                "columns": dict(sample.columns),
            },
            finding=sample.finding(),
        )


def types_of(table: Table, columns: Sequence[str], keys: Sequence[str]) -> dict[str, str]:
    """Return the loaded columns with their types, as the comparison wants them.

    Raises:
        ParameterError: a key of the comparison is not loaded.
    """
    if unknown := [key for key in keys if key not in columns]:
        raise ParameterError(f"--compare-keys: {unknown[0]!r} is not a column that is loaded into {table.name}")
    return {name: str(table.column(name).type) for name in columns}
