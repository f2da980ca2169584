"""``column_check``: a sample of rows, each as its key and one joined text, on a source and in the warehouse."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from pydantic import Field

from core.errors import ParameterError
from core.settings import load_settings
from dataduct.steps.executors._running import check_flags, check_values, finish
from dataduct.steps.executors.count_check import table_of
from steps_impl.contract import StepContext, StepResult
from steps_impl.quality.relations import warehouse_settings
from steps_impl.quality.report import CheckParameters, CheckReport, conclude
from steps_impl.quality.sides import SourceRelation, open_source
from steps_impl.queries import bare_query
from steps_impl.registry import Step
from stores.redshift import Session, Statement, connect

_SAMPLE = re.compile("LIMIT_PLACEHOLDER", re.IGNORECASE)
_KEYS = re.compile("PRIMARY_KEY_SET", re.IGNORECASE)
Row = Sequence[Any]


class ColumnQueries(CheckParameters):
    """Both queries; each returns the columns of the key and, last, the joined text of the others."""

    source_sql: str = Field(description="draws the sample; LIMIT_PLACEHOLDER stands for its size")
    source_host: str = Field(description="alias of the configuration's mysql section, or 'postgres'")
    destination_sql: str = Field(description="finds the same rows; PRIMARY_KEY_SET stands for their keys")
    sample_size: int = Field(ge=1, description="rows of the sample")


def run(parameters: ColumnQueries, context: StepContext) -> StepResult:
    """Compare the texts of the rows that are on both sides and conclude as the parameters say.

    Raises:
        CheckFailed: more differ than the tolerance says, and the step is to fail.
    """
    settings = load_settings(environment=context.environment)
    sql = _SAMPLE.sub(str(parameters.sample_size), parameters.source_sql)
    with open_source(SourceRelation(parameters.source_host, sql=sql), settings, context.cancelled) as source:
        sample = source.fetch(bare_query(sql, "mysql"), ())
    with connect(warehouse_settings(settings), cancelled=context.cancelled) as session:
        found = _found(session, parameters.destination_sql, sample) if sample else []
    schema, table = table_of(parameters.destination_sql)
    expected, actual = _by_key(sample), _by_key(found)
    observed = [key for key in expected if key in actual]
    different = sum(expected[key] != actual[key] for key in observed)
    report = CheckReport(
        check="column-check",
        schema=schema,
        table=table,
        tolerance=parameters.tolerance,
        error_rate=100.0 * different / len(observed) if observed else None,
        counts={"sample": len(sample), "observed": len(observed), "different": different},
        finding=f"{different} of {len(observed)} rows that are on both sides differ",
    )
    return conclude(report, parameters, settings, context)


def _found(session: Session, sql: str, sample: Sequence[Row]) -> Sequence[Row]:
    """Run the query of the warehouse with the sample's keys in the place that it has for them, as bound values."""
    keys = [[_text(value) for value in row[:-1]] for row in sample]
    tuples = ", ".join(f"({', '.join(['%s'] * len(key))})" for key in keys)
    before, *places = _KEYS.split(bare_query(sql, "postgres"))
    if len(places) != 1:
        raise ParameterError(f"--destination_sql must hold PRIMARY_KEY_SET once; it has it {len(places)} times")
    text = f"{before.replace('%', '%%')}({tuples}){places[0].replace('%', '%%')}"
    values = tuple(value for key in keys for value in key)
    return session.rows(Statement(text, "look up the rows of the sample", values))


def _by_key(rows: Sequence[Row]) -> dict[tuple[str | None, ...], str | None]:
    return {tuple(_text(value) for value in row[:-1]): _text(row[-1]) for row in rows}


def _text(value: Any) -> str | None:
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value).decode("utf-8", "replace")
    if isinstance(value, datetime):
        return value.isoformat(sep=" ")
    if isinstance(value, date):
        return value.isoformat()
    return None if value is None else str(value)


STEP = Step("column-check", "Compare a sample of joined rows, as Dataduct does.", ColumnQueries, run)


def column_check() -> None:
    """Compare the samples of ``--source_sql`` and ``--destination_sql``."""
    parser = check_flags("Check Column")
    parser.add_argument("--source_sql", required=True)
    parser.add_argument("--source_host", required=True)
    parser.add_argument("--destination_sql", required=True)
    parser.add_argument("--sample_size", type=int, required=True)
    parser.add_argument("--tolerance", type=float, default=1.0)
    given = parser.parse_args()
    names = ("source_sql", "source_host", "destination_sql", "sample_size", "tolerance")
    finish(STEP, {name: getattr(given, name) for name in names} | check_values(given))
