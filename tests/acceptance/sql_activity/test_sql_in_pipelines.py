"""SqlActivity through the service and a real agent."""

from __future__ import annotations

from typing import Any

import pytest

from tests.acceptance.sql_activity.conftest import Target
from tests.integration.agent.conftest import Bench


def work(target: Target, **fields: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    activity = {"id": "Work", "type": "SqlActivity", "database": {"ref": "Db"}, "maximumRetries": "0", **fields}
    return target.database(), activity


def test_a_pipeline_with_a_sql_activity_changes_the_data(served: Bench, target: Target):
    script = "create table t (a varchar(20)); insert into t values (?)"
    pipeline = served.run(*work(target, script=script, scriptArgument="from #{name}", name="the pipeline"))
    assert served.ended(pipeline)["@status"] == "FINISHED"
    assert target.sql("select a from t") == [("from the pipeline",)]


def test_a_script_that_fails_is_told_with_its_number_and_without_the_password(served: Bench, target: Target):
    pipeline = served.run(*work(target, script="select 1; select * from nowhere"))
    attempt = served.ended(pipeline)
    assert (attempt["@status"], attempt["errorId"]) == ("FAILED", "NotFound")
    assert "statement 2 of 2" in attempt["errorMessage"]
    texts = [path.read_text() for path in served.worker.output.rglob("Std*") if pipeline in str(path)]
    assert len(texts) == 2
    assert not any(target.address.password in text for text in (*texts, served.worker.text, attempt["errorMessage"]))


@pytest.mark.parametrize("engine", ["postgres"])
def test_a_task_that_holds_the_attempt_alone_is_completed_by_asking(
    attempt_only_bench: Bench, target_of: Any, engine: str
):
    target = target_of(engine)
    attempt_only_bench.agent("--once")
    pipeline = attempt_only_bench.run(*work(target, script="create table t as select 7 as a"))
    assert attempt_only_bench.ended(pipeline)["@status"] == "FINISHED"
    assert target.sql("select a from t") == [(7,)]


def test_another_kind_of_database_fails_by_name(served: Bench, target_of: Any):
    database, activity = work(target_of("postgres"), script="select 1")
    database |= {"connectionString": "jdbc:oracle:thin:@//db:1521/x", "jdbcDriverClass": "oracle.jdbc.OracleDriver"}
    attempt = served.ended(served.run(database, activity))
    assert attempt["errorId"] == "UnsupportedDatabase"
    assert "oracle.jdbc.OracleDriver" in attempt["errorMessage"]
