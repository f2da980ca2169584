from __future__ import annotations

import contextlib
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import DefinitionError
from steps_impl.tables.model import Column, ForeignKey, Identity, Key, Like, Table, TableName, View
from steps_impl.tables.parser import parse_definitions, parse_table
from steps_impl.tables.render import ddl, view_ddl
from steps_impl.tables.types import ColumnType

NAMES = st.text(
    st.characters(codec="utf-8", exclude_characters="\x00", exclude_categories=("Cs", "Lu", "Lt")), min_size=1
)
LOWER = NAMES.filter(lambda name: name == name.lower())
TYPES = st.one_of(
    st.sampled_from(["smallint", "integer", "bigint", "real", "double precision", "boolean", "date", "super"]),
    st.sampled_from(["timestamp without time zone", "timestamp with time zone", "time with time zone"]),
    st.sampled_from(["time without time zone", "geometry", "geography", "hllsketch", "interval year to month"]),
).map(ColumnType) | st.one_of(
    st.integers(1, 65535).map(lambda n: ColumnType("character varying", (n,))),
    st.integers(1, 4096).map(lambda n: ColumnType("character", (n,))),
    st.integers(1, 16777216).map(lambda n: ColumnType("varbyte", (n,))),
    st.integers(0, 6).map(lambda n: ColumnType("interval day to second", (n,))),
    st.tuples(st.integers(1, 38), st.integers(0, 37))
    .filter(lambda p: p[1] <= p[0])
    .map(lambda p: ColumnType("numeric", p)),
)
DEFAULTS = st.none() | st.sampled_from(
    ["NULL", "'it''s -- no comment'", "GETDATE()", "1 + 2", "'x'::VARCHAR(3)", "(1,(2))"]
)


@st.composite
def columns(draw: st.DrawFn, name: str) -> Column:
    return Column(
        name=name,
        type=draw(TYPES),
        not_null=draw(st.booleans()),
        default=draw(DEFAULTS),
        encode=draw(st.none() | st.sampled_from(["ZSTD", "AZ64", "RAW"])),
        collate=draw(st.none() | st.just("CASE_INSENSITIVE")),
    )


@st.composite
def tables(draw: st.DrawFn) -> Table:
    names = draw(st.lists(LOWER, min_size=1, max_size=5, unique=True))
    made = [draw(columns(name)) for name in names]
    if draw(st.booleans()):
        made.append(
            Column(
                "identity column", ColumnType("bigint"), identity=Identity(draw(st.integers()), 1, draw(st.booleans()))
            )
        )
    some = st.lists(st.sampled_from(names), min_size=1, max_size=3, unique=True).map(tuple)
    likes = draw(
        st.lists(st.builds(Like, st.builds(TableName, LOWER), st.sampled_from([None, True, False])), max_size=1)
    )
    dist_key = None if likes else draw(st.none() | st.sampled_from(names))
    styles: list[Any] = [None, "KEY"] if dist_key else [None] if likes else [None, "ALL", "EVEN", "AUTO"]
    sort_key = () if likes else draw(st.just(()) | some)
    sort_styles = ["COMPOUND", "INTERLEAVED"] if sort_key else [] if likes else ["AUTO"]
    return Table(
        name=TableName(draw(LOWER), draw(st.none() | LOWER)),
        columns=tuple(made),
        primary_key=draw(st.none() | st.builds(Key, some, st.none() | LOWER)),
        unique=tuple(draw(st.lists(st.builds(Key, some), max_size=2))),
        foreign_keys=tuple(draw(st.lists(st.builds(ForeignKey, some, st.builds(TableName, LOWER)), max_size=2))),
        dist_style=draw(st.sampled_from(styles)),
        dist_key=dist_key,
        sort_key=sort_key,
        sort_style=draw(st.sampled_from([None, *sort_styles])),
        likes=tuple(likes),
        backup=draw(st.none() | st.booleans()),
        encode_auto=draw(st.booleans()),
        if_not_exists=draw(st.booleans()),
    )


@given(tables())
@settings(max_examples=50, deadline=None)
def test_any_table_is_read_back_from_what_is_written(table: Table) -> None:
    assert parse_table(ddl(table)) == table


QUERIES = st.sampled_from(
    ["SELECT 1", "WITH a AS (SELECT 1) SELECT * FROM a", "(SELECT ';' AS x) -- the end", "SELECT a<=b, c::int FROM t"]
)


@given(st.builds(View, st.builds(TableName, LOWER, st.none() | LOWER), QUERIES, st.lists(LOWER, max_size=2).map(tuple),
                 st.booleans(), st.booleans()))  # fmt: skip
@settings(max_examples=50, deadline=None)
def test_any_view_is_read_back_from_what_is_written(view: View) -> None:
    assert parse_definitions(view_ddl(view)) == (view,)


@given(tables(), tables())
@settings(max_examples=20, deadline=None)
def test_several_tables_are_read_one_after_the_other(one: Table, other: Table) -> None:
    assert parse_definitions(f"-- first\n{ddl(one)};\n;/* second */ {ddl(other)};") == (one, other)


@given(st.text(alphabet="CREATE TABLE t(a int,)'\"`-/*$\n;:E", max_size=60))
@settings(max_examples=300, deadline=None)
def test_no_text_brings_the_parser_down(text: str) -> None:
    with contextlib.suppress(DefinitionError):
        parse_table(text)
