"""Three engines with a database each, and the checks as a process would run them."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, replace
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
from steps_impl import runner


@dataclass
class Ran:
    """What a step has left: its exit status, the details of its result, what it said."""

    code: int
    details: dict[str, Any]
    said: str


@dataclass
class Hosts:
    """MySQL (``source``), Postgres and the warehouse as the configuration knows them."""

    mysql: Any
    postgres: Any
    redshift: Any
    environment: dict[str, str]
    capture: pytest.CaptureFixture[str]

    def on(self, host: str, *statements: str) -> None:
        connection = {"source": self.mysql, "postgres": self.postgres, "redshift": self.redshift}[host]
        with connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)

    def step(self, name: str, *words: str) -> Ran:
        self.capture.readouterr()
        code = runner.run(name, words, self.environment)
        out, err = self.capture.readouterr()
        return Ran(code, json.loads(out.splitlines()[-1]).get("details", {}), out + err)

    def compare(self, target: str, *words: str, source: str = "source") -> Ran:
        return self.step("compare", "--source-host", source, "--source-table", "t", "--target-host", target, *words)


@dataclass
class Databases:
    """One database on each engine, for all tests, and the configuration that names them."""

    mysql: Any
    postgres: Any
    redshift: Any
    config: Path


@pytest.fixture(scope="session")
def databases(
    mysql_server: MariaDbPart,
    postgres_server: PostgresPart,
    redshift_front: RedshiftPart,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Databases]:
    name = f"checks_{secrets.token_hex(4)}"
    my, pg = mysql_server.ensure_database(name, name), postgres_server.ensure_database(name, name)
    red = replace(postgres_server.ensure_database(f"{name}_w", f"{name}_w"), port=redshift_front.port)
    sections = {"mysql": {"source": _entry(my, "database")}, "postgres": _entry(pg), "redshift": _entry(red)}
    config = tmp_path_factory.mktemp("checks") / "ductrunner.yaml"
    config.write_text(yaml.safe_dump(sections))
    mysql = pymysql.connect(**my.mysql_login, autocommit=True)
    postgres, redshift = (psycopg2.connect(**a.postgres_login) for a in (pg, red))
    postgres.autocommit = redshift.autocommit = True
    yield Databases(mysql, postgres, redshift, config)
    for connection in (mysql, postgres, redshift):
        connection.close()


@pytest.fixture
def hosts(databases: Databases, capsys: pytest.CaptureFixture[str]) -> Hosts:
    """The three engines without a table ``t``."""
    environment = {**os.environ, "DUCTRUNNER_CONFIG": str(databases.config)}
    found = Hosts(databases.mysql, databases.postgres, databases.redshift, environment, capsys)
    for host in ("source", "postgres", "redshift"):
        found.on(host, "DROP TABLE IF EXISTS t")
    return found


def _entry(address: DatabaseAddress, name: str = "database_name") -> dict[str, Any]:
    login = {"username": address.username, "password": address.password}
    return {"host": address.host, "port": address.port, name: address.database, **login}
