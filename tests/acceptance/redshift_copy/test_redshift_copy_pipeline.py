"""RedshiftCopyActivity in pipelines, run by ``ductrunner pipeline run`` with a real agent: what is in the tables."""

from __future__ import annotations

import gzip
import json
import secrets
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import boto3
import psycopg2
import pymysql
import pytest
import yaml

from core.settings import Settings
from stores.secrets import resolve
from tests.conftest import RunningSandbox

LONG = "1234567890" * 10
ROWS = [
    (1, None),
    (2, ""),
    (3, 'it\'s "quoted", and,more'),
    (4, "line\nbreak\r\nand \\n"),
    (5, "C:\\new"),
    (6, "hä€😀"),
    (7, LONG),
    (8, "\\N"),
]
REF = {"ref": "Machine"}
Pipeline = Callable[..., None]


@pytest.fixture
def settings(sandbox: RunningSandbox) -> Settings:
    """The sandbox's databases."""
    return Settings.model_validate(yaml.safe_load(Path(sandbox.environment["DUCTRUNNER_CONFIG"]).read_text()))


@pytest.fixture
def warehouse(settings: Settings) -> Callable[..., list[tuple[Any, ...]]]:
    """Run SQL in the sandbox's warehouse."""
    place = settings.redshift
    assert place is not None

    def sql(text: str, *values: Any) -> list[tuple[Any, ...]]:
        login = {"user": place.username, "password": resolve(place.password), "dbname": place.database_name}
        with closing(psycopg2.connect(host=place.host, port=place.port, **login)) as connection:
            connection.autocommit = True
            cursor = connection.cursor()
            cursor.execute(text, values or None)
            return cursor.fetchall() if cursor.description else []

    return sql


@pytest.fixture
def aws(sandbox: RunningSandbox, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Any]:
    """Clients of the sandbox's AWS."""
    for name, value in sandbox.environment.items():
        monkeypatch.setenv(name, value)
    return boto3.client


@pytest.fixture
def run(sandbox: RunningSandbox, settings: Settings, tmp_path: Path) -> Pipeline:
    """Run a definition whose objects name the warehouse ``Cluster`` and the machine ``Machine``; it must finish."""
    place = settings.redshift
    assert place is not None
    shared = [
        {
            "id": "Default",
            "scheduleType": "ondemand",
            "maximumRetries": "0",
            "failureAndRerunMode": "CASCADE",
            "role": "DataPipelineDefaultRole",
            "resourceRole": "DataPipelineDefaultResourceRole",
        },
        {"id": "Machine", "type": "Ec2Resource", "terminateAfter": "1 Hour"},
        {
            "id": "Cluster",
            "type": "RedshiftDatabase",
            "connectionString": f"jdbc:postgresql://{place.host}:{place.port}/{place.database_name}?tcpKeepAlive=true",
            "username": place.username,
            "*password": resolve(place.password),
        },
    ]

    def run_pipeline(**objects: dict[str, Any]) -> None:
        path = tmp_path / f"{secrets.token_hex(4)}.json"
        path.write_text(json.dumps({"objects": [*shared, *({"id": key, **fields} for key, fields in objects.items())]}))
        done = sandbox.ductrunner("pipeline", "run", str(path), "--output", str(tmp_path / "out"))
        assert done.returncode == 0, done.stdout + done.stderr

    return run_pipeline


def copy(source: str, target: str, mode: str, **fields: Any) -> dict[str, Any]:
    ends = {"input": {"ref": source}, "output": {"ref": target}, "runsOn": REF}
    return {"type": "RedshiftCopyActivity", "insertMode": mode, **ends, **fields}


def table(name: str, **fields: Any) -> dict[str, Any]:
    return {"type": "RedshiftDataNode", "tableName": name, "database": {"ref": "Cluster"}, **fields}


