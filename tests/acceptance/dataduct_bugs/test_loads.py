"""What Dataduct's loads lost, mixed up or gave away."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from core.errors import LoadRejected, SchemaMismatch
from steps_impl.load.copy_options import CopyOptions, CopyTarget, copy_statement
from steps_impl.tables.model import TableName

CHECKOUT = Path(__file__).parents[3]
TABLE = "CREATE TABLE t (id INT NOT NULL PRIMARY KEY, note VARCHAR(9)) DISTSTYLE ALL SORTKEY(note)"
COLUMNS = ("id", "note")


@pytest.fixture
def loaded(warehouse: Any) -> Any:
    load(warehouse, [["1", "old"]])
    return warehouse


def load(warehouse: Any, *parts: list[list[str | None]], name: str = "in", **more: Any) -> Any:
    place = warehouse.put_extract(name, COLUMNS, *parts)
    return warehouse.run("create-load-redshift", table_definition=TABLE, input=[place], **more)


def test_a_load_that_fails_leaves_the_former_rows(loaded: Any) -> None:
    """TRUNCATE, then COPY: a failing load left an empty table."""
    with pytest.raises(LoadRejected):
        load(loaded, [["2", "new"], ["x", "bad"]])
    assert loaded.rows("SELECT id, note FROM t") == [(1, "old")]


def test_the_text_null_is_not_null(loaded: Any) -> None:
    """NULL AS 'NULL' made NULL of a legal text."""
    load(loaded, [["1", "NULL"], ["2", None], ["3", "C:\\new"]])
    assert loaded.rows("SELECT note FROM t ORDER BY id") == [("NULL",), (None,), ("C:\\new",)]


def test_columns_go_where_their_names_say(loaded: Any) -> None:
    """SELECT * by position crossed columns."""
    place = loaded.put_extract("crossed", ("note", "id"), [["5", "6"]])
    loaded.run("create-load-redshift", table_definition=TABLE, input=[place])
    assert loaded.rows("SELECT id, note FROM t") == [(6, "5")]
    loaded.rows("CREATE TABLE s (note VARCHAR(9), id INT)")
    loaded.rows("INSERT INTO s VALUES ('7', 8)")
    loaded.run("upsert", table_definition=TABLE, source_table="s")
    assert loaded.rows("SELECT id, note FROM t ORDER BY id") == [(6, "5"), (8, "7")]


def test_types_and_order_of_an_existing_table_are_compared_too(warehouse: Any) -> None:
    """Only the sorted names were."""
    warehouse.rows("CREATE TABLE t (note VARCHAR(9), id BIGINT NOT NULL)")
    with pytest.raises(SchemaMismatch, match=r"'id' is bigint, defined as integer.*another order"):
        load(warehouse, [["1", "a"]])


def test_a_load_reports_its_own_errors_without_their_data(loaded: Any) -> None:
    """All errors that were ever logged for the path were printed, each with its row."""
    for value in ("first-secret", "later-secret"):
        with pytest.raises(LoadRejected) as caught:
            load(loaded, [["1", "ok"], ["2", "ok"], [value, "bad"]])
    message = str(caught.value)
    assert message.count("line 3") == 1
    assert "column id" in message
    assert "secret" not in message


def test_a_failing_load_prints_no_row_and_no_key(loaded: Any) -> None:
    """Row data went to stderr; keys stood in the COPY."""
    place = loaded.put_extract("bad", COLUMNS, [["hidden-value", "x"]])
    words = ["--table-definition", TABLE, "--input", place]
    command = [sys.executable, "-m", "ductrunner", "step", "create-load-redshift", *words]
    ended = subprocess.run(command, env=loaded.environment, cwd=CHECKOUT, capture_output=True, text=True, check=False)
    assert ended.returncode == 1
    assert json.loads(ended.stdout)["errorId"] == "LoadRejected"
    assert "hidden-value" not in ended.stdout + ended.stderr
    copy = copy_statement(
        CopyTarget(TableName("s"), COLUMNS), "s3://b/manifest", ["s3://b/x"], "arn:role", CopyOptions()
    )
    assert "IAM_ROLE 'arn:role'" in copy.text
    assert not {"CREDENTIALS", "ACCESS_KEY_ID"} & set(copy.text.split())


def test_several_inputs_are_one_copy_of_exactly_their_files(loaded: Any) -> None:
    """There was one COPY for each path, and a path also loaded what began with the same name."""
    loaded.put_tsv("a/one.gz", [["1", "a"]])
    loaded.put_tsv("b/two.gz", [["2", "b"]])
    loaded.put_tsv("a_old/three.gz", [["3", "c"]])
    (before,) = loaded.rows("SELECT COUNT(*) FROM sys_load_history")[0]
    inputs = [f"s3://{loaded.bucket}/{name}" for name in ("a", "b/two.gz")]
    loaded.run("create-load-redshift", table_definition=TABLE, input=inputs)
    assert loaded.rows("SELECT id FROM t ORDER BY id") == [(1,), (2,)]
    assert loaded.rows("SELECT COUNT(*) FROM sys_load_history") == [(before + 1,)]


def test_staging_tables_keep_the_keys_of_the_target_under_a_name_of_their_own(loaded: Any) -> None:
    """They had names and types only, and one fixed name for all runs."""
    seen: list[Any] = []
    staging = (
        "SELECT c.relname, redshift_declared(c.oid)->>'diststyle', redshift_declared(c.oid) ? 'sortkey' "
        "FROM pg_class c WHERE c.relname LIKE 'stg\\_%' AND c.relkind = 'r'"
    )
    for name in ("one", "two"):
        loaded.reporter.at["exchange"] = lambda: seen.extend(loaded.rows(staging))
        load(loaded, [["1", "a"]], name=name)
    assert [row[1:] for row in seen] == [("all", True), ("all", True)]
    assert seen[0][0] != seen[1][0]


def test_a_replacing_character_in_quotes_is_the_character(loaded: Any) -> None:
    """Arguments never passed a shell: the quotes of the documentation went into the COPY."""
    place = loaded.put("in/file", b"1\ta\xff\n")
    given = {"table_definition": TABLE, "input": [place]}
    result = loaded.run("create-load-redshift", **given, replace_invalid_char="'?'")
    assert loaded.rows("SELECT note FROM t") == [("a?",)]
    assert result.details["replaced_characters"] == 1
