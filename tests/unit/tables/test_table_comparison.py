from __future__ import annotations

import pytest

from core.errors import SchemaMismatch
from steps_impl.tables.compare import ActualColumn, check_same, differences
from steps_impl.tables.parser import parse_table
from steps_impl.tables.types import ColumnType

TABLE = parse_table("CREATE TABLE dev.t (id BIGINT, name VARCHAR(20), born DATE)")
THERE = (
    ActualColumn("id", ColumnType("bigint")),
    ActualColumn("name", ColumnType("character varying", (20,))),
    ActualColumn("born", ColumnType("date")),
)


def test_the_table_as_defined_has_no_differences() -> None:
    assert differences(TABLE, THERE) == []


def test_missing_and_additional_columns_are_named() -> None:
    there = (*THERE[:2], ActualColumn("died", ColumnType("date")))
    assert differences(TABLE, there) == ["column 'born' is missing", "column 'died' is not in the definition"]


def test_another_type_or_length_is_a_difference() -> None:
    there = (THERE[0], ActualColumn("name", ColumnType("character varying", (10,))), THERE[2])
    assert differences(TABLE, there) == [
        "column 'name' is character varying(10), defined as character varying(20)",
    ]


def test_another_order_is_a_difference() -> None:
    there = (THERE[0], THERE[2], THERE[1])
    assert differences(TABLE, there) == [
        "the columns are in another order: number 2 is 'born', defined as 'name'",
    ]


def test_a_mismatch_names_the_table_and_says_what_to_do() -> None:
    with pytest.raises(SchemaMismatch, match=r"table dev\.t is not as defined: .*; change the definition or alter"):
        check_same(TABLE, THERE[:2])
