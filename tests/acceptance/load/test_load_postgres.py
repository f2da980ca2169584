"""``load-postgres`` on a real server: the rows that are there afterwards, mode by mode."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import pytest

from core.errors import (
    CheckFailed,
    LoadRejected,
    NotFound,
    ParameterError,
    SchemaMismatch,
    TransactionConflict,
    UnsupportedValue,
)
from tests.acceptance.load.conftest import COLUMNS, OLD, Product, ended, numbers
from tests.integration.agent.conftest import eventually


def test_a_truncate_is_done_when_it_is_asked_for_and_undone_with_the_load(postgres: Product) -> None:
    table = postgres.make(COLUMNS, *OLD)
    with pytest.raises(LoadRejected):
        postgres.load(table, postgres.values((3, "x", "much")), mode="replace", replace_by="truncate")
    assert numbers(postgres.rows(table)) == OLD
    assert postgres.load(table, postgres.values((3, "x", 1)), mode="replace", replace_by="truncate").rows == 1
    assert numbers(postgres.rows(table)) == [(3, "x", "1.00")]


def test_identity_serial_generated_and_default_columns_are_kept_in_step(postgres: Product) -> None:
    table = postgres.make(
        "a INT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, b SERIAL, c INT GENERATED ALWAYS AS (a * 2) STORED, "
        "d INT DEFAULT 4"
    )
    for mode in ("replace", "upsert", "delete-insert"):
        postgres.load(table, postgres.values((50, 60)), mode=mode, columns=["a", "b"])
    postgres.sql(f"INSERT INTO {table} DEFAULT VALUES")
    assert postgres.rows(table) == [(50, 60, 100, 4), (51, 61, 102, 4)]


def test_numbers_dates_bytes_and_reserved_words_arrive_as_they_are(postgres: Product) -> None:
    table = postgres.make(
        '"select" NUMERIC(38,10) PRIMARY KEY, "from" TIMESTAMP, "Group" BYTEA, "a""b" FLOAT8, c CHAR(10), t TIMESTAMPTZ'
    )
    row = ("9999999999999999999999999999.0123456789", "infinity", "00ff5c0a", "NaN", "ab", "2026-01-01 00:00:00+02")
    for mode in ("append", "upsert", "replace"):
        postgres.sql(f"DELETE FROM {table}")
        postgres.load(table, postgres.values(row), mode=mode)
        found = postgres.sql(
            f"""SELECT "select"::text, "from"::text, encode("Group", 'hex'), "a""b"::text, c FROM {table}"""
        )
        assert found == [(*row[:4], "ab        ")]


def test_a_refusal_at_the_commit_and_rows_that_a_trigger_drops_fail_the_load(postgres: Product) -> None:
    deferred = postgres.make("id INT PRIMARY KEY DEFERRABLE INITIALLY DEFERRED", (1,))
    with pytest.raises(LoadRejected, match=r"refused a row: duplicate key .*; nothing was changed"):
        postgres.load(deferred, postgres.values((2,), (2,)), mode="append")
    assert postgres.rows(deferred) == [(1,)]
    table = postgres.make("id INT PRIMARY KEY, v INT", (1, 1))
    postgres.sql(
        f"CREATE FUNCTION drop_{table}() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RETURN CASE WHEN NEW.id = 7 THEN NULL ELSE NEW END; END $$",
        f"CREATE TRIGGER t BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION drop_{table}()",
    )
    for mode in ("append", "upsert", "delete-insert", "replace"):
        with pytest.raises(LoadRejected, match="took 1 rows of 2; nothing was changed"):
            postgres.load(table, postgres.values((7, 2), (1, 2) if mode != "append" else (2, 2)), mode=mode)
        assert postgres.rows(table) == [(1, 1)]


def test_nul_bytes_are_refused_by_place_or_removed(postgres: Product) -> None:
    table = postgres.make("v TEXT")
    with pytest.raises(UnsupportedValue, match="line 2, column v: a NUL byte"):
        postgres.load(table, postgres.file(b"ok\na\0b\n"))
    postgres.load(table, postgres.file(b"a\0b\n"), nul_bytes="remove")
    assert postgres.rows(table) == [("ab",)]


def test_a_row_that_does_not_fit_is_told_by_file_and_line_without_its_values(postgres: Product) -> None:
    table = postgres.make("id SMALLINT PRIMARY KEY, v VARCHAR(3) NOT NULL DEFAULT 'x'", (1, "old"))
    for content, told in [
        ("3\tabc\n99999\tabc\n", "line 2, column id"),
        ("3\tsecret\n", "line 1, column v"),
        ("3\t\\N\n", "line 1"),
        ("3\n", "line 1: it has 1 values"),
        ("3\ta\n4\n", "line 2"),
        ("5\ta\n5\tb\n", "line 2"),
        (b"5\t\xff\n", "not UTF-8"),
    ]:
        for mode in ("append", "replace") if "5\tb" in str(content) else ("append", "replace", "upsert"):
            with pytest.raises((LoadRejected, UnsupportedValue), match=told) as failed:
                postgres.load(table, postgres.file(content), mode=mode)
            assert "rows.tsv" in str(failed.value)
            assert "secret" not in str(failed.value)
            assert postgres.rows(table) == [(1, "old")]


def test_what_cannot_be_loaded_is_refused_before_anything_is_changed(postgres: Product, tmp_path: Path) -> None:
    table = postgres.make("id INT, v TEXT, twice INT GENERATED ALWAYS AS (id * 2) STORED")
    parent = postgres.make(COLUMNS, *OLD)
    child = postgres.make(f"id INT REFERENCES {parent} ON DELETE CASCADE", (1,))
    postgres.sql(f"CREATE VIEW v_{table} AS SELECT id, v FROM {table}")
    (tmp_path / "part-0").write_bytes(b"1\ta\n")
    (tmp_path / "manifest").write_text(json.dumps({"entries": [{"url": "part-0", "meta": {"record_count": 3}}]}))
    entries = [{"url": "part-0"}, {"url": "part-1"}]
    (tmp_path / "second-is-missing.manifest").write_text(json.dumps({"entries": entries}))
    source = postgres.values((1, "a"))
    three = postgres.values((1, "a", 1))
    for error, told, into, given in [
        (NotFound, "has no table nothing", "nothing", {}),
        (ParameterError, "is a view", f"v_{table}", {}),
        (SchemaMismatch, "no column to write other", table, {"columns": ["id", "other"]}),
        (SchemaMismatch, r"twice \(generated\)", table, {"columns": ["id", "twice"]}),
        (ParameterError, "has no primary key", table, {"mode": "upsert"}),
        (ParameterError, "no unique key", table, {"mode": "upsert", "keys": ["id"]}),
        (ParameterError, "ON DELETE CASCADE", parent, {"mode": "replace", "source": three}),
        (ParameterError, "ON DELETE CASCADE", parent, {"mode": "delete-insert", "source": three}),
        (CheckFailed, "--allow-empty", table, {"mode": "replace", "source": postgres.file("")}),
        (CheckFailed, "holds 1 rows, and its manifest says 3", table, {"source": str(tmp_path / "manifest")}),
        (NotFound, r"no file .*part-1", table, {"source": str(tmp_path / "second-is-missing.manifest")}),
        (LoadRejected, "1 rows .* NULL in the key", table,
         {"mode": "delete-insert", "keys": ["id"], "source": postgres.values((None, "a"))}),
        (LoadRejected, r"1 keys .* \(1 rows more\)", parent,
         {"mode": "upsert", "duplicates": "fail", "source": postgres.values((1, "a", 1), (1, "b", 1))}),
    ]:  # fmt: skip
        parameters = {"source": source, **given}
        with pytest.raises(error, match=told):
            postgres.load(into, parameters.pop("source"), **parameters)
    assert postgres.rows(table) == []
    assert numbers(postgres.rows(parent)) == OLD
    assert postgres.rows(child) == [(1,)]


def test_a_lock_of_somebody_else_is_waited_for_and_then_told(postgres: Product) -> None:
    table = postgres.make(COLUMNS, *OLD)
    with postgres.blocked(f"SELECT * FROM {table} FOR UPDATE"), pytest.raises(TransactionConflict):
        postgres.load(table, postgres.values((1, "new", 1)), mode="replace", lock_timeout=1)
    assert numbers(postgres.rows(table)) == OLD


@pytest.mark.parametrize("signal_number", [signal.SIGKILL, signal.SIGTERM])
@pytest.mark.parametrize("mode", ["append", "upsert", "replace"])
def test_a_load_that_ends_at_its_last_moment_changes_nothing_and_a_rerun_does_it(
    postgres: Product, mode: str, signal_number: signal.Signals
) -> None:
    table = postgres.make(COLUMNS, *OLD)
    source = postgres.values((3, "three", 3))
    with postgres.blocked(f"INSERT INTO {table} VALUES (3, 'held')"):
        process = postgres.start(table, source, mode=mode)
        waiting = "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND application_name = 'ductrunner'"
        eventually(lambda: postgres.sql(waiting), "it waits for the other one's row")
        process.send_signal(signal_number)
        assert ended(process) == (143 if signal_number == signal.SIGTERM else -signal.SIGKILL)
    eventually(lambda: not postgres.sql(waiting), "the killed statement ends")
    assert numbers(postgres.rows(table)) == OLD
    postgres.load(table, source, mode=mode)
    assert numbers(postgres.rows(table)) == [*(OLD if mode != "replace" else []), (3, "three", "3.00")]
