from __future__ import annotations

import pytest
from pydantic import ValidationError

from core.errors import ParameterError
from steps_impl.activities.servers.server import Engine
from steps_impl.activities.sql.places import bind_places
from steps_impl.activities.sql.script import split_script
from steps_impl.activities.sql.transactions import inside_one
from steps_impl.warehouse.sql_command import SqlCommandParameters


def inside(script: str, engine: Engine = "redshift") -> list[str]:
    return [piece.text for piece in inside_one(split_script(script, engine), engine)]


def test_a_pair_of_begin_and_commit_around_everything_is_the_transaction_itself() -> None:
    assert inside("BEGIN; DELETE FROM t; INSERT INTO t SELECT 1; COMMIT;") == [
        "DELETE FROM t",
        "INSERT INTO t SELECT 1",
    ]
    assert inside("start transaction; SELECT 1; END WORK") == ["SELECT 1"]


@pytest.mark.parametrize(
    ("engine", "script", "told"),
    [
        ("redshift", "SELECT 1; VACUUM t", "statement 2 (VACUUM T) may not be part of a transaction"),
        ("redshift", "/* x */ TRUNCATE t; SELECT 1", "statement 1 (TRUNCATE T) commits what came before it"),
        ("redshift", "SELECT 1; ALTER TABLE a /* c */ APPEND -- d\n FROM b", "statement 2 (ALTER TABLE) may not"),
        ("redshift", "SELECT 1; ALTER TABLE a ALTER COLUMN c TYPE VARCHAR(9)", "statement 2 (ALTER TABLE) may not"),
        ("redshift", "SELECT 1; CREATE EXTERNAL TABLE x.y (a int)", "statement 2 (CREATE EXTERNAL) may not"),
        ("redshift", "SELECT 1; COMMIT; SELECT 2", "statement 2 (COMMIT) begins or ends a transaction itself"),
        ("postgres", "SELECT 1; CREATE INDEX CONCURRENTLY i ON t (a)", "statement 2 (CREATE INDEX) may not"),
        ("mysql", "INSERT INTO t VALUES (1); DROP TABLE u", "statement 2 (DROP TABLE) commits"),
        ("mysql", "INSERT INTO t VALUES (1); # c\nTRUNCATE u", "statement 2 (TRUNCATE U) commits"),
    ],
)
def test_what_breaks_the_transaction_is_told_before_anything_runs(engine: Engine, script: str, told: str) -> None:
    with pytest.raises(ParameterError) as caught:
        inside(script, engine)
    assert told in str(caught.value)
    assert "--no-wrap-transaction" in str(caught.value)


@pytest.mark.parametrize(
    ("engine", "script"),
    [
        ("redshift", "VACUUM t"),
        ("redshift", "TRUNCATE t"),
        ("redshift", "SELECT 'vacuum; truncate'; CALL p()"),
        ("redshift", "CREATE TABLE end_of_day (a INT); DROP TABLE end_of_day"),
        ("mysql", "CREATE TEMPORARY TABLE t (a INT); INSERT INTO t VALUES (1); DROP TEMPORARY TABLE t"),
        ("postgres", "TRUNCATE t; CREATE INDEX i ON t (a)"),
    ],
)
def test_what_fits_into_one_transaction_or_stands_alone_is_let_through(engine: Engine, script: str) -> None:
    assert inside(script, engine)


def test_values_go_to_their_places_in_order_or_by_name() -> None:
    bound = bind_places(["A %s LIKE 'x%'", "B", "C %s %% d%"], ["1", "2"], {})
    assert [(s.text, s.parameters) for s in bound] == [
        ("A %s LIKE 'x%%'", ("1",)),
        ("B", ()),
        ("C %s %% d%%", ("2",)),
    ]
    named = bind_places(["%(day)s %(day)s %s", "100%"], [], {"day": "x"})
    assert [(s.text, s.parameters) for s in named] == [("%s %s %%s", ("x", "x")), ("100%", ())]
    assert bind_places(["A %s %%"], [], {})[0].text == "A %s %%", "without values a percent sign is nothing special"


@pytest.mark.parametrize(
    ("arguments", "named", "told"),
    [
        (["secret", "b"], {}, "has 1 places (%s), and 2 arguments"),
        ([], {"day": "secret"}, "no value for who; no place %(…)s for day"),
        (["secret"], {"who": "b"}, "not both"),
    ],
)
def test_values_without_a_place_and_places_without_a_value_are_errors_that_tell_no_value(
    arguments: list[str], named: dict[str, str], told: str
) -> None:
    with pytest.raises(ParameterError) as caught:
        bind_places(["SELECT %s, %(who)s"], arguments, named)
    assert told in str(caught.value)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("given", [{}, {"command": "SELECT 1", "script": "s3://b/k"}])
def test_exactly_one_source_of_the_script_is_given(given: dict[str, str]) -> None:
    with pytest.raises(ValidationError, match="exactly one of --command, --script and --sql-script"):
        SqlCommandParameters.model_validate(given)


def test_numbers_among_the_values_are_taken_as_they_are_written() -> None:
    given = {"command": "SELECT 1", "script_arguments": [7, 2.5, "x"], "named_arguments": {"n": 3}}
    parameters = SqlCommandParameters.model_validate(given)
    assert parameters.script_arguments == ("7", "2.5", "x")
    assert parameters.named_arguments == {"n": "3"}
