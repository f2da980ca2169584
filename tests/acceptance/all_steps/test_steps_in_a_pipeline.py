"""The steps one after another as commands of a pipeline's activities, through the sandbox and a real worker.

From a product's MySQL into the warehouse, checked, unloaded, and back into MySQL, Postgres, DynamoDB and S3.
"""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any

import boto3
import psycopg2
import pymysql
import pytest
import yaml

from tests.conftest import RunningSandbox

BASE = "s3://ductrunner-sandbox/all-steps"
#: What breaks peers: NULL, '', 'NULL', the marker itself, backslashes, line ends, four-byte letters, quotes.
NAMES = [None, "", "NULL", "\\N", "C:\\new", "a\tb\r\nc", "🦆" * 5, '"it\'s",;|']
DDL = (
    "CREATE TABLE {} (id INTEGER NOT NULL PRIMARY KEY, name VARCHAR(40), amount DECIMAL(38,10)) DISTKEY(id) SORTKEY(id)"
)
BACK = "CREATE TABLE back (id INT PRIMARY KEY, name VARCHAR(40), amount DECIMAL(38,10))"

STEPS = {
    "Extract": f"extract-rds --host-name source --table goods --splits 2 --output {BASE}/goods/",
    "Wait": f"wait-for-data --s3-uri {BASE}/goods/manifest --timeout 60",
    "Load": f"create-load-redshift --table-definition '{DDL.format('goods')}' --input {BASE}/goods/manifest",
    "Upsert": f"upsert --table-definition '{DDL.format('goods')}' --input {BASE}/goods/manifest --compare-host source"
    " --compare-table goods",
    "Again": f"load-redshift --table goods --input {BASE}/goods/manifest",
    "Reload": f"load-reload-pk --staging-table-definition '{DDL.format('goods_staging')}'"
    f" --production-table-definition '{DDL.format('goods_production')}' --input {BASE}/goods/manifest",
    "Keys": f"primary-key-check --table-definition '{DDL.format('goods_production')}'",
    "Counts": "count-check --source-host source --source-table goods --destination-sql 'SELECT * FROM goods'",
    "Columns": f"column-check --source-host source --source-table goods --table-definition '{DDL.format('goods')}'",
    "Sql": "sql-command --command 'CREATE TABLE big AS SELECT * FROM goods WHERE id > %s' --script-arguments 4",
    "Update": "create-update-sql --table-definition 'CREATE TABLE totals (n BIGINT)' --sql"
    " 'DELETE FROM totals; INSERT INTO totals SELECT COUNT(*) FROM goods'",
    "Unload": f"extract-redshift --table goods --output {BASE}/unloaded/",
    "BackMySql": f"load-mysql --host-name source --table back --mode upsert --input {BASE}/unloaded/manifest",
    "BackPostgres": f"load-postgres --table back --mode replace --input {BASE}/unloaded/manifest",
    "ReadBack": f"extract-postgres --table back --output {BASE}/read-back/",
    "Transform": f"transform --input {BASE}/read-back/ --output {BASE}/counted/ --command"
    " 'ls $INPUT1_STAGING_DIR > $OUTPUT1_STAGING_DIR/listing'",
    "Publish": f"load-s3 --path {BASE}/counted/ --target {BASE}/model/",
}


def definition(steps: dict[str, str]) -> dict[str, Any]:
    default = {"id": "Default", "scheduleType": "ondemand", "workerGroup": "all-steps", "maximumRetries": "0"}
    objects: list[dict[str, Any]] = [default]
    former: str | None = None
    for name, command in steps.items():
        after = {"dependsOn": {"ref": former}} if former else {}
        told = f"ductrunner step {command}"
        objects.append({"id": name, "type": "ShellCommandActivity", "command": told, **after})
        former = name
    return {"objects": objects}


@pytest.fixture(scope="module")
def settings(sandbox: RunningSandbox) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(Path(sandbox.environment["DUCTRUNNER_CONFIG"]).read_text(encoding="utf-8"))
    return found


def password(section: dict[str, Any]) -> str:
    return Path(section["password"].removeprefix("file:")).read_text(encoding="utf-8").strip()


def mysql(settings: dict[str, Any]) -> Any:
    to = settings["mysql"]["source"]
    login = {"user": to["username"], "password": password(to), "database": to["database"]}
    return pymysql.connect(host=to["host"], port=to["port"], autocommit=True, charset="utf8mb4", **login)


def postgres(section: dict[str, Any]) -> Any:
    login = {"user": section["username"], "password": password(section), "dbname": section["database_name"]}
    link = psycopg2.connect(host=section["host"], port=section["port"], **login)
    link.set_session(autocommit=True)
    return link


@pytest.fixture(scope="module")
def seeded(settings: dict[str, Any]) -> dict[str, Any]:
    with mysql(settings) as link, link.cursor() as cursor:
        cursor.execute("CREATE TABLE goods (id INT PRIMARY KEY, name VARCHAR(40), amount DECIMAL(38,10))")
        cursor.execute(BACK)
        cursor.executemany(
            "INSERT INTO goods VALUES (%s, %s, 1234567890123456789012345678.0123456789)", list(enumerate(NAMES, 1))
        )
    link = postgres(settings["postgres"])
    link.cursor().execute(BACK)
    link.close()
    return settings


def rows(link: Any) -> list[tuple[Any, ...]]:
    with link.cursor() as cursor:
        cursor.execute("SELECT id, name FROM back WHERE amount = 1234567890123456789012345678.0123456789 ORDER BY id")
        found = list(cursor.fetchall())
    link.close()
    return found


def test_every_step_does_its_part_as_a_command_of_a_pipeline(
    sandbox: RunningSandbox, seeded: dict[str, Any], tmp_path: Path
) -> None:
    path = tmp_path / "all-steps.json"
    path.write_text(json.dumps(definition(STEPS)), encoding="utf-8")
    for _ in range(2):  # a rerun leaves the same data
        done = sandbox.ductrunner("pipeline", "run", str(path), "--output", str(tmp_path / "out"))
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
        expected = list(enumerate(NAMES, 1))
        assert rows(mysql(seeded)) == expected
        assert rows(postgres(seeded["postgres"])) == expected
        STEPS["Sql"] = STEPS["Sql"].replace("CREATE TABLE big AS SELECT", "DELETE FROM big; INSERT INTO big SELECT")
        path.write_text(json.dumps(definition(STEPS)), encoding="utf-8")
    texts = [file.read_bytes() for file in (tmp_path / "out").rglob("*") if file.is_file()]
    secrets = [password(seeded["mysql"]["source"]), password(seeded["postgres"]), password(seeded["redshift"])]
    assert texts
    assert not [secret for secret in secrets if any(secret.encode() in text for text in texts)]
    pointer = client(sandbox).get_object(Bucket="ductrunner-sandbox", Key="all-steps/model/current.json")
    assert json.loads(pointer["Body"].read())


def client(sandbox: RunningSandbox) -> Any:
    variables = sandbox.environment
    return boto3.client(
        "s3",
        endpoint_url=variables["AWS_ENDPOINT_URL"],
        region_name="us-east-1",
        aws_access_key_id=variables["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=variables["AWS_SECRET_ACCESS_KEY"],
    )


def test_the_commands_are_words_of_a_shell() -> None:
    assert all(shlex.split(command) for command in STEPS.values())
