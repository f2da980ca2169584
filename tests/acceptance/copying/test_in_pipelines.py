"""CopyActivity through the service and an agent, as definitions have it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.acceptance.copying.conftest import Copying, Database
from tests.integration.agent.conftest import Bench


def objects(copying: Copying, database: Database, table: str, **fields: Any) -> list[dict[str, Any]]:
    """A pipeline as the guide's examples write one: S3 → table → S3."""
    a = database.address
    scheme = {"mysql": "mysql", "postgres": "postgresql", "redshift": "redshift"}[database.engine]
    return [
        {"id": "Load", "type": "CopyActivity", "input": {"ref": "Source"}, "output": {"ref": "Table"},
         "maximumRetries": "0"},
        {"id": "Unload", "type": "CopyActivity", "input": {"ref": "Table"}, "output": {"ref": "Target"},
         "dependsOn": {"ref": "Load"}, "maximumRetries": "0"},
        {"id": "Source", "type": "S3DataNode", "filePath": f"s3://{copying.bucket}/in/items.csv",
         "dataFormat": {"ref": "Csv"}},
        {"id": "Csv", "type": "CSV", "column": ["id INT", "name STRING"]},
        {"id": "Tsv", "type": "TSV"},
        {"id": "Target", "type": "S3DataNode", "directoryPath": f"s3://{copying.bucket}/out",
         "dataFormat": {"ref": "Tsv"}, "compression": "gzip"},
        {"id": "Table", "type": "SqlDataNode", "table": table, "database": {"ref": "Db"},
         "selectQuery": "select * from #{table} order by id",
         "insertQuery": "insert into #{table} (id, name) values (?, ?)", **fields},
        {"id": "Db", "type": "JdbcDatabase", "connectionString": f"jdbc:{scheme}://{a.host}:{a.port}/{a.database}",
         "jdbcDriverClass": "any.Driver", "username": a.username, "*password": a.password},
    ]  # fmt: skip


@pytest.mark.parametrize("engine", ["mysql", "postgres", "redshift"])
def test_a_pipeline_loads_a_file_and_writes_the_table_back(served: Bench, copying: Copying, engine: str) -> None:
    database = copying.databases[engine]
    table = database.make("id INT, name VARCHAR(20)")
    copying.put("in/items.csv", b"2,it's 100%\n1,\\n\n")
    pipeline = served.run(*objects(copying, database, table))
    attempts = served.all_ended(pipeline, 2)

    assert [attempt["@status"] for attempt in attempts] == ["FINISHED", "FINISHED"], attempts
    assert database.rows(table) == [(1, None), (2, "it's 100%")]
    [key] = copying.keys("out/")
    assert key.startswith("out/Unload_")
    assert copying.get(key) == b"1\t\\n\n2\tit's 100%\n"


def test_a_row_that_does_not_fit_is_in_the_error_message_of_the_attempt(served: Bench, copying: Copying) -> None:
    database = copying.databases["postgres"]
    table = database.make("id INT, name VARCHAR(20)", [(7, "earlier")])
    copying.put("in/items.csv", b"1,a\nsecret,b\n")
    pipeline = served.run(*objects(copying, database, table)[:1], *objects(copying, database, table)[2:])
    attempt = served.ended(pipeline)

    assert attempt["@status"] == "FAILED"
    assert attempt["errorId"] == "LoadRejected"
    assert "in/items.csv, line 2, column id" in attempt["errorMessage"]
    assert "secret" not in attempt["errorMessage"]
    assert database.rows(table) == [(7, "earlier")]


def test_objects_that_come_without_the_task_are_fetched(
    attempt_only_bench: Bench,
    copying: Copying,
) -> None:
    database = copying.databases["mysql"]
    table = database.make("id INT, name VARCHAR(20)")
    copying.put("in/items.csv", b"1,a\n")
    attempt_only_bench.agent()
    pipeline = attempt_only_bench.run(*objects(copying, database, table))

    assert [attempt["@status"] for attempt in attempt_only_bench.all_ended(pipeline, 2)] == ["FINISHED", "FINISHED"]
    assert database.rows(table) == [(1, "a")]
