"""A warehouse behind the real front, files in a real S3 server, and steps run as the command runs them."""

from __future__ import annotations

import gzip
import json
import os
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import psycopg2
import pytest
import yaml

from core.sections.databases import RedshiftSettings
from core.settings import load_settings
from sandbox.parts.database import DatabaseAddress
from sandbox.parts.postgres import PostgresPart
from sandbox.parts.redshift import RedshiftPart
from steps_impl.contract import StepContext, StepResult
from steps_impl.registry import load_step
from tests.phases import Phases


@dataclass
class Warehouse:
    """One database of the warehouse, with a bucket beside it."""

    address: DatabaseAddress
    s3: Any
    bucket: str
    config: Path
    reporter: Phases = field(default_factory=Phases)
    cancelled: threading.Event = field(default_factory=threading.Event)

    @property
    def environment(self) -> dict[str, str]:
        return {**os.environ, "DUCTRUNNER_CONFIG": str(self.config)}

    @property
    def settings(self) -> RedshiftSettings:
        found = load_settings(self.config).redshift
        assert found is not None
        return found

    def connect(self) -> Any:
        a = self.address
        return psycopg2.connect(**a.postgres_login)

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        connection = self.connect()
        try:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(sql)
                return cursor.fetchall() if cursor.description else []
        finally:
            connection.close()

    def staging_tables(self) -> list[tuple[Any, ...]]:
        return self.rows("SELECT relname FROM pg_class WHERE relname LIKE 'stg\\_%'")

    def put(self, key: str, data: bytes) -> str:
        self.s3.put_object(Bucket=self.bucket, Key=key, Body=data)
        return f"s3://{self.bucket}/{key}"

    def put_tsv(self, key: str, rows: Sequence[Sequence[str | None]]) -> str:
        return self.put(key, gzip.compress(tsv(rows)))

    def put_extract(
        self, directory: str, columns: Sequence[str], *parts: Sequence[Sequence[str | None]], **source: Any
    ) -> str:
        """Put files and the manifest that an extract writes beside them; return the manifest's address."""
        entries = []
        for number, rows in enumerate(parts):
            url = self.put_tsv(f"{directory}/part-{number:04}.tsv.gz", rows)
            entries.append({"url": url, "mandatory": True, "meta": {"record_count": len(rows)}})
        document = {
            "entries": entries,
            "schema": {"elements": [{"name": name, "type": {"base": "text"}} for name in columns]},
            "source": {"rows": sum(map(len, parts)), **source},
        }
        return self.put(f"{directory}/manifest", json.dumps(document).encode())

    def attempt(self, instance: str, number: int = 1) -> dict[str, str]:
        """The variables of an attempt of a pipeline's instance."""
        return {"DUCTRUNNER_PIPELINE_ID": "df-1", "DUCTRUNNER_ATTEMPT_ID": f"@{instance}_Attempt={number}"}

    def run(self, step: str, variables: dict[str, str] | None = None, **parameters: Any) -> StepResult:
        chosen = load_step(step)
        context = StepContext(self.reporter, self.cancelled, {**self.environment, **(variables or {})})
        return chosen.run(chosen.parameters.model_validate(parameters), context)


def tsv(rows: Sequence[Sequence[str | None]]) -> bytes:
    """Rows as an extract writes them."""

    def text(value: str | None) -> str:
        if value is None:
            return "\\N"
        for character in "\\\t\n\r":
            value = value.replace(character, "\\" + character)
        return value

    return "".join("\t".join(map(text, row)) + "\n" for row in rows).encode()


@pytest.fixture(scope="session")
def warehouse_database(postgres_server: PostgresPart, redshift_front: RedshiftPart) -> DatabaseAddress:
    """One database for all tests here: making one for each takes longer than the tests."""
    return replace(postgres_server.ensure_database("warehouse_tests", "warehouse_tests"), port=redshift_front.port)


@pytest.fixture
def warehouse(
    warehouse_database: DatabaseAddress, s3_client: Any, s3_bucket: str, tmp_path: Path
) -> Iterator[Warehouse]:
    address = warehouse_database
    config = tmp_path / "ductrunner.yaml"
    document = {
        "etl": {"region": "us-east-1", "s3_etl_bucket": s3_bucket, "s3_base_path": "etl"},
        "redshift": {
            "host": address.host,
            "port": address.port,
            "database_name": address.database,
            "username": address.username,
            "password": f"file:{address.password_file}",
            "iam_role": "arn:aws:iam::123456789012:role/copy",
        },
    }
    config.write_text(yaml.safe_dump(document))
    found = Warehouse(address, s3_client, s3_bucket, config)
    yield found
    for (name,) in found.rows("SELECT tablename FROM pg_tables WHERE schemaname = 'public'"):
        found.rows(f'DROP TABLE "{name}"')
