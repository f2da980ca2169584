"""``primary-key-check``: no two rows share their key, and no part of a key is NULL, on any host.

Redshift declares primary keys and never enforces them, yet its planner trusts them: duplicates give wrong query
results (redshift.md §4). Dataduct's check counts duplicated keys and overlooks NULLs. MySQL and Postgres enforce the
key that they know: there a check is for other columns, for views and for queries. What is equal is for the engine to
say: by most of MySQL's collations 'a' is 'A'.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Self

from pydantic import Field, model_validator

from core.errors import ParameterError
from core.settings import Settings, load_settings
from steps_impl.contract import StepContext, StepResult
from steps_impl.quality.engines import End
from steps_impl.quality.engines.end import REDSHIFT_ALIAS
from steps_impl.quality.engines.keys import primary_key
from steps_impl.quality.engines.parameters import RelationParameters
from steps_impl.quality.relations import defined_table, exactly_one
from steps_impl.quality.report import CheckReport, conclude
from steps_impl.registry import Step
from steps_impl.tables.model import Table, quote


class PrimaryKeyCheckParameters(RelationParameters):
    """What primary-key-check is told."""

    tolerance: float = Field(default=0.0, ge=0, description="number of violated keys that still passes")
    table_definition: str | None = Field(
        default=None, description="the table's definition, which names its key: a file, an s3:// object or its text"
    )
    keys: tuple[str, ...] = Field(default=(), description="key columns; default: the table's primary key")

    @model_validator(mode="after")
    def _one_relation(self) -> Self:
        exactly_one(table_definition=self.table_definition, table=self.table, sql=self.sql)
        if self.sql is not None and not self.keys:
            raise ValueError("--sql needs --keys: a query has no primary key")
        return self


def run(parameters: PrimaryKeyCheckParameters, context: StepContext) -> StepResult:
    """Count the violations of the key and conclude as the parameters say.

    Raises:
        ParameterError: there is no such key.
        CheckFailed: more violations than the tolerance, and the step is to fail.
        StoreError: the host refuses or cannot be reached.
    """
    settings = load_settings(environment=context.environment)
    defined = defined_table(parameters.table_definition, settings) if parameters.table_definition else None
    keys = _stated_keys(parameters, defined)
    with parameters.opened(settings, context, _name(parameters, defined, settings)) as (end, relation):
        keys = keys if defined else _found_keys(end, relation, parameters)
        duplicated, surplus = _numbers(end, duplicates_sql(relation, keys, end.quote))
        (incomplete,) = _numbers(end, null_keys_sql(relation, keys, end.quote))
    schema, table = _place(parameters, defined)
    report = CheckReport(
        check="primary-key-check",
        schema=schema,
        table=table,
        tolerance=parameters.tolerance,
        error_rate=float(duplicated + incomplete),
        counts={"duplicated_keys": duplicated, "surplus_rows": surplus, "rows_with_null_key": incomplete},
        finding=f"{duplicated} keys occur more than once, {incomplete} rows have a NULL in their key",
        unit="",
    )
    return conclude(report, parameters, settings, context)


def _stated_keys(parameters: PrimaryKeyCheckParameters, defined: Table | None) -> tuple[str, ...]:
    if defined is None:
        return parameters.keys
    keys = tuple(key.lower() for key in parameters.keys) or defined.key
    if not keys or any(not defined.has(key) for key in keys):
        raise ParameterError(f"{defined.name} has no such key; define a PRIMARY KEY or give --keys with its columns")
    return keys


def _found_keys(end: End, relation: str, parameters: PrimaryKeyCheckParameters) -> tuple[str, ...]:
    """Return the key of a table without a definition as its engine spells it."""
    if not parameters.keys:
        if not (keys := primary_key(end, parameters.table or "")):
            raise ParameterError(f"{parameters.table} has no primary key in {end.where}; give --keys with its columns")
        return keys
    known = {column.name.lower(): column.name for column in end.columns(relation)}
    if unknown := [key for key in parameters.keys if key.lower() not in known]:
        raise ParameterError(f"--keys: there is no {', '.join(unknown)}; there is: {', '.join(sorted(known))}")
    return tuple(known[key.lower()] for key in parameters.keys)


def _name(parameters: PrimaryKeyCheckParameters, defined: Table | None, settings: Settings) -> str | None:
    """Return the name of the defined table as its engine writes it."""
    if defined is None:
        return None
    return str(defined.name) if parameters.host_name in settings.mysql else defined.name.sql


def _place(parameters: PrimaryKeyCheckParameters, defined: Table | None) -> tuple[str, str]:
    if defined is None:
        return parameters.place
    return defined.name.schema or ("public" if parameters.host_name == REDSHIFT_ALIAS else ""), defined.name.name


def _numbers(end: End, query: str) -> list[int]:
    return [int(str(number)) for number in end.rows(query)[0]]


def duplicates_sql(relation: str, keys: Sequence[str], quoted: Callable[[str], str] = quote) -> str:
    """Return the query for the number of duplicated keys and of their surplus rows."""
    columns = ", ".join(map(quoted, keys))
    return (
        "SELECT COUNT(*), COALESCE(SUM(occurrences - 1), 0) FROM ("
        f"SELECT COUNT(*) AS occurrences FROM {relation} GROUP BY {columns} HAVING COUNT(*) > 1) AS duplicated"
    )


def null_keys_sql(relation: str, keys: Sequence[str], quoted: Callable[[str], str] = quote) -> str:
    """Return the query for the number of rows with a NULL in their key."""
    return f"SELECT COUNT(*) FROM {relation} WHERE {' OR '.join(f'{quoted(key)} IS NULL' for key in keys)}"


STEP = Step(
    name="primary-key-check",
    summary="Check that no two rows of a table or query share their key, on any host.",
    parameters=PrimaryKeyCheckParameters,
    run=run,
)
