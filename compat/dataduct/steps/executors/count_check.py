"""``count_check``: two queries that each return a number of rows, one on a source, one in the warehouse."""

from __future__ import annotations

import re
from typing import Any

from pydantic import Field

from core.errors import ParameterError
from core.settings import load_settings
from dataduct.steps.executors._running import check_flags, check_values, finish
from steps_impl.contract import StepContext, StepResult
from steps_impl.quality.count_check import count_report
from steps_impl.quality.relations import warehouse_settings
from steps_impl.quality.report import CheckParameters, conclude
from steps_impl.quality.sides import SourceRelation, open_source, warehouse_side
from steps_impl.queries import bare_query
from steps_impl.registry import Step
from stores.redshift import connect

_TABLE = re.compile(r"\bfrom\s+(?:(?P<schema>[\w\"]+)\.)?(?P<table>[\w\"]+)", re.IGNORECASE)


class CountQueries(CheckParameters):
    """Both queries; each returns one number."""

    source_sql: str = Field(description="counts the rows of the source")
    source_host: str = Field(description="alias of the configuration's mysql section, or 'postgres'")
    destination_sql: str = Field(description="counts the rows in the warehouse")


def run(parameters: CountQueries, context: StepContext) -> StepResult:
    """Compare the two numbers and conclude as the parameters say.

    Raises:
        ParameterError: a query returns no number.
        CheckFailed: they differ by more than the tolerance, and the step is to fail.
    """
    settings = load_settings(environment=context.environment)
    relation = SourceRelation(parameters.source_host, sql=parameters.source_sql)
    with open_source(relation, settings, context.cancelled) as source:
        expected = _number(source.fetch(bare_query(parameters.source_sql, "mysql"), ()), "--source_sql")
    with connect(warehouse_settings(settings), cancelled=context.cancelled) as session:
        side = warehouse_side(session, "")
        found = _number(side.fetch(bare_query(parameters.destination_sql, "postgres"), ()), "--destination_sql")
    schema, table = table_of(parameters.destination_sql)
    report = count_report(schema, table, parameters.tolerance, expected, found)
    return conclude(report, parameters, settings, context)


def table_of(sql: str) -> tuple[str, str]:
    """Return schema and table of the first FROM of a query, for the report; empty where there is none."""
    match = _TABLE.search(sql)
    return ((match["schema"] or "").strip('"'), match["table"].strip('"')) if match else ("", "")


def _number(rows: Any, flag: str) -> int:
    try:
        return int(rows[0][0])
    except (IndexError, TypeError, ValueError):
        raise ParameterError(f"{flag} must return one row with a number of rows") from None


STEP = Step("count-check", "Compare two numbers of rows, as Dataduct does.", CountQueries, run)


def count_check() -> None:
    """Compare what ``--source_sql`` and ``--destination_sql`` count."""
    parser = check_flags("Check Count")
    parser.add_argument("--source_sql", required=True)
    parser.add_argument("--source_host", required=True)
    parser.add_argument("--destination_sql", required=True)
    parser.add_argument("--tolerance", type=float, default=1.0)
    given = parser.parse_args()
    queries = {name: getattr(given, name) for name in ("source_sql", "source_host", "destination_sql", "tolerance")}
    finish(STEP, queries | check_values(given))
