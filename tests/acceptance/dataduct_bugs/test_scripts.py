"""What Dataduct did to SQL on its way to the warehouse."""

from __future__ import annotations

from typing import Any

import pytest

#: Literal, and what has to arrive of it.
HARD = {
    "'a--b'": "a--b",
    "'/* x */'": "/* x */",
    "'begin; commit'": "begin; commit",
    "$$one;two$$": "one;two",
    r"E'it\'s; ok'": "it's; ok",
    "'%s %% %'": "%s %% %",
}


@pytest.fixture
def target(warehouse: Any) -> Any:
    warehouse.rows('CREATE TABLE t (a VARCHAR(20), "a;b" VARCHAR(20), "begin" INT, "commit" INT)')
    return warehouse


@pytest.mark.parametrize("literal", HARD)
def test_comments_semicolons_and_words_inside_of_strings_are_part_of_them(target: Any, literal: str) -> None:
    """Comments were removed inside of literals, and a statement was split at the semicolon of one."""
    target.run("sql-command", command=f"INSERT INTO t (a) VALUES ({literal}); -- done\nSELECT 1")
    definition = 'CREATE TABLE t (a VARCHAR(20), "a;b" VARCHAR(20), "begin" INT, "commit" INT)'
    target.run("create-update-sql", table_definition=definition, sql=f"INSERT INTO t (a) SELECT {literal}")
    assert target.rows("SELECT a FROM t") == [(HARD[literal],), (HARD[literal],)]


def test_names_that_hold_a_semicolon_or_are_begin_and_commit_stay_as_they_are(target: Any) -> None:
    """The bare words were deleted, the quoted name was split in two."""
    target.run("sql-command", command='INSERT INTO t ("a;b", "begin", "commit") VALUES (\'x\', 1, 2); SELECT 1')
    assert target.rows('SELECT "a;b", "begin", "commit" FROM t') == [("x", 1, 2)]


def test_a_value_is_bound_and_never_part_of_the_statement(target: Any) -> None:
    """SQL was made by formatting texts into texts."""
    value = "'); DROP TABLE t; --"
    target.run("sql-command", command="INSERT INTO t (a) VALUES (%s)", script_arguments=[value])
    assert target.rows("SELECT a FROM t") == [(value,)]


def test_the_statistics_are_renewed_in_a_transaction_that_is_committed(target: Any) -> None:
    """ANALYZE was left in an open transaction when the connection was closed."""
    definition = "CREATE TABLE u (a INT)"
    script = "INSERT INTO u SELECT 1 FROM svv_columns LIMIT 50"
    target.run("create-update-sql", table_definition=definition, sql=script)
    assert target.rows("SELECT reltuples FROM pg_class WHERE relname = 'u'") == [(50.0,)]
