"""The flags of the seven entry points, one by one: what reaches the step, and what is refused."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any

import pytest

from steps_impl.registry import Step, load_step

EXECUTORS = "dataduct.steps.executors"
DDL = "CREATE TABLE dev.t (id INTEGER PRIMARY KEY)"
TOPIC = "arn:aws:sns:us-east-1:123456789012:t"


class Entry:
    """Calls entry points and keeps what reaches their step, once its model has read it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._patch = monkeypatch
        self.reached: Any = None

    def call(self, entry: str, *words: str) -> Any:
        """Call ``module:function`` with these arguments."""
        module_name, _, function = entry.partition(":")
        module = importlib.import_module(f"{EXECUTORS}.{module_name}")
        self._patch.setattr(sys, "argv", ["-c", *words])
        self._patch.setattr(module, "finish", self._keep, raising=False)
        getattr(module, function)()
        return self.reached

    def _keep(self, step: Step | str, values: dict[str, Any]) -> None:
        chosen = load_step(step) if isinstance(step, str) else step
        self.reached = chosen.parameters.model_validate(
            {name: value for name, value in values.items() if value is not None}
        )


@pytest.fixture
def entry(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Entry:
    for name in ("DATADUCT_CONFIG_PATH", "DUCTRUNNER_CONFIG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    return Entry(monkeypatch)


LOAD = "create_load_redshift:create_load_redshift_runner"
SQL = "runner:sql_runner"


def test_the_defaults_of_create_load(entry: Entry) -> None:
    given = entry.call(LOAD, "--table_definition", DDL, "--s3_input_paths", "s3://b/1", "s3://b/2")
    assert (given.input, given.table_definition) == (("s3://b/1", "s3://b/2"), DDL)
    assert (given.null_as, given.escape, given.truncate_columns, given.max_error) == ("NULL", True, True, 0)


@pytest.mark.parametrize("character", ["?", "'?'", '"?"'])
def test_every_flag_of_create_load(entry: Entry, character: str) -> None:
    flags = ["--max_error=5", "--no_escape", "--gzip", "--force_drop_table", f"--replace_invalid_char={character}"]
    given = entry.call(LOAD, f"--table_definition={DDL}", *flags, "--s3_input_paths", "s3://b/1")
    assert (given.max_error, given.escape, given.gzip, given.replace_invalid_char) == (5, False, True, "?")


def test_command_options_replace_all_others(entry: Entry) -> None:
    options = "DELIMITER '|' NULL AS 'x y'"
    words = [f"--table_definition={DDL}", "--command_options", options, "--max_error=5", "--s3_input_paths", "s3://b/1"]
    given = entry.call(LOAD, *words)
    assert (given.command_options, given.max_error) == (options, 0)


def test_every_argument_that_is_no_flag_of_sql_runner_is_a_value(entry: Entry) -> None:
    words = ["--analyze", "one", "--non_transactional", "-2", "--like=a flag", "it's", "", "--ana"]
    given = entry.call(SQL, f"--table_definition={DDL}", "--sql", "-- a comment\nSELECT %s", *words)
    assert given.arguments == ("one", "-2", "--like=a flag", "it's", "", "--ana")
    assert (given.analyze, given.non_transactional, given.sql) == (True, True, "-- a comment\nSELECT %s")


@pytest.mark.parametrize("topic", [None, "None", "", TOPIC])
def test_every_flag_of_a_check(entry: Entry, topic: str | None) -> None:
    told = [] if topic is None else ["--sns_topic_arn", topic]
    key = entry.call("primary_key_check:primary_key_check", "--table", DDL, *told)
    assert (key.test_name, key.log_to_s3, key.path_suffix) == ("Check Primary Key", False, "")
    assert (key.sns_topic_arn, key.on_failure) == ((TOPIC, "warn") if topic == TOPIC else (None, "fail"))
    queries = ["--source_sql=a", "--source_host=h", "--destination_sql", "b", "--log_to_s3", "--path_suffix=x/y"]
    count = entry.call("count_check:count_check", *queries, *told)
    assert (count.test_name, count.tolerance, count.log_to_s3, count.path_suffix) == ("Check Count", 1.0, True, "x/y")
    column = entry.call("column_check:column_check", *queries, "--sample_size=7", "--tolerance=2.5", "--test_name=p.c")
    assert (column.test_name, column.tolerance, column.sample_size) == ("p.c", 2.5, 7)


def test_every_flag_of_dependency_check(entry: Entry) -> None:
    defaults = entry.call("dependency_check:dependency_check")
    assert (defaults.dependencies, defaults.dependencies_ok_to_fail, defaults.refresh_rate) == ((), (), 900.0)
    words = ["--dependencies", "a", "b", "--dependencies_ok_to_fail", "c", "--pipeline_name", "p", "--refresh_rate=300"]
    given = entry.call("dependency_check:dependency_check", *words, "--start_date=2030-01-02", "--sns_topic_arn=None")
    assert (given.dependencies, given.dependencies_ok_to_fail, given.pipeline_name) == (("a", "b"), ("c",), "p")
    assert (given.refresh_rate, str(given.start_date), given.sns_topic_arn) == (300.0, "2030-01-02", None)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        (LOAD, ["--table_definition", DDL]),
        (LOAD, ["--s3_input_paths", "s3://b/1"]),
        (LOAD, ["--table_definition", DDL, "--s3_input_paths", "s3://b/1", "--unknown"]),
        (LOAD, ["--table_def", DDL, "--s3_input_paths", "s3://b/1"]),
        (LOAD, ["--table_definition", DDL, "--s3_input_paths", "s3://b/1", "--max_error", "x"]),
        (SQL, ["--sql", "SELECT 1"]),
        (SQL, ["--table_definition", DDL]),
        ("runner:script_runner", ["--SCRIPT_NAME=x"]),
        ("runner:script_runner", ["--INPUT_SRC_ENV_VAR=x"]),
        ("primary_key_check:primary_key_check", []),
        ("primary_key_check:primary_key_check", ["--table", DDL, "--tolerance=1"]),
        ("count_check:count_check", ["--source_sql=a", "--destination_sql=b"]),
        ("column_check:column_check", ["--source_sql=a", "--source_host=h", "--destination_sql=b"]),
        ("dependency_check:dependency_check", ["--unknown"]),
    ],
)
def test_a_missing_an_unknown_and_a_shortened_flag_are_errors(entry: Entry, name: str, words: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        entry.call(name, *words)
    assert ended.value.code == 2
    assert entry.reached is None


def test_a_configuration_that_cannot_be_read_is_left_to_the_step_to_tell(
    entry: Entry, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "bad.yaml").write_text("etl: [1,")
    monkeypatch.setenv("DUCTRUNNER_CONFIG", str(tmp_path / "bad.yaml"))
    given = entry.call("primary_key_check:primary_key_check", "--table", DDL)
    assert (given.on_failure, given.sns_topic_arn) == ("fail", None)
