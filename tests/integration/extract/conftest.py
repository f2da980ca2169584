"""A MySQL source, the step over it, and its files loaded back by a real COPY."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg2
import pymysql
import pytest
import yaml

from sandbox.parts.database import DatabaseAddress
from sandbox.parts.mariadb import MariaDbPart
from sandbox.parts.postgres import PostgresPart
from steps_impl.contract import StepContext, StepResult
from steps_impl.extract import rds
from tests.phases import Silent

COPY_OPTIONS = {"tsv": r"FORMAT text, NULL '\N'", "csv": r"FORMAT csv, NULL '\N'"}


@dataclass
class Source:
    """The MySQL side of a test: run statements, run the step."""

    address: DatabaseAddress
    connection: Any
    output: Path
    entry: dict[str, Any]
    context: StepContext = field(default_factory=lambda: StepContext(Silent()))

    def execute(self, *statements: str) -> None:
        with self.connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)

    def empty(self) -> None:
        with self.connection.cursor() as cursor:
            cursor.execute("SHOW FULL TABLES")
            for name, kind in cursor.fetchall():
                cursor.execute(f"DROP {'VIEW' if kind == 'VIEW' else 'TABLE'} `{name.replace('`', '``')}`")

    def insert(self, table: str, rows: list[tuple[Any, ...]]) -> None:
        with self.connection.cursor() as cursor:
            cursor.executemany(f"INSERT INTO {table} VALUES ({', '.join(['%s'] * len(rows[0]))})", rows)

    def extract(self, **parameters: Any) -> StepResult:
        given = {"host_name": "source", "output": str(self.output), **parameters}
        return rds.STEP.run(rds.ExtractRdsParameters(**given), self.context)

    def manifest(self) -> dict[str, Any]:
        return json.loads((self.output / "manifest").read_text())

    def text(self) -> bytes:
        files = [(self.output / entry["url"]) for entry in self.manifest()["entries"]]
        return b"".join(gzip.decompress(f.read_bytes()) if f.suffix == ".gz" else f.read_bytes() for f in files)


@pytest.fixture(scope="session")
def source_database(mysql_server: MariaDbPart) -> DatabaseAddress:
    """One database for all tests here, emptied after each: making one takes longer than most of them."""
    return mysql_server.ensure_database("extract_tests", "extract_tests")


@pytest.fixture(scope="session")
def loaded_database(postgres_server: PostgresPart) -> DatabaseAddress:
    return postgres_server.ensure_database("extract_tests", "extract_tests")


@pytest.fixture
def source(source_database: DatabaseAddress, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Source]:
    address = source_database
    configuration = tmp_path / "ductrunner.yaml"
    entry = {
        "host": address.host,
        "port": address.port,
        "username": address.username,
        "password": address.password,
        "database": address.database,
    }
    configuration.write_text(yaml.safe_dump({"mysql": {"source": entry}, "etl": {"connection_retries": 0}}))
    monkeypatch.setenv("DUCTRUNNER_CONFIG", str(configuration))
    connection = pymysql.connect(
        **address.mysql_login, autocommit=True, init_command="SET SESSION sql_mode = '', time_zone = '+00:00'"
    )
    with connection:
        found = Source(address, connection, tmp_path / "out", entry)
        yield found
        found.empty()


@pytest.fixture
def load(loaded_database: DatabaseAddress) -> Iterator[Callable[..., list[tuple[Any, ...]]]]:
    """Load a source's files into a new table by COPY; return its rows as Postgres prints them."""
    address = loaded_database
    connection = psycopg2.connect(**address.postgres_login)

    def copy(source: Source, columns: str, order: str = "1") -> list[tuple[Any, ...]]:
        document = source.manifest()
        with connection, connection.cursor() as cursor:
            cursor.execute(f"DROP TABLE IF EXISTS loaded; CREATE TABLE loaded ({columns})")
            for entry in document["entries"]:
                path = source.output / entry["url"]
                with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
                    cursor.copy_expert(
                        f"COPY loaded FROM STDIN WITH ({COPY_OPTIONS[document['source']['format']]})", file
                    )
            cursor.execute(f"SELECT * FROM loaded ORDER BY {order}")
            return cursor.fetchall()

    yield copy
    connection.close()
