"""The whole way of the data: a MySQL source, files in S3, the Redshift front, the table behind it."""

from __future__ import annotations

import os
import secrets
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import psycopg2
import pymysql
import pytest
import yaml

from sandbox.parts.database import DatabaseAddress
from sandbox.parts.mariadb import MariaDbPart
from sandbox.parts.postgres import PostgresPart
from sandbox.parts.redshift import RedshiftPart
from steps_impl.contract import StepContext, StepResult
from steps_impl.registry import load_step
from tests.phases import Silent


@dataclass
class DataPath:
    """One source, one bucket and one warehouse; each object made in them has a name of its own."""

    source: Any
    target: Any
    s3: Any
    bucket: str
    config: Path
    prefix: str = field(default_factory=lambda: f"t{secrets.token_hex(4)}")

    @property
    def environment(self) -> dict[str, str]:
        return {**os.environ, "DUCTRUNNER_CONFIG": str(self.config)}

    def name(self, what: str) -> str:
        return f"{self.prefix}_{what}"

    def in_source(self, *statements: str) -> list[tuple[Any, ...]]:
        with self.source.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
            return list(cursor.fetchall())

    def make_source(self, table: str, columns: str, rows: Sequence[Sequence[Any]]) -> None:
        with self.source.cursor() as cursor:
            cursor.execute(f"CREATE TABLE `{table}` ({columns}) CHARACTER SET utf8mb4")
            if rows:
                cursor.executemany(f"INSERT INTO `{table}` VALUES ({', '.join(['%s'] * len(rows[0]))})", rows)

    def in_target(self, statement: str) -> list[tuple[Any, ...]]:
        with self.target.cursor() as cursor:
            cursor.execute(statement)
            return list(cursor.fetchall()) if cursor.description else []

    def staging_tables(self) -> list[tuple[Any, ...]]:
        return self.in_target("SELECT relname FROM pg_class WHERE relname LIKE 'stg\\_%'")

    def put(self, key: str, data: bytes) -> str:
        self.s3.put_object(Bucket=self.bucket, Key=key, Body=data)
        return f"s3://{self.bucket}/{key}"

    def run(self, step: str, **parameters: Any) -> StepResult:
        chosen = load_step(step)
        context = StepContext(Silent(), threading.Event(), self.environment)
        return chosen.run(chosen.parameters.model_validate(parameters), context)

    def extract(self, **parameters: Any) -> str:
        """Run the extract to a new directory in S3 and return the directory."""
        place = f"s3://{self.bucket}/extract/{secrets.token_hex(6)}/"
        self.run("extract-rds", **{"host_name": "source", "output": place, **parameters})
        return place

    def load(self, definition: str, place: str, **parameters: Any) -> StepResult:
        parameters = {"analyze": False, **parameters}
        return self.run("create-load-redshift", table_definition=definition, input=(place,), **parameters)

    def upsert(self, definition: str, place: str | None = None, **parameters: Any) -> StepResult:
        given = {"input": (place,)} if place else {}
        return self.run("upsert", table_definition=definition, analyze=False, **given, **parameters)


@pytest.fixture(scope="session")
def source_database(mysql_server: MariaDbPart) -> DatabaseAddress:
    return mysql_server.ensure_database("data_path", "data_path")


@pytest.fixture(scope="session")
def target_database(postgres_server: PostgresPart, redshift_front: RedshiftPart) -> DatabaseAddress:
    return replace(postgres_server.ensure_database("data_path", "data_path"), port=redshift_front.port)


@pytest.fixture
def path(
    source_database: DatabaseAddress,
    target_database: DatabaseAddress,
    s3_client: Any,
    s3_bucket: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[DataPath]:
    config = tmp_path / "ductrunner.yaml"
    config.write_text(yaml.safe_dump(configuration(source_database, target_database, s3_bucket)))
    monkeypatch.setenv("DUCTRUNNER_CONFIG", str(config))
    a, b = source_database, target_database
    source = pymysql.connect(
        **a.mysql_login,
        autocommit=True,
        charset="utf8mb4",
        init_command="SET SESSION sql_mode = '', time_zone = '+00:00'",
    )
    target = psycopg2.connect(**b.postgres_login)
    target.autocommit = True
    with source:
        yield DataPath(source, target, s3_client, s3_bucket, config)
    target.close()


def configuration(source: DatabaseAddress, target: DatabaseAddress, bucket: str) -> dict[str, Any]:
    login = {"host": source.host, "port": source.port, "username": source.username, "database": source.database}
    return {
        "etl": {"region": "us-east-1", "s3_etl_bucket": bucket, "connection_retries": 0},
        "mysql": {"source": {**login, "password": f"file:{source.password_file}"}},
        "redshift": {
            "host": target.host,
            "port": target.port,
            "database_name": target.database,
            "username": target.username,
            "password": f"file:{target.password_file}",
            "iam_role": "arn:aws:iam::123456789012:role/copy",
        },
    }
