"""CopyActivity between real servers: MySQL, Postgres, the Redshift front, S3."""

from __future__ import annotations

import gzip
import json
import os
import secrets
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import psycopg2
import pymysql
import pytest

from sandbox.parts.database import DatabaseAddress
from sandbox.parts.mariadb import MariaDbPart
from sandbox.parts.postgres import PostgresPart
from sandbox.parts.redshift import RedshiftPart
from steps_impl.contract import StepContext, StepResult
from steps_impl.registry import load_step
from tests.conftest import CHECKOUT
from tests.integration.agent.conftest import attempt_only_bench, served, served_session  # noqa: F401  # fixtures
from tests.phases import Silent

SCHEMES = {"mysql": "mysql", "postgres": "postgresql", "redshift": "redshift"}
QUOTES = {"mysql": "`", "postgres": '"', "redshift": '"'}


@dataclass
class Database:
    """One engine of the test: nodes of it, and statements to prepare and to look."""

    engine: str
    address: DatabaseAddress
    connection: Any

    def node(self, table: str | None = None, **fields: Any) -> dict[str, Any]:
        a = self.address
        database = {
            "id": f"Db{self.engine}",
            "type": "JdbcDatabase",
            "connectionString": f"jdbc:{SCHEMES[self.engine]}://{a.host}:{a.port}/{a.database}",
            "username": a.username,
            "*password": a.password,
        }
        named = {"table": table} if table else {}
        return {"id": f"Node{self.engine}", "type": "SqlDataNode", "database": database, **named, **fields}

    def run(self, *statements: str) -> list[tuple[Any, ...]]:
        with self.connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
            return [tuple(row) for row in cursor.fetchall()] if cursor.description else []

    def make(self, columns: str, rows: Sequence[Sequence[Any]] = ()) -> str:
        table = f"t_{secrets.token_hex(6)}"
        self.run(f"CREATE TABLE {table} ({columns})" + (" CHARACTER SET utf8mb4" if self.engine == "mysql" else ""))
        if rows:
            with self.connection.cursor() as cursor:
                cursor.executemany(f"INSERT INTO {table} VALUES ({', '.join(['%s'] * len(rows[0]))})", rows)
        return table

    def rows(self, table: str, order: str = "1") -> list[tuple[Any, ...]]:
        return self.run(f"SELECT * FROM {table} ORDER BY {order}")


@dataclass
class Copying:
    """The step, in this process or in one of its own, and S3 beside it."""

    s3: Any
    bucket: str
    databases: dict[str, Database]
    folder: Path
    cancelled: threading.Event = field(default_factory=threading.Event)

    def s3_node(self, path: str, form: dict[str, Any] | None = None, **fields: Any) -> dict[str, Any]:
        kind = "directoryPath" if path.endswith("/") else "filePath"
        data_format = {"dataFormat": {"id": "Format", **form}} if form else {}
        return {"id": "Node", "type": "S3DataNode", kind: f"s3://{self.bucket}/{path}", **data_format, **fields}

    def put(self, key: str, data: bytes) -> None:
        self.s3.put_object(Bucket=self.bucket, Key=key, Body=data)

    def get(self, key: str) -> bytes:
        body: bytes = self.s3.get_object(Bucket=self.bucket, Key=key)["Body"].read()
        return gzip.decompress(body) if body[:2] == b"\x1f\x8b" else body

    def keys(self, prefix: str = "") -> list[str]:
        listed = self.s3.list_objects_v2(Bucket=self.bucket, Prefix=prefix)
        return [item["Key"] for item in listed.get("Contents", [])]

    def open_uploads(self) -> list[Any]:
        listed: list[Any] = self.s3.list_multipart_uploads(Bucket=self.bucket).get("Uploads", [])
        return listed

    def run(self, source: dict[str, Any], target: dict[str, Any]) -> StepResult:
        step = load_step("copy-activity")
        given = {"id": "CopyIt", "type": "CopyActivity", "input": source, "output": target}
        context = StepContext(Silent(), self.cancelled, dict(os.environ))
        return step.run(step.parameters.model_validate(given), context)

    def start(self, source: dict[str, Any], target: dict[str, Any], **environment: str) -> subprocess.Popen[str]:
        """Run the command as the agent does."""
        path = self.folder / f"{secrets.token_hex(4)}.json"
        path.write_text(json.dumps({"id": "CopyIt", "type": "CopyActivity", "input": source, "output": target}))
        command = [sys.executable, "-m", "ductrunner", "step", "copy-activity", "--params", str(path)]
        return subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=CHECKOUT,
            env={**os.environ, **environment},
        )  # fmt: skip


@pytest.fixture(scope="session")
def engine_databases(
    mysql_server: MariaDbPart, postgres_server: PostgresPart, redshift_front: RedshiftPart
) -> dict[str, DatabaseAddress]:
    postgres = postgres_server.ensure_database("copying", "copying")
    warehouse = postgres_server.ensure_database("copying_warehouse", "copying_warehouse")
    return {
        "mysql": mysql_server.ensure_database("copying", "copying"),
        "postgres": postgres,
        "redshift": replace(warehouse, port=redshift_front.port),
    }


def connection_of(engine: str, a: DatabaseAddress) -> Any:
    if engine == "mysql":
        return pymysql.connect(
            **a.mysql_login, autocommit=True, init_command="SET SESSION sql_mode = '', time_zone = '+00:00'"
        )
    link = psycopg2.connect(**a.postgres_login, options="-c timezone=UTC" if engine == "postgres" else "")  # fmt: skip
    link.autocommit = True
    return link


@pytest.fixture(scope="session")
def databases(engine_databases: dict[str, DatabaseAddress]) -> Iterator[dict[str, Database]]:
    opened = {name: Database(name, a, connection_of(name, a)) for name, a in engine_databases.items()}
    yield opened
    for database in opened.values():
        database.connection.close()


@pytest.fixture
def copying(
    databases: dict[str, Database], s3_client: Any, s3_bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Copying:
    config = tmp_path / "ductrunner.yaml"
    config.write_text("etl: {connection_retries: 0}\n")
    monkeypatch.setenv("DUCTRUNNER_CONFIG", str(config))
    return Copying(s3_client, s3_bucket, databases, tmp_path)


@pytest.fixture
def mysql(copying: Copying) -> Database:
    return copying.databases["mysql"]


@pytest.fixture
def postgres(copying: Copying) -> Database:
    return copying.databases["postgres"]


@pytest.fixture
def redshift(copying: Copying) -> Database:
    return copying.databases["redshift"]
