"""Every statement that the warehouse's steps send, whatever their options, is Redshift's SQL by an independent parser.

The steps' own code runs on a session that only remembers: what is looked at is what would be sent.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from sqlfluff.core import Linter

from core.errors import DuctrunnerError
from core.sections.creation import DatabaseSettings, Permission
from core.settings import Settings
from steps_impl.extract.unload import UnloadForm, given_query, table_query, unload_statement
from steps_impl.load.copy_options import CopyOptions, CopyTarget, copy_statement
from steps_impl.load.staging import any_value
from steps_impl.quality.primary_key_check import duplicates_sql, null_keys_sql
from steps_impl.tables.catalog import create_statements
from steps_impl.tables.compare import ActualColumn
from steps_impl.tables.drift import plan_drift, policy_of
from steps_impl.tables.model import Table, TableName, quote
from steps_impl.tables.parser import parse_table
from steps_impl.tables.render import ddl
from steps_impl.tables.types import ColumnType
from steps_impl.warehouse.delta_load import DeltaLoadParameters
from steps_impl.warehouse.history_plan import plan_history
from steps_impl.warehouse.merge import Merge
from steps_impl.warehouse.merge_parameters import MergeParameters
from steps_impl.warehouse.planning import How, make_plan
from steps_impl.warehouse.recording import record
from steps_impl.warehouse.reload import ReloadParameters
from steps_impl.warehouse.sources import WarehouseSource, filled_from_warehouse
from steps_impl.warehouse.statements import sampled_rows
from steps_impl.warehouse.upsert_parameters import UpsertParameters
from steps_impl.warehouse.window import Window
from tests.phases import Silent

LINTER = Linter(dialect="redshift")
QUIET = settings(
    max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much]
)
#: sqlfluff has no LOCK without TABLE.
NAME = r'(?:"(?:[^"]|"")+"\.)?"(?:[^"]|"")+"'
UNKNOWN_TO_SQLFLUFF = re.compile(rf"LOCK {NAME}(?:, {NAME})*", re.DOTALL)


def faults(statements: list[str]) -> list[str]:
    """Return those that are not Redshift's."""
    told = [text for text in statements if not UNKNOWN_TO_SQLFLUFF.fullmatch(text)]
    if is_redshift(";\n".join(told)):
        return []
    return [text for text in told if not is_redshift(text)]


def is_redshift(text: str) -> bool:
    parsed = LINTER.parse_string(text + ";\n")
    return not parsed.violations and parsed.tree is not None and not list(parsed.tree.recursive_crawl("unparsable"))


WORDS = ["order", "user", "select", "group", "timestamp", "tag", "id", "a b", 'quo"te', "dot.ted", "größe", "per%cent"]
NAMES = st.sampled_from(WORDS) | st.from_regex(r"[a-zä-ÿ_][a-z0-9_ .%\"'$-]{0,12}", fullmatch=True).map(str.lower)
TYPES = ["INT", "BIGINT", "VARCHAR(20)", "CHAR(10)", "NUMERIC(38,10)", "DOUBLE PRECISION", "BOOLEAN", "DATE"]
TYPES += ["TIMESTAMP", "TIMESTAMPTZ", "TIME", "VARBYTE(9)", "SUPER"]
DEFAULTS = {"INT": "7", "VARCHAR(20)": "'it''s'", "BOOLEAN": "TRUE", "DATE": "'2000-01-01'", "TIMESTAMP": "SYSDATE"}


