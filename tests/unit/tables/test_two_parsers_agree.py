"""Our reader and sqlfluff's grammar read the same definitions; what both understand, they understand alike."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlfluff.core import Linter

from steps_impl.tables.model import Table, View
from steps_impl.tables.parser import parse_definitions, parse_table
from steps_impl.tables.render import ddl, view_ddl
from steps_impl.tables.types import ColumnType, column_type, greatest_length
from tests.unit.tables.test_table_definition_grammar import DEFINITIONS, UNKNOWN_TO_THE_ORACLE

LINTER = Linter(dialect="redshift")
#: They say what columns there are without naming them.
WITHOUT_COLUMNS = {name for name in DEFINITIONS if name.startswith("like")}


def _is(segment: Any, kind: str) -> bool:
    return bool(segment.is_type(kind))


def _name(segment: Any) -> str:
    raw = segment.raw
    return (raw[1:-1].replace('""', '"') if raw.startswith('"') else raw).lower()


def _type(segment: Any) -> ColumnType:
    words, _, sizes = segment.raw.partition("(")
    name = " ".join(words.split())
    numbers = [size.strip() for size in sizes.rstrip(") ").split(",") if size.strip()]
    sized = tuple(greatest_length(name) if number.upper() == "MAX" else int(number) for number in numbers)
    return column_type(name, sized)


def _listed(bracketed: Any) -> tuple[str, ...]:
    return tuple(_name(segment) for segment in bracketed.segments if _is(segment, "column_reference"))


def _columns(bracketed: Any) -> Iterator[tuple[str, ColumnType]]:
    named = None
    for segment in bracketed.segments:
        if _is(segment, "column_reference"):
            named = _name(segment)
        elif _is(segment, "data_type") and named is not None:
            yield named, _type(segment)
            named = None


def _keys(segments: Any, word: str) -> list[tuple[str, ...]]:
    """Return the lists in brackets behind a keyword, wherever it stands."""
    found, behind = [], False
    for segment in segments:
        if _is(segment, "keyword"):
            behind = segment.raw.upper() == word
        elif _is(segment, "bracketed") and behind:
            found.append(_listed(segment))
    return found


def their_reading(text: str) -> tuple[list[tuple[str, ColumnType]], tuple[str, ...], tuple[str, ...]]:
    """Return columns with types, sort key and distribution key as sqlfluff's tree has them."""
    parsed = LINTER.parse_string(text + ";\n")
    assert not parsed.violations
    assert parsed.tree
    [statement] = parsed.tree.recursive_crawl("create_table_statement")
    [body] = [segment for segment in statement.segments if _is(segment, "bracketed")]
    outside = [part for segment in statement.segments if _is(segment, "table_constraint") for part in segment.segments]
    sort_key = next(iter(_keys(outside, "SORTKEY")), ())
    dist_key = next(iter(_keys(outside, "DISTKEY")), ())
    return list(_columns(body)), sort_key, dist_key


def our_reading(table: Table) -> tuple[list[tuple[str, ColumnType]], tuple[str, ...], tuple[str, ...]]:
    columns = [(column.name, column.type) for column in table.columns]
    return columns, table.sort_key, (table.dist_key,) if table.dist_key else ()


@pytest.mark.parametrize("name", sorted(DEFINITIONS.keys() - UNKNOWN_TO_THE_ORACLE - WITHOUT_COLUMNS))
def test_both_parsers_find_the_same_columns_and_keys(name: str) -> None:
    table = parse_table(DEFINITIONS[name])
    assert their_reading(ddl(table)) == our_reading(table)


@pytest.mark.parametrize(
    "text",
    [
        "CREATE VIEW v AS SELECT 1 AS one",
        'CREATE OR REPLACE VIEW dev.v (a, "order") AS WITH x AS (SELECT 1, 2) SELECT * FROM x -- the end',
        "CREATE VIEW v AS SELECT a FROM dev.t WITH NO SCHEMA BINDING;",
    ],
)
def test_a_view_written_again_is_sql_of_redshift(text: str, redshift_grammar: Callable[[str], list[str]]) -> None:
    [view] = parse_definitions(text)
    assert isinstance(view, View)
    assert redshift_grammar(view_ddl(view)) == []
    assert redshift_grammar(view_ddl(view, or_replace=not view.or_replace)) == []
