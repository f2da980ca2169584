"""The sampled comparison with the source, inside the transaction of a load: rows as they stand in the target."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import ROUND_DOWN, ROUND_HALF_UP

from core.errors import ParameterError
from core.settings import Settings
from steps_impl.contract import StepContext
from steps_impl.quality.inside import LoadCheck, Loading
from steps_impl.quality.inside_parameters import InsideCheckParameters
from steps_impl.quality.report import CheckReport
from steps_impl.quality.sampling import SampleComparison
from steps_impl.quality.sides import SourceRelation, check_known, open_source, warehouse_side
from steps_impl.tables.model import Table
from steps_impl.warehouse.statements import sampled_rows

#: Returns what stands behind FROM for the rows that a load has just written: (load, columns, size of the sample).
Relation = Callable[[Loading, Sequence[str], int], str]


@dataclass(frozen=True)
class Written:
    """What a load writes."""

    table: Table
    #: The columns that it fills, in order.
    columns: Sequence[str]
    #: The keys by which a row is looked up in the source, unless others are stated.
    keys: Sequence[str]
    #: The rows; ``None``: not all that were read, and nothing tells which.
    rows: Relation | None
    #: Whether decimals that have too many digits are rounded (else cut).
    rounds: bool = False

    def types(self, keys: Sequence[str]) -> dict[str, str]:
        """Return the columns with their types, as the comparison by these keys wants them.

        Raises:
            ParameterError: a key is not loaded, or there is none.
        """
        if not keys:
            raise ParameterError(f"--compare-keys: {self.table.name} has no key; name the columns that identify a row")
        if unknown := [key for key in keys if key not in self.columns]:
            raise ParameterError(
                f"--compare-keys: {unknown[0]!r} is not a column that is loaded into {self.table.name}"
            )
        return {name: str(self.table.column(name).type) for name in self.columns}


def whole_target(loading: Loading, columns: Sequence[str], size: int) -> str:  # noqa: ARG001
    """The load wrote every row of its table."""
    return loading.table.name.sql


def staged(loading: Loading, columns: Sequence[str], size: int) -> str:  # noqa: ARG001
    """The load added the staged rows to others that no key tells from them."""
    return loading.staging.sql


def found_by(keys: Sequence[str]) -> Relation:
    """The load wrote the rows of the table whose key was staged."""

    def rows(loading: Loading, columns: Sequence[str], size: int) -> str:
        return sampled_rows(loading.table.name, loading.staging, columns, keys, size, loading.brought)

    return rows


@dataclass(frozen=True)
class SourceComparison:
    """A check: rows that were just written, as they stand in the target, are looked up in the source.

    Rows are drawn from what this load wrote, since only that must agree with the source now; a row of the source that
    lost against another one with the same key is no difference.
    """

    source: SourceRelation
    settings: Settings
    #: Redshift type of each column that was loaded.
    types: dict[str, str]
    #: Columns that identify a row of the source.
    keys: tuple[str, ...]
    rows: Relation
    sample_size: int
    tolerance: float
    #: Set when the step is to stop: what the source is asked by then is broken off.
    cancelled: threading.Event
    #: What the load did with digits beyond a column's scale.
    rounding: str

    def __call__(self, loading: Loading) -> CheckReport:
        """Draw the sample and compare each column in its canonical form."""
        relation = self.rows(loading, tuple(self.types), self.sample_size)
        with open_source(self.source, self.settings, self.cancelled, self.types) as source:
            target = warehouse_side(loading.session, relation)
            comparison = SampleComparison(source, target, self.types, self.keys, self.rounding)
            sample = comparison.from_target(self.sample_size)
        schema, table = loading.place
        return CheckReport(
            check="sample against source",
            schema=schema,
            table=table,
            tolerance=self.tolerance,
            error_rate=sample.error_rate if loading.brought else 0.0,
            counts={
                "compared": sample.compared,
                "different": sample.different,
                "missing_in_source": sample.missing_in_source,
                "columns": dict(sample.columns),
            },
            finding=sample.finding(),
        )


def source_checks(
    parameters: InsideCheckParameters, written: Written, settings: Settings, context: StepContext
) -> list[LoadCheck]:
    """Return the comparison with the source where it is asked for.

    Raises:
        ParameterError: the source is not known, or nothing tells the rows or their keys.
    """
    if parameters.compare_with is None:
        return []
    if written.rows is None:
        raise ParameterError("--compare-host needs a mode that writes every row, whether it is new or not")
    check_known(parameters.compare_with, settings)
    keys = tuple(parameters.compare_keys or written.keys)
    check = SourceComparison(
        source=parameters.compare_with,
        settings=settings,
        types=written.types(keys),
        keys=keys,
        rows=written.rows,
        sample_size=parameters.sample_size,
        tolerance=parameters.tolerance,
        cancelled=context.cancelled,
        rounding=ROUND_HALF_UP if written.rounds else ROUND_DOWN,
    )
    return [check]
