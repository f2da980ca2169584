from __future__ import annotations

from collections.abc import Callable

import pytest
from pydantic import ValidationError

from core.errors import SchemaMismatch
from steps_impl.load.create_load_redshift import CreateLoadParameters
from steps_impl.tables.compare import ActualColumn, refuse
from steps_impl.tables.drift import REFUSE, Drift, DriftPolicy, plan_drift
from steps_impl.tables.parser import parse_table
from steps_impl.tables.types import ColumnType

TABLE = parse_table("CREATE TABLE dev.t (id BIGINT, name VARCHAR(20), born DATE)")
ID, NAME, BORN = (
    ActualColumn("id", ColumnType("bigint")),
    ActualColumn("name", ColumnType("character varying", (20,))),
    ActualColumn("born", ColumnType("date")),
)
THERE = (ID, NAME, BORN)
EVERYTHING = DriftPolicy(add_columns=True, widen=True, keep_extra=True)


def drift(definition: str, *there: ActualColumn, policy: DriftPolicy = EVERYTHING) -> Drift:
    return plan_drift(parse_table(f"CREATE TABLE dev.t ({definition}"), there, policy)


def text(name: str, length: int, **more: object) -> ActualColumn:
    return ActualColumn(name, ColumnType("character varying", (length,)), **more)  # type: ignore[arg-type]


def test_the_table_as_defined_has_no_differences() -> None:
    assert plan_drift(TABLE, THERE, REFUSE) == Drift((), ())


def test_missing_and_additional_columns_are_named() -> None:
    died = ActualColumn("died", ColumnType("date"))
    assert plan_drift(TABLE, (ID, NAME, died), REFUSE).refused == (
        "column 'born' is missing",
        "column 'died' is not in the definition",
    )


def test_another_type_or_length_is_a_difference() -> None:
    assert plan_drift(TABLE, (ID, text("name", 10), BORN), REFUSE).refused == (
        "column 'name' is character varying(10), defined as character varying(20)",
    )


def test_another_order_is_a_difference_beside_all_others() -> None:
    assert plan_drift(TABLE, (ID, BORN, text("name", 10)), REFUSE).refused == (
        "column 'name' is character varying(10), defined as character varying(20)",
        "the columns are in another order: number 2 is 'born', defined as 'name'",
    )
    assert len(plan_drift(TABLE, (BORN, ID), EVERYTHING).refused) == 2


def test_a_mismatch_names_the_table_and_says_what_to_do() -> None:
    with pytest.raises(SchemaMismatch, match=r"table dev\.t is not as defined: a; b; change the definition or alter"):
        refuse(TABLE, ["a", "b"])


def test_missing_columns_at_the_end_are_added_one_by_one() -> None:
    found = drift("id BIGINT, name VARCHAR(20) ENCODE zstd, n INT DEFAULT 0 NOT NULL) DISTSTYLE ALL", ID)
    assert [statement.text for statement in found.alterations] == [
        'ALTER TABLE "dev"."t" ADD COLUMN "name" CHARACTER VARYING(20) ENCODE ZSTD',
        'ALTER TABLE "dev"."t" ADD COLUMN "n" INTEGER DEFAULT 0 NOT NULL',
    ]
    assert found.refused == ()


@pytest.mark.parametrize(
    ("definition", "reason"),
    [
        ("id BIGINT, n INT, born DATE)", "at place 2 of the definition: Redshift adds columns at the end"),
        ("id BIGINT, born DATE, n INT NOT NULL)", "NOT NULL and has no DEFAULT for the rows"),
        ("id BIGINT, born DATE, n INT DEFAULT NULL NOT NULL)", "NOT NULL and has no DEFAULT for the rows"),
        ("id BIGINT, born DATE, n INT IDENTITY(1,1))", "IDENTITY"),
        ("id BIGINT, born DATE, n INT PRIMARY KEY)", "primary key"),
        ("id BIGINT, born DATE, n INT UNIQUE)", "UNIQUE"),
        ("id BIGINT, born DATE, n INT REFERENCES o)", "foreign key"),
        ("id BIGINT, born DATE, n INT DISTKEY)", "distribution key"),
        ("id BIGINT, born DATE, n INT) SORTKEY(born, n)", "sort key"),
    ],
)
def test_a_column_that_redshift_would_not_add_is_refused_by_name(definition: str, reason: str) -> None:
    found = drift(definition, ID, BORN)
    [refused] = found.refused
    assert "column 'n' is missing" in refused
    assert reason in refused
    assert found.alterations == ()


def test_a_short_varchar_is_widened() -> None:
    [statement] = drift("id BIGINT, name VARCHAR(MAX))", ID, NAME).alterations
    assert statement.text == 'ALTER TABLE "dev"."t" ALTER COLUMN "name" TYPE CHARACTER VARYING(65535)'


@pytest.mark.parametrize(
    ("definition", "there", "reason"),
    [
        ("name VARCHAR(30) PRIMARY KEY)", text("name", 20), "primary key"),
        ("name VARCHAR(30) UNIQUE)", text("name", 20), "UNIQUE"),
        ("name VARCHAR(30) REFERENCES o)", text("name", 20), "foreign key"),
        ("name VARCHAR(30) DEFAULT 'x')", text("name", 20), "DEFAULT"),
        ("name VARCHAR(30))", text("name", 20, default="'x'"), "DEFAULT"),
        ("name VARCHAR(30) ENCODE TEXT255)", text("name", 20), "TEXT255"),
        ("name VARCHAR(10))", text("name", 20), "shorter"),
        ("name DECIMAL(20,2))", ActualColumn("name", ColumnType("numeric", (10, 2))), "VARCHAR alone"),
        ("name BIGINT)", ActualColumn("name", ColumnType("integer")), "VARCHAR alone"),
        ("name CHAR(30))", ActualColumn("name", ColumnType("character", (20,))), "VARCHAR alone"),
    ],
)
def test_what_redshift_would_not_widen_is_refused_by_name(definition: str, there: ActualColumn, reason: str) -> None:
    found = drift(definition, there)
    [refused] = found.refused
    assert "cannot be widened" in refused
    assert reason in refused
    assert found.alterations == ()


def test_further_columns_are_left_alone_where_loads_can_do_without_them() -> None:
    there = (ActualColumn("first", ColumnType("date")), ID, text("kind", 9, not_null=True, default="'x'"))
    assert drift("id BIGINT)", *there) == Drift((), ())
    [refused] = drift("id BIGINT)", ID, text("must", 9, not_null=True)).refused
    assert "'must' is not in the definition, and cannot be left alone" in refused
    [refused] = drift("id BIGINT)", ID, text("n", 9, not_null=True, default='"identity"(1, 0)')).refused
    assert "IDENTITY" in refused


def test_refusing_stands_alone() -> None:
    given = {"table_definition": "CREATE TABLE t (a INT)", "input": ["s3://b/k"]}
    with pytest.raises(ValidationError, match="refuse stands alone"):
        CreateLoadParameters.model_validate({**given, "on_drift": ["refuse", "widen"]})
    assert CreateLoadParameters.model_validate({**given, "on_drift": ["widen"]}).drift_policy == DriftPolicy(widen=True)


def test_what_mends_a_table_is_sql_of_redshift(redshift_grammar: Callable[[str], list[str]]) -> None:
    definition = 'a VARCHAR(9), "order" VARCHAR(9) COLLATE CI ENCODE ZSTD, n INT DEFAULT GETDATE() NOT NULL, s SUPER)'
    for statement in drift(definition, text("a", 3)).alterations:
        assert redshift_grammar(statement.text) == []