@st.composite
def tables(draw: st.DrawFn) -> Table:
    """Tables of one to five columns with a key, as definitions write them."""
    names = draw(st.lists(NAMES, min_size=1, max_size=5, unique=True))
    kinds = [draw(st.sampled_from(TYPES[:-1] if number == 0 else TYPES)) for number, _ in enumerate(names)]
    columns = [f"{quote(name)} {kind}{_attributes(draw, kind)}" for name, kind in zip(names, kinds, strict=True)]
    if draw(st.booleans()):
        columns.append('"numbered by itself" BIGINT IDENTITY(1,1)')
    keys = [name for name, kind in zip(names, kinds, strict=True) if kind != "SUPER"]
    keys = keys[: draw(st.integers(1, 3))]
    attributes = draw(st.sampled_from(["", "DISTSTYLE EVEN", f"DISTKEY ({quote(keys[0])})", "DISTSTYLE AUTO"]))
    attributes += draw(
        st.sampled_from(["", f" SORTKEY ({quote(keys[-1])})", f" INTERLEAVED SORTKEY ({quote(keys[0])})"])
    )
    schema = draw(st.none() | NAMES)
    name = TableName(draw(NAMES), schema).sql
    key = ", ".join(map(quote, keys))
    return parse_table(f"CREATE TABLE {name} ({', '.join(columns)}, PRIMARY KEY ({key})) {attributes}")


def _attributes(draw: st.DrawFn, kind: str) -> str:
    default = f" DEFAULT {DEFAULTS[kind]}" if kind in DEFAULTS and draw(st.booleans()) else ""
    encode = " ENCODE ZSTD" if kind in ("INT", "VARCHAR(20)") and draw(st.booleans()) else ""
    return default + encode


class Remembering:
    """A session that remembers what it is told, and answers as a warehouse with a table would."""

    where = "nowhere"

    def __init__(self, tables: list[Table], *, there: bool, nulls: int, duplicates: int) -> None:
        self.told: list[str] = []
        self._columns = {table.name.name: table for table in tables} if there else {}
        self._profile = (10, 10 - duplicates, nulls)
        self._unique = 10 - duplicates

    def execute(self, statement: Any) -> int:
        self.told.append(statement.text)
        return 1 if statement.text.startswith(("DELETE", "UPDATE")) else self._unique

    def rows(self, statement: Any) -> list[tuple[Any, ...]]:
        if "svv_columns" in statement.text:
            return self._catalog(statement.parameters[-1])
        self.told.append(statement.text)
        if "SYSDATE" in statement.text:
            return [(datetime.fromisoformat("2026-01-02"), datetime.fromisoformat("2026-01-01"))]
        if "DISTINCT" in statement.text or "grouped" in statement.text:
            return [self._profile if "stg_" in statement.text else (self._unique, self._unique, 0)]
        if "ductrunner_mark" in statement.text:
            return [(self._unique, self._unique)]
        return [(self._unique,)]

    def row(self, statement: Any) -> tuple[Any, ...]:
        return self.rows(statement)[0]

    @contextmanager
    def transaction(self) -> Iterator[None]:
        yield

    def _catalog(self, name: str) -> list[tuple[Any, ...]]:
        table = self._columns.get(name)
        return [] if table is None else [_as_in_catalog(column) for column in table.columns]


def _as_in_catalog(column: Any) -> tuple[Any, ...]:
    kind, arguments = column.type.name, column.type.arguments
    length = arguments[0] if arguments and kind != "numeric" else None
    precision, scale = arguments if kind == "numeric" else (None, None)
    return (column.name, kind, length, precision, scale, "NO" if column.not_null else "YES", column.default)


COMMON: dict[str, st.SearchStrategy[Any]] = {
    "enforce_primary_key": st.booleans(),
    "null_keys": st.sampled_from(["fail", "match", "drop"]),
    "stage_before_lock": st.booleans(),
    "check_rows": st.booleans(),
    "check_keys": st.booleans(),
    "filter_clause": st.none() | st.sampled_from(["WHERE 1 = 1 -- all", "source.x > 2 OR NOT (y = 'it''s')"]),
    "on_drift": st.lists(st.sampled_from(["add-columns", "widen", "keep-extra"]), max_size=2),
}
OPTIONS = st.fixed_dictionaries(COMMON)
DELTAS = st.fixed_dictionaries(
    {**COMMON, "mode": st.sampled_from(["delete-insert", "merge", "append"]), "window": st.integers(0, 400)}
)


