"""A table on both sides of the sandbox, and the quality steps as a person runs them."""

from __future__ import annotations

import json
import secrets
import subprocess
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg2
import pymysql
import pytest

from core.settings import load_settings
from stores.secrets import resolve

DEFINITION = """CREATE TABLE {name} (
    id BIGINT NOT NULL, name VARCHAR(40), price DECIMAL(10,2), rate REAL, paid BOOLEAN, day DATE,
    moment TIMESTAMP, PRIMARY KEY (id)) DISTKEY(id)"""
MYSQL_TABLE = """CREATE TABLE {name} (
    id BIGINT PRIMARY KEY, name VARCHAR(40), price DECIMAL(20,6), rate FLOAT, paid TINYINT(1), day DATE,
    moment DATETIME(6)) CHARACTER SET utf8mb4"""

Row = tuple[Any, ...]


@dataclass
class BothSides:
    """One table in MySQL and one in the warehouse."""

    sandbox: Any
    name: str
    mysql: Any
    warehouse: Any

    @property
    def definition(self) -> str:
        return DEFINITION.format(name=f"public.{self.name}")

    def source(self, rows: Sequence[Row]) -> None:
        with self.mysql.cursor() as cursor:
            cursor.executemany(f"INSERT INTO {self.name} VALUES ({', '.join(['%s'] * 7)})", rows)

    def target(self, rows: Sequence[Row]) -> None:
        with self.warehouse.cursor() as cursor:
            for row in rows:
                shown = [bool(value) if place == 4 and value is not None else value for place, value in enumerate(row)]
                cursor.execute(f"INSERT INTO {self.name} VALUES ({', '.join(['%s'] * 7)})", shown)

    def step(self, step: str, *words: str) -> subprocess.CompletedProcess[str]:
        done: subprocess.CompletedProcess[str] = self.sandbox.ductrunner(
            "step", step, "--table-definition", self.definition, *words
        )
        return done

    def compare(self, step: str, *words: str) -> subprocess.CompletedProcess[str]:
        return self.step(step, "--source-host", "source", "--source-table", self.name, *words)


def result_of(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    """Return the details of the JSON line that a step leaves on stdout."""
    details: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])["details"]
    return details


@pytest.fixture
def details() -> Callable[[subprocess.CompletedProcess[str]], dict[str, Any]]:
    return result_of


@pytest.fixture
def sides(sandbox: Any) -> Iterator[BothSides]:
    settings = load_settings(Path(sandbox.environment["DUCTRUNNER_CONFIG"]), {})
    host, redshift = settings.mysql["source"], settings.redshift
    assert redshift is not None
    mysql = pymysql.connect(
        host=host.host,
        port=host.port,
        user=host.username,
        password=resolve(host.password),
        database=host.database,
        charset="utf8mb4",
        autocommit=True,
    )
    warehouse = psycopg2.connect(
        host=redshift.host,
        port=redshift.port,
        user=redshift.username,
        password=resolve(redshift.password),
        dbname=redshift.database_name,
    )
    warehouse.autocommit = True
    both = BothSides(sandbox, f"quality_{secrets.token_hex(4)}", mysql, warehouse)
    with mysql.cursor() as cursor:
        cursor.execute(MYSQL_TABLE.format(name=both.name))
    with warehouse.cursor() as cursor:
        cursor.execute(both.definition)
    yield both
    mysql.close()
    warehouse.close()
