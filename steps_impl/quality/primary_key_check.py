"""``primary-key-check``: no two rows of a warehouse table share their key, and no part of a key is NULL.

Redshift declares primary keys and never enforces them, yet its planner trusts them: duplicates give wrong query
results (redshift.md §4). Dataduct's check counts duplicated keys and overlooks NULLs.
"""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import Field

from core.errors import ParameterError
from core.settings import load_settings
from steps_impl.contract import StepContext, StepResult
from steps_impl.quality.relations import defined_table, warehouse_settings
from steps_impl.quality.report import CheckParameters, CheckReport, conclude
from steps_impl.registry import Step
from steps_impl.tables.model import quote
from stores.redshift import Session, Statement, connect


class PrimaryKeyCheckParameters(CheckParameters):
    """What primary-key-check is told."""

    tolerance: float = Field(default=0.0, ge=0, description="number of violated keys that still passes")
    table_definition: str = Field(description="the table's definition: a file, an s3:// object or its text")
    keys: tuple[str, ...] = Field(default=(), description="key columns; default: the definition's primary key")


def run(parameters: PrimaryKeyCheckParameters, context: StepContext) -> StepResult:
    """Count the violations of the key and conclude as the parameters say.

    Raises:
        ParameterError: the table has no key.
        CheckFailed: more violations than the tolerance, and the step is to fail.
        StoreError: the warehouse refuses or cannot be reached.
    """
    settings = load_settings(environment=context.environment)
    table = defined_table(parameters.table_definition, settings)
    keys = tuple(key.lower() for key in parameters.keys) or table.key
    if not keys or any(not table.has(key) for key in keys):
        raise ParameterError(f"{table.name} has no such key; define a PRIMARY KEY or give --keys with its columns")
    with connect(warehouse_settings(settings), cancelled=context.cancelled) as session:
        duplicated, surplus, incomplete = violations(session, table.name.sql, keys)
    report = CheckReport(
        check="primary-key-check",
        schema=table.name.schema or "public",
        table=table.name.name,
        tolerance=parameters.tolerance,
        error_rate=float(duplicated + incomplete),
        counts={"duplicated_keys": duplicated, "surplus_rows": surplus, "rows_with_null_key": incomplete},
        finding=f"{duplicated} keys occur more than once, {incomplete} rows have a NULL in their key",
    )
    return conclude(report, parameters, settings, context)


def violations(session: Session, relation: str, keys: Sequence[str]) -> tuple[int, int, int]:
    """Return the number of duplicated keys, of rows beyond the first of each, and of rows with a NULL key part."""
    duplicated, surplus = session.row(Statement(duplicates_sql(relation, keys), "count duplicate keys"))
    (incomplete,) = session.row(Statement(null_keys_sql(relation, keys), "count rows with a NULL key"))
    return int(duplicated), int(surplus), int(incomplete)


def duplicates_sql(relation: str, keys: Sequence[str]) -> str:
    """Return the query for the number of duplicated keys and of their surplus rows."""
    columns = ", ".join(map(quote, keys))
    return (
        "SELECT COUNT(*), COALESCE(SUM(occurrences - 1), 0) FROM ("
        f"SELECT COUNT(*) AS occurrences FROM {relation} GROUP BY {columns} HAVING COUNT(*) > 1) AS duplicated"
    )


def null_keys_sql(relation: str, keys: Sequence[str]) -> str:
    """Return the query for the number of rows with a NULL in their key."""
    return f"SELECT COUNT(*) FROM {relation} WHERE {' OR '.join(f'{quote(key)} IS NULL' for key in keys)}"


STEP = Step(
    name="primary-key-check",
    summary="Check that no two rows of a warehouse table share their key.",
    parameters=PrimaryKeyCheckParameters,
    run=run,
)