def history_of(table: Table) -> Table:
    kept = [f"{quote(column.name)} {column.type}" for column in table.columns]
    return parse_table(
        f"CREATE TABLE {TableName('h' + table.name.name, table.name.schema).sql} "
        f"(effective_ts TIMESTAMP, {', '.join(kept)}, expiration_ts TIMESTAMP) SORTKEY (expiration_ts)"
    )


def told_by(parameters: MergeParameters, how: How, table: Table, state: Any, *, straight: bool = False) -> list[str]:
    """Return what an attempt sends to the warehouse."""
    source = WarehouseSource.of(parameters.source_table, parameters.source_sql, parameters.filter_clause, how.window)
    history = history_of(table) if parameters.history else None
    found = tuple(column.name for column in table.columns if not column.identity)
    plan = make_plan(parameters, how, table, history, found, files=False)
    plan = replace(plan, straight=straight and not plan.stage_first)
    session: Any = Remembering(plan.tables, **state)
    fill = filled_from_warehouse(plan, source)
    settings_ = Settings.model_validate({"database": {"permissions": [{"group": 're"aders', "permission": "select"}]}})
    try:
        Merge(plan, settings_, Silent(), fill).run(session)
    except DuctrunnerError:  # a check that fails comes after statements, too
        assume(session.told)
    return session.told


STATES = st.fixed_dictionaries(
    {"there": st.booleans(), "nulls": st.sampled_from([0, 2]), "duplicates": st.sampled_from([0, 3])}
)
SOURCES = st.sampled_from([{"source_table": 'raw."ta""ble"'}, {"source_sql": "SELECT * FROM x WHERE a = '%' -- end"}])


def common(table: Table, options: dict[str, Any], source: dict[str, Any], *, history: bool) -> dict[str, Any]:
    ignored = [column.name for column in table.columns if not column.type.orderable]
    kept = (
        history and options["enforce_primary_key"] and not {"effective_ts", "expiration_ts"} & set(table.column_names)
    )
    recorded = {"history": "h", "history_ignore": ignored} if kept else {}
    return {"table_definition": "t", **options, **source, **recorded}


@pytest.mark.parametrize("mode", ["delete-insert", "merge", "append"])
@QUIET
@given(tables(), OPTIONS, SOURCES, STATES, st.booleans())
def test_whatever_an_upsert_sends_is_redshift(
    mode: Any, table: Table, options: dict[str, Any], source: dict[str, Any], state: Any, history: bool
) -> None:
    options = {**options, "enforce_primary_key": options["enforce_primary_key"] or mode == "merge"}
    parameters = UpsertParameters(mode=mode, **common(table, options, source, history=history))
    assert faults(told_by(parameters, How(mode), table, state)) == []


@QUIET
@given(tables(), OPTIONS, SOURCES, STATES, st.booleans(), st.booleans())
def test_whatever_a_reload_sends_is_redshift(
    table: Table, options: dict[str, Any], source: dict[str, Any], state: Any, history: bool, straight: bool
) -> None:
    parameters = ReloadParameters(**common(table, options, source, history=history))
    how = How(delete_existing=True, allow_empty=True)
    assert faults(told_by(parameters, how, table, state, straight=straight)) == []


@QUIET
@given(tables(), DELTAS, SOURCES, STATES, st.booleans(), st.data())
def test_whatever_a_delta_load_sends_is_redshift(
    table: Table, options: dict[str, Any], source: dict[str, Any], state: Any, undated: bool, data: st.DataObject
) -> None:
    dated = [column.name for column in table.columns if column.type.name.startswith(("date", "timestamp"))]
    assume(dated and (options["mode"] != "merge" or options["enforce_primary_key"]))
    chosen = data.draw(st.sampled_from(dated))
    parameters = DeltaLoadParameters(**common(table, options, source, history=False), date_column=chosen)
    window = Window(parameters.date_column, parameters.window, undated)
    assert faults(told_by(parameters, How(parameters.mode, window=window), table, state)) == []


