"""A warehouse behind the real front, files in a real S3 server, and the activity run as its command runs it."""

from __future__ import annotations

import json
import os
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import psycopg2
import pytest
import yaml

from sandbox.parts.database import DatabaseAddress
from sandbox.parts.postgres import PostgresPart
from sandbox.parts.redshift import RedshiftPart
from steps_impl.activities.redshift_copy_activity import STEP
from steps_impl.contract import StepContext, StepResult
from tests.phases import Phases

LONG = "1234567890" * 10
#: Values that a careless route breaks.
HARD = [
    (1, None, None),
    (2, "", None),
    (3, 'it\'s "quoted"', None),
    (4, "a,b|c\td;e", None),
    (5, "line\nbreak\r\nand \\n", None),
    (6, "C:\\new\\table", None),
    (7, "hä€😀", None),
    (8, LONG, None),
    (9, '"', None),
    (10, "NULL", None),
    (11, "ends with \\", None),
    (12, " blanks ", None),
    *(
        (13 + number, text, None)
        for number, text in enumerate(
            ["\\N", "\\n", "n", "N", "\\.", "\r", "\n", ",", "\\,", "\x01\x1a\x1c\x1f", "%s ?", " "]
        )
    ),
]


@dataclass
class Desk:
    """One database of the warehouse, a bucket, and documents of activities as the agent writes them."""

    address: DatabaseAddress
    s3: Any
    bucket: str
    folder: Path
    settings: dict[str, Any] = field(default_factory=dict)
    identity: dict[str, str] = field(default_factory=dict)
    reporter: Phases = field(default_factory=Phases)
    cancelled: threading.Event = field(default_factory=threading.Event)

    def connect(self) -> Any:
        a = self.address
        return psycopg2.connect(**a.postgres_login)

    def sql(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        connection = self.connect()
        try:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(sql, values or None)
                return cursor.fetchall() if cursor.description else []
        finally:
            connection.close()

    def put(self, key: str, body: bytes | str) -> str:
        self.s3.put_object(Bucket=self.bucket, Key=key, Body=body.encode() if isinstance(body, str) else body)
        return f"s3://{self.bucket}/{key}"

    def files(self, prefix: str) -> dict[str, bytes]:
        listed = self.s3.list_objects_v2(Bucket=self.bucket, Prefix=prefix).get("Contents", [])
        read = self.s3.get_object
        return {i["Key"].removeprefix(prefix): read(Bucket=self.bucket, Key=i["Key"])["Body"].read() for i in listed}

    @property
    def database(self) -> dict[str, Any]:
        a = self.address
        url = f"jdbc:postgresql://{a.host}:{a.port}/{a.database}"
        return {"type": "RedshiftDatabase", "connectionString": url, "username": a.username, "*password": a.password}

    def table(self, name: str, **fields: Any) -> dict[str, Any]:
        return {"id": "Table", "type": "RedshiftDataNode", "tableName": name, "database": self.database, **fields}

    def node(self, path: str, **fields: Any) -> dict[str, Any]:
        kind = "directoryPath" if path.endswith("/") else "filePath"
        return {"id": "Files", "type": "S3DataNode", kind: path, **fields}

    def document(self, source: Any, target: Any, mode: str, **fields: Any) -> dict[str, Any]:
        common = {"id": "Copy", "name": "Copy", "type": "RedshiftCopyActivity", "insertMode": mode}
        return {**common, "input": source, "output": target, **fields}

    def environment(self, **more: str) -> dict[str, str]:
        config = self.folder / "ductrunner.yaml"
        config.write_text(yaml.safe_dump(self.settings))
        return {**os.environ, "DUCTRUNNER_CONFIG": str(config), **self.identity, **more}

    def run(self, source: Any, target: Any, mode: str, **fields: Any) -> StepResult:
        parameters = STEP.parameters.model_validate(self.document(source, target, mode, **fields))
        return STEP.run(parameters, StepContext(self.reporter, self.cancelled, self.environment()))

    def command(self, document: dict[str, Any], name: str = "parameters.json") -> list[str]:
        path = self.folder / name
        path.write_text(json.dumps(document))
        return [sys.executable, "-m", "ductrunner", "step", "redshift-copy-activity", "--params", str(path)]


@pytest.fixture(scope="session")
def copy_database(postgres_server: PostgresPart, redshift_front: RedshiftPart) -> DatabaseAddress:
    """One database for all tests here: making one for each takes longer than the tests."""
    return replace(postgres_server.ensure_database("copy_tests", "copy_tests"), port=redshift_front.port)


@pytest.fixture
def desk(copy_database: DatabaseAddress, s3_client: Any, s3_bucket: str, tmp_path: Path) -> Iterator[Desk]:
    """The warehouse, empty; every table in its public schema is dropped after the test."""
    found = Desk(copy_database, s3_client, s3_bucket, tmp_path)
    yield found
    for schema, name in found.sql(
        "SELECT schemaname, tablename FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
    ):
        found.sql(f'DROP TABLE IF EXISTS "{schema}"."{name}"')
