"""``compare``: two tables on two engines hold the same rows, told by checksums that each engine computes itself.

MySQL, Postgres and Redshift in any pairing. Values are brought to a common form (`--digits`, `--zero-dates`,
`--empty-is-null`). One checksum of everything comes first; only where it differs, ever smaller parts are compared,
until the rows that are missing, in excess or different are found. No row leaves its database before that, and the
report holds numbers only. Each side is read in one consistent view, both at the same time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from typing import Literal, Self

from pydantic import Field, model_validator

from core.errors import ParameterError
from core.settings import Settings, load_settings
from steps_impl.contract import StepContext, StepResult
from steps_impl.quality.comparing.checksums import Checksum, Summing, crc_of, digest_of
from steps_impl.quality.comparing.forms import Rules, agree
from steps_impl.quality.comparing.key_list import KeyList
from steps_impl.quality.comparing.layout import Layout, Part
from steps_impl.quality.comparing.search import Outcome, Search
from steps_impl.quality.comparing.tally import RowComparison
from steps_impl.quality.engines import Column, End, open_end
from steps_impl.quality.engines.end import relation_of
from steps_impl.quality.engines.keys import primary_key
from steps_impl.quality.engines.moments import since_condition
from steps_impl.quality.report import CheckParameters, CheckReport, conclude
from steps_impl.registry import Step

_HOST = "an alias of the configuration's mysql section, 'postgres' or 'redshift'"


class CompareParameters(CheckParameters):
    """What compare is told."""

    tolerance: float = Field(default=0.0, ge=0, description="highest share of rows that may be wrong (in percent)")
    source_host: str = Field(description=f"source: {_HOST}")
    source_database: str | None = Field(default=None, description="database of the source; default: the host's")
    source_table: str | None = Field(default=None, description="source: a table")
    source_sql: str | None = Field(default=None, description="source: the rows of a query")
    target_host: str = Field(default="redshift", description=f"target: {_HOST}")
    target_database: str | None = Field(default=None, description="database of the target; default: the host's")
    target_table: str | None = Field(default=None, description="target: a table; default: the source's name")
    target_sql: str | None = Field(default=None, description="target: the rows of a query")
    keys: tuple[str, ...] = Field(default=(), description="columns that identify a row; default: the primary key")
    columns: tuple[str, ...] = Field(default=(), description="columns to compare beside the keys; default: all")
    exclude: tuple[str, ...] = Field(default=(), description="columns to leave out")
    where: str | None = Field(default=None, description="compare only rows that fulfil this condition, on both sides")
    source_where: str | None = Field(default=None, description="the condition in the source's words")
    target_where: str | None = Field(default=None, description="the condition in the target's words")
    since: str | None = Field(
        default=None,
        description="COLUMN=MOMENT: only rows from then on (UTC): 2026-01-31T00:00:00, or a period back like '2 days'",
    )
    digits: Literal["cut", "round", "exact"] = Field(
        default="cut",
        description="digits behind the point that only one side can hold: cut off, rounded, or a difference",
    )
    zero_dates: Literal["null", "keep"] = Field(
        default="null", description="MySQL's zero dates: as NULL, or as they are"
    )
    empty_is_null: bool = Field(default=False, description="take '' as equal to NULL")
    checksum: Checksum = Field(
        default="auto",
        description="of each row: strong: 60 bits of a digest; fast: a CRC of 32 bits, in six tenths of the time "
        "(MySQL, and Postgres from 18 on); auto: CRC32C where both sides have it (MariaDB, and Postgres from 18 on), "
        "else strong",
    )
    limit: int = Field(
        default=10_000,
        ge=1,
        le=10_000_000,
        description="wrong rows after which the search ends; the numbers are then minima",
    )
    keys_to: str | None = Field(
        default=None,
        description="leave the keys of wrong rows there, a file or s3://bucket/key (tab-separated: what, then the key)",
    )

    @model_validator(mode="after")
    def _one_of_each(self) -> Self:
        if (self.source_table is None) == (self.source_sql is None):
            raise ValueError("give exactly one of --source-table and --source-sql")
        if self.target_table and self.target_sql:
            raise ValueError("give only one of --target-table and --target-sql")
        if self.source_sql and not (self.target_table or self.target_sql):
            raise ValueError("give --target-table or --target-sql beside --source-sql")
        return self


def run(parameters: CompareParameters, context: StepContext) -> StepResult:
    """Compare both sides and conclude as the parameters say.

    Raises:
        ParameterError: no key, columns that only one side has, or types without a common form.
        CheckFailed: more rows are wrong than the tolerance allows, and the step is to fail.
        StoreError: a side refuses or cannot be reached.
    """
    settings = load_settings(environment=context.environment)
    with KeyList(parameters.keys_to, settings) as key_list:
        outcome = _compare(parameters, settings, context, key_list)
        report = _report(parameters, outcome)
        key_list.publish()
    return conclude(report, parameters, settings, context)


def _compare(parameters: CompareParameters, settings: Settings, context: StepContext, keys: KeyList) -> Outcome:
    outcome = Outcome()
    with ExitStack() as stack:
        source = stack.enter_context(
            open_end(parameters.source_host, parameters.source_database, settings, context.cancelled)
        )
        target = stack.enter_context(
            open_end(parameters.target_host, parameters.target_database, settings, context.cancelled)
        )
        relations = (_source(parameters, source), _target(parameters, target))
        names = [name.lower() for name in _keys(parameters, source, target)]
        pairs = _pairs(parameters, names, source.columns(relations[0]), target.columns(relations[1]))
        rules = Rules(parameters.digits, parameters.empty_is_null, parameters.zero_dates)
        forms = [agree(left, right, rules) for left, right in pairs]
        parts = [[Part(pair[side], form) for pair, form in zip(pairs, forms, strict=True)] for side in (0, 1)]
        count = len(names)
        number_key = count == 1 and forms[0].kind == "integer" and _plain_numbers(pairs[0])
        summing = Summing(digest_of(source, target), crc_of(parameters.checksum, source, target), number_key)
        outcome.checksum = summing.name
        layouts = (
            Layout(source, relations[0], parts[0][:count], parts[0][count:], summing, 1),
            Layout(target, relations[1], parts[1][:count], parts[1][count:], summing, 2),
        )
        others = [left.name for left, _ in pairs[count:]]
        comparison = RowComparison(outcome.tally, count, others, forms, keys.note)
        Search(
            layouts,
            comparison,
            outcome,
            whole_number_key=number_key,
            limit=parameters.limit,
            progress=lambda phase, rows: context.reporter.progress(phase, rows=rows),
        ).run()
    return outcome


def _plain_numbers(pair: tuple[Column, Column]) -> bool:
    return all(column.kind in {"integer", "decimal"} for column in pair)


def _source(parameters: CompareParameters, end: End) -> str:
    return _relation(end, parameters.source_table, parameters.source_sql, parameters.source_where, parameters)


def _target(parameters: CompareParameters, end: End) -> str:
    table = None if parameters.target_sql else parameters.target_table or parameters.source_table
    return _relation(end, table, parameters.target_sql, parameters.target_where, parameters)


def _relation(end: End, table: str | None, sql: str | None, where: str | None, parameters: CompareParameters) -> str:
    since = since_condition(end, parameters.since, relation_of(end, table, sql))
    return relation_of(end, table, sql, [where or parameters.where, since])


def _keys(parameters: CompareParameters, source: End, target: End) -> Sequence[str]:
    if parameters.keys:
        return parameters.keys
    tables = ((source, parameters.source_table), (target, parameters.target_table or parameters.source_table))
    found = next((keys for end, table in tables if table and (keys := primary_key(end, table))), ())
    if not found:
        raise ParameterError("neither side has a primary key; give --keys with the columns that identify a row")
    return found


def _pairs(
    parameters: CompareParameters, keys: Sequence[str], source: Sequence[Column], target: Sequence[Column]
) -> list[tuple[Column, Column]]:
    """Return the columns of both sides by name, keys first.

    Raises:
        ParameterError: a column that only one side has, or an unknown one.
    """
    left, right = _by_name(source), _by_name(target)
    excluded = {name.lower() for name in parameters.exclude}
    if unknown := sorted(excluded - left.keys() - right.keys()):
        raise ParameterError(f"--exclude: there is no {', '.join(unknown)} on either side")
    chosen = [name.lower() for name in parameters.columns] or [*left, *right]
    names = [name for name in dict.fromkeys([*keys, *chosen]) if name in keys or name not in excluded]
    if alone := [name for name in names if name not in left or name not in right]:
        sides = ", ".join(f"{name} ({_only_in(name, left, right)})" for name in alone)
        raise ParameterError(f"columns that are not on both sides: {sides}; choose with --columns or --exclude")
    return [(left[name], right[name]) for name in names]


def _only_in(name: str, left: Mapping[str, Column], right: Mapping[str, Column]) -> str:
    return "source only" if name in left else "target only" if name in right else "unknown"


def _by_name(columns: Sequence[Column]) -> dict[str, Column]:
    named = {column.name.lower(): column for column in columns}
    if len(named) < len(columns):
        names = [column.name.lower() for column in columns]
        twice = next(name for name in names if names.count(name) > 1)
        raise ParameterError(f"several columns are called {twice} but for its letters; compare queries that rename one")
    return named


def _report(parameters: CompareParameters, outcome: Outcome) -> CheckReport:
    tally, rows = outcome.tally, outcome.source_rows
    least = "" if outcome.complete else f"at least (the search ended at {parameters.limit}) "
    schema, _, table = (parameters.target_table or parameters.source_table or "query").rpartition(".")
    return CheckReport(
        check="compare",
        schema=schema,
        table=table,
        tolerance=parameters.tolerance,
        error_rate=100.0 * tally.wrong / rows if rows else None if tally.wrong else 0.0,
        counts={
            "source_rows": rows,
            "target_rows": outcome.target_rows,
            "missing": tally.missing,
            "extra": tally.extra,
            "different": tally.different,
            "columns": dict(tally.columns),
            "complete": outcome.complete,
            "checksum": outcome.checksum,
        },
        finding=f"{least}{tally.missing} rows are missing in the target, {tally.extra} are only there, "
        f"{tally.different} differ",
    )


STEP = Step(
    name="compare",
    summary="Compare two whole tables on two engines by checksums, down to the rows that differ.",
    parameters=CompareParameters,
    run=run,
)