@QUIET
@given(tables(), st.booleans(), st.booleans())
def test_whatever_a_history_sends_is_redshift(table: Table, nulls: bool, there: bool) -> None:
    assume(not {"effective_ts", "expiration_ts"} & set(table.column_names))
    ignored = tuple(column.name for column in table.columns if not column.type.orderable)
    plan = plan_history(table, history_of(table), table.key, ignored, match_nulls=nulls, allow_empty=True)
    session: Any = Remembering([plan.history], there=there, nulls=0, duplicates=0)
    record(session, plan)
    assert faults(session.told) == []


@QUIET
@given(tables())
def test_definitions_grants_samples_and_key_checks_are_redshift(table: Table) -> None:
    permissions = [Permission(group='re"aders', permission="select, insert"), Permission(user="a b", permission="all")]
    database = DatabaseSettings(permissions=permissions)
    made = [statement.text for statement in create_statements(table, database)]
    sample = sampled_rows(table.name, TableName("stg"), table.column_names, table.key, 10, 1000)
    checks = [duplicates_sql(table.name.sql, table.key), null_keys_sql(table.name.sql, table.key)]
    checks += [any_value(CopyTarget(TableName("stg"), table.column_names)).text]
    assert faults([*made, ddl(table), f"SELECT * FROM {sample}", *checks]) == []
    assert parse_table(ddl(table)) == table


COPIES = st.builds(
    CopyOptions,
    format=st.sampled_from(["tsv", "csv", "json", "avro", "parquet"]),
    compression=st.sampled_from([None, "", "GZIP", "ZSTD", "BZIP2"]),
    null_as=st.sampled_from(["\\N", "NULL", "it's", ""]),
    escape=st.booleans(),
    ignore_header=st.integers(0, 2),
    max_error=st.integers(0, 3),
    replace_invalid_char=st.none() | st.sampled_from(["?", "'"]),
    truncate_columns=st.booleans(),
    round_decimals=st.booleans(),
)
ROLES = st.sampled_from(["default", "arn:aws:iam::123456789012:role/copy"])


@QUIET
@given(tables(), COPIES, ROLES)
def test_every_copy_is_redshift(table: Table, options: CopyOptions, role: str) -> None:
    target = CopyTarget(TableName("stg"), table.column_names)
    assert faults([copy_statement(target, "s3://b/it's/manifest", ["s3://b/x.gz"], role, options).text]) == []


UNLOADS = st.builds(
    UnloadForm,
    format=st.sampled_from(["tsv", "csv", "json", "parquet"]),
    compression=st.sampled_from(["none", "gzip", "bzip2", "zstd"]),
    header=st.booleans(),
    parallel=st.booleans(),
    max_file_size=st.none() | st.integers(5, 6200),
)
QUERIES = st.sampled_from(["SELECT 'it''s' AS a, '\\' AS b FROM t; -- end", "SELECT * FROM t ORDER BY 1 LIMIT 3"])


@QUIET
@given(tables(), UNLOADS, ROLES, QUERIES, st.booleans(), st.booleans())
def test_every_unload_is_redshift(
    table: Table, form: UnloadForm, role: str, query: str, whole: bool, far: bool
) -> None:
    text = table_query(table.name) if whole else given_query(query)
    region = "eu-west-1" if far else None
    assert faults([unload_statement(text, "s3://b/it's/", role, form, region=region, escapes=far).text]) == []


@QUIET
@given(tables(), st.lists(st.sampled_from(["add-columns", "widen"]), min_size=1, max_size=2))
def test_every_change_of_a_drifted_table_is_redshift(table: Table, choices: list[Any]) -> None:
    there = [ActualColumn(column.name, _narrower(column.type)) for column in table.columns[: len(table.columns) - 1]]
    altered = plan_drift(table, there, policy_of(choices)).alterations
    assume(altered)
    assert faults([statement.text for statement in altered]) == []


def _narrower(kind: ColumnType) -> ColumnType:
    return ColumnType(kind.name, (1,)) if kind.name == "character varying" else kind