def test_rows_of_mysql_pass_through_s3_into_the_warehouse_out_of_it_and_in_again(
    run: Pipeline, settings: Settings, warehouse: Any, aws: Any
) -> None:
    (host,) = settings.mysql.values()
    bucket, name = f"b-{secrets.token_hex(4)}", f"t_{secrets.token_hex(4)}"
    aws("s3").create_bucket(Bucket=bucket)
    login = {"user": host.username, "password": resolve(host.password), "database": host.database}
    with closing(pymysql.connect(host=host.host, port=host.port, autocommit=True, **login)) as connection:
        cursor = connection.cursor()
        cursor.execute(f"CREATE TABLE {name} (id INT, s VARCHAR(200)) CHARACTER SET utf8mb4")
        cursor.executemany(f"INSERT INTO {name} VALUES (%s, %s)", ROWS)
    create = f"CREATE TABLE {name} (id int PRIMARY KEY, s varchar(400))"
    run(
        Source={
            "type": "JdbcDatabase",
            "connectionString": f"jdbc:mysql://{host.host}:{host.port}/{host.database}",
            "jdbcDriverClass": "com.mysql.jdbc.Driver",
            "username": host.username,
            "*password": resolve(host.password),
        },
        Rows={
            "type": "SqlDataNode",
            "database": {"ref": "Source"},
            "table": name,
            "selectQuery": f"SELECT * FROM {name}",
        },
        Form={"type": "CSV"},
        Tabs={"type": "TSV"},
        Staged={"type": "S3DataNode", "directoryPath": f"s3://{bucket}/in", "dataFormat": {"ref": "Form"}},
        Unloaded={
            "type": "S3DataNode",
            "directoryPath": f"s3://{bucket}/out/#{{format(@scheduledStartTime,'YYYY-MM-dd')}}/",
            "dataFormat": {"ref": "Tabs"},
            "compression": "gzip",
        },
        Loaded=table(name, createTableSql=create),
        Again=table(f"{name}_again", createTableSql=create.replace(name, f"{name}_again"), primaryKeys=["id"]),
        Extract={"type": "CopyActivity", "input": {"ref": "Rows"}, "output": {"ref": "Staged"}, "runsOn": REF},
        Load=copy("Staged", "Loaded", "APPEND"),
        Unload=copy("Loaded", "Unloaded", "TRUNCATE"),
        LoadAgain=copy("Unloaded", "Again", "KEEP_EXISTING"),
    )
    assert warehouse(f"SELECT * FROM {name} ORDER BY id") == ROWS
    assert warehouse(f"SELECT * FROM {name}_again ORDER BY id") == ROWS
    keys = [item["Key"] for item in aws("s3").list_objects_v2(Bucket=bucket, Prefix="out/")["Contents"]]
    assert all(key.endswith(".gz") for key in keys)
    gzip.decompress(aws("s3").get_object(Bucket=bucket, Key=keys[0])["Body"].read())
    ((attempt, count),) = warehouse(
        "SELECT attempt_id, row_count FROM ductrunner_loads WHERE table_name = %s", f"public.{name}"
    )
    assert (attempt.startswith("@Load_"), count) == (True, len(ROWS))


def test_a_dynamodb_table_is_merged_into_a_table_after_a_transformation(
    run: Pipeline, warehouse: Any, aws: Any
) -> None:
    name = f"t_{secrets.token_hex(4)}"
    dynamodb = aws("dynamodb")
    key = {"AttributeName": "Id", "AttributeType": "N"}
    schema = [{"AttributeName": "Id", "KeyType": "HASH"}]
    throughput = {"ReadCapacityUnits": 5, "WriteCapacityUnits": 5}
    dynamodb.create_table(
        TableName=name, KeySchema=schema, AttributeDefinitions=[key], ProvisionedThroughput=throughput
    )
    for number, text in ((1, "new"), (2, "new")):
        dynamodb.put_item(TableName=name, Item={"Id": {"N": str(number)}, "Title": {"S": text}})
    warehouse(f"CREATE TABLE {name} (id int DISTKEY SORTKEY, title varchar(20))")
    warehouse(f"INSERT INTO {name} VALUES (2, 'old'), (3, 'old')")
    run(
        Items={"type": "DynamoDBDataNode", "tableName": name, "readThroughputPercent": "0.5"},
        Titles=table(name.upper(), schemaName="PUBLIC"),
        Load=copy("Items", "Titles", "OVERWRITE_EXISTING", transformSql="SELECT id, UPPER(title) FROM staging"),
    )
    assert warehouse(f"SELECT * FROM {name} ORDER BY id") == [(1, "NEW"), (2, "NEW"), (3, "old")]
