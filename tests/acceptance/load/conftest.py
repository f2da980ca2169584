"""Tables of products on real servers, and the steps that load files into them."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
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
from steps_impl.formats.delimited import FORMATS
from steps_impl.registry import load_step
from tests.conftest import CHECKOUT
from tests.phases import Silent

COLUMNS = "id INT PRIMARY KEY, name VARCHAR(40), price DECIMAL(10,2) NOT NULL DEFAULT 9.5"
OLD = [(1, "one", "1.00"), (2, "two", "2.00")]


def numbers(rows: list[tuple[object, ...]]) -> list[tuple[object, ...]]:
    """Return rows with their prices as text."""
    return [(row[0], row[1], str(row[2])) for row in rows]


@dataclass
class Product:
    """One engine's database: statements to prepare and to look, files, and the step, here or as a process."""

    engine: str
    address: DatabaseAddress
    connection: Any
    folder: Path
    cancelled: threading.Event = field(default_factory=threading.Event)
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def step(self) -> str:
        return f"load-{self.engine}"

    def sql(self, *statements: str) -> list[tuple[Any, ...]]:
        with self.connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
            return [tuple(row) for row in cursor.fetchall()] if cursor.description else []

    def make(self, columns: str, *rows: Sequence[Any], extra: str = "") -> str:
        table = f"t_{secrets.token_hex(5)}"
        self.sql(f"CREATE TABLE {table} ({columns}) {extra}")
        if rows:
            with self.connection.cursor() as cursor:
                cursor.executemany(f"INSERT INTO {table} VALUES ({', '.join(['%s'] * len(rows[0]))})", rows)
        return table

    def rows(self, table: str, order: str = "1") -> list[tuple[Any, ...]]:
        return self.sql(f"SELECT * FROM {table} ORDER BY {order}")

    def file(self, content: bytes | str, name: str = "rows.tsv") -> str:
        path = self.folder / secrets.token_hex(4) / name
        path.parent.mkdir()
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return str(path)

    def values(self, *rows: Sequence[Any], form: str = "tsv") -> str:
        """Write rows as our extracts do."""
        encoded = [[None if v is None else v if isinstance(v, bytes) else str(v).encode() for v in row] for row in rows]
        return self.file(FORMATS[form].encode(encoded), f"rows.{form}")

    def load(self, table: str, source: str | Sequence[str], **parameters: Any) -> StepResult:
        step = load_step(self.step)
        context = StepContext(Silent(), self.cancelled, {**os.environ, **self.environment})
        return step.run(step.parameters.model_validate(self.given(table, source, parameters)), context)

    def given(self, table: str, source: str | Sequence[str], parameters: dict[str, Any]) -> dict[str, Any]:
        inputs = [source] if isinstance(source, str) else list(source)
        host = {"host_name": "product"} if self.engine == "mysql" else {}
        return {"input": inputs, "table": table, **host, **parameters}

    @contextmanager
    def blocked(self, statement: str) -> Iterator[None]:
        """Hold the locks of a statement in a transaction."""
        with closing(connect(self.engine, self.address)) as other, other.cursor() as cursor:
            cursor.execute("BEGIN")
            cursor.execute(statement)
            yield

    def start(self, table: str, source: str, **parameters: Any) -> subprocess.Popen[str]:
        """Run the command as the agent does."""
        path = self.folder / f"{secrets.token_hex(4)}.json"
        path.write_text(json.dumps(self.given(table, source, parameters)))
        command = [sys.executable, "-m", "ductrunner", "step", self.step, "--params", str(path)]
        return subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=CHECKOUT, env={**os.environ}
        )


def ended(process: subprocess.Popen[str]) -> int:
    """Wait for a process to end, read what it says, and return its exit status."""
    process.communicate(timeout=60)
    return process.returncode


@pytest.fixture(scope="session")
def product_addresses(mysql_server: MariaDbPart, postgres_server: PostgresPart) -> dict[str, DatabaseAddress]:
    return {
        "mysql": mysql_server.ensure_database("products", "products"),
        "postgres": postgres_server.ensure_database("products", "products"),
    }


def connect(engine: str, a: DatabaseAddress) -> Any:
    if engine == "mysql":
        return pymysql.connect(
            **a.mysql_login, autocommit=True, init_command="SET SESSION sql_mode = '', time_zone = '+00:00'"
        )
    link = psycopg2.connect(**a.postgres_login, options="-c timezone=UTC")
    link.autocommit = True
    return link


@pytest.fixture
def configuration(
    product_addresses: dict[str, DatabaseAddress], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Path:
    def entry(engine: str, name: str) -> dict[str, Any]:
        a = product_addresses[engine]
        return {"host": a.host, "port": a.port, "username": a.username, "password": a.password, name: a.database}

    document = {
        "mysql": {"product": entry("mysql", "database")},
        "postgres": entry("postgres", "database_name"),
        "etl": {"connection_retries": 0},
    }
    path = tmp_path / "ductrunner.yaml"
    path.write_text(yaml.safe_dump(document))
    monkeypatch.setenv("DUCTRUNNER_CONFIG", str(path))
    return path


def opened(engine: str, addresses: dict[str, DatabaseAddress], folder: Path) -> Iterator[Product]:
    connection = connect(engine, addresses[engine])
    yield Product(engine, addresses[engine], connection, folder)
    connection.close()


@pytest.fixture
def mysql(product_addresses: dict[str, DatabaseAddress], configuration: Path, tmp_path: Path) -> Iterator[Product]:
    yield from opened("mysql", product_addresses, tmp_path)


@pytest.fixture
def postgres(product_addresses: dict[str, DatabaseAddress], configuration: Path, tmp_path: Path) -> Iterator[Product]:
    yield from opened("postgres", product_addresses, tmp_path)


@pytest.fixture(params=["mysql", "postgres"])
def product(
    request: pytest.FixtureRequest, product_addresses: dict[str, DatabaseAddress], configuration: Path, tmp_path: Path
) -> Iterator[Product]:
    """The one and the other."""
    yield from opened(request.param, product_addresses, tmp_path)
