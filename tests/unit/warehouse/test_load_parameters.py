from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from core.errors import ParameterError, SchemaMismatch
from steps_impl.load.create_load_redshift import CreateLoadParameters
from steps_impl.load.staging import load_columns
from steps_impl.tables.parser import parse_table
from steps_impl.warehouse.upsert_parameters import UpsertParameters

BASE: dict[str, Any] = {"table_definition": "CREATE TABLE t (a INT)", "input": ["s3://b/k"]}


@pytest.mark.parametrize("written", ["?", "'?'", '"?"'])
def test_the_quotes_of_an_unshelled_argument_are_taken_off(written: str) -> None:
    assert CreateLoadParameters(**BASE, replace_invalid_char=written).replace_invalid_char == "?"


@pytest.mark.parametrize(
    "options",
    [
        "DELIMITER ','; DROP TABLE t",
        "CREDENTIALS 'aws_access_key_id=x'",
        "IAM_ROLE default",
        "ACCESS_KEY_ID 'x'",
        "MANIFEST",
        "NOLOAD",
        "DELIMITER 'unclosed",
    ],
)
def test_copy_options_that_the_step_sets_itself_or_that_hold_keys_are_refused(options: str) -> None:
    with pytest.raises(ValidationError):
        CreateLoadParameters(**BASE, command_options=options)


def test_copy_options_in_place_of_all_are_passed_on() -> None:
    parameters = CreateLoadParameters(**BASE, command_options="DELIMITER '|' MAXERROR 3")
    options = parameters.copy_options(None)
    assert (options.instead, options.may_refuse) == ("DELIMITER '|' MAXERROR 3", True)


def test_copy_options_in_place_of_all_do_not_mix_with_single_ones() -> None:
    with pytest.raises(ValidationError, match="replaces all other options"):
        CreateLoadParameters(**BASE, command_options="DELIMITER '|'", max_error=3)


def test_the_format_is_told_by_the_manifest_unless_it_is_given() -> None:
    assert CreateLoadParameters(**BASE).copy_options("csv").format == "csv"
    assert CreateLoadParameters(**BASE).copy_options(None).format == "tsv"
    assert CreateLoadParameters(**BASE, input_format="tsv").copy_options("csv").format == "tsv"


@pytest.mark.parametrize(
    "values",
    [
        {"input": []},
        {"source_table": "x"},
        {"input": [], "source_sql": "SELECT 1; DELETE FROM t"},
        {"input": [], "source_table": "a.b.c"},
        {"input": [], "source_table": "a b"},
        {"compare_host": "shop"},
        {"compare_table": "x"},
        {"null_keys": "ignore"},
    ],
)
def test_an_upsert_that_contradicts_itself_is_refused(values: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        UpsertParameters(**{**BASE, **values})


TABLE = parse_table("CREATE TABLE t (n INT IDENTITY(1,1), a INT, d INT DEFAULT 1)")


def test_without_names_the_files_hold_all_columns_but_identity() -> None:
    assert load_columns(TABLE, None) == ("a", "d")


def test_columns_that_fill_themselves_may_miss_in_the_files() -> None:
    assert load_columns(TABLE, ("a",)) == ("a",)


@pytest.mark.parametrize(
    ("named", "what"),
    [(("d",), "'a' is not in the files"), (("a", "x"), "'x'"), (("n", "a"), "IDENTITY"), (("a", "a"), "twice")],
)
def test_columns_that_do_not_fit_are_named(named: tuple[str, ...], what: str) -> None:
    with pytest.raises(SchemaMismatch, match=what):
        load_columns(TABLE, named)


def test_options_that_copy_does_not_take_with_a_format_are_refused_whoever_told_the_format():
    parameters = CreateLoadParameters(**BASE, max_error=3)
    assert parameters.copy_options("json").format == "json"
    with pytest.raises(ParameterError, match="--max-error: COPY takes no such option with parquet files"):
        parameters.copy_options("parquet")
    with pytest.raises(ParameterError, match="--null-as"):
        CreateLoadParameters(**BASE, null_as="NULL", input_format="avro").copy_options(None)
