"""Connections to the source and the warehouse that the configuration names, without any part of Ductrunner."""

from __future__ import annotations

import os
from contextlib import closing
from pathlib import Path
from typing import Any, Literal

import psycopg2
import pymysql
import yaml

Engine = Literal["mysql", "postgres", "redshift"]


class Database:
    """One open connection that commits each statement."""

    def __init__(self, engine: Engine, link: Any) -> None:
        self.engine = engine
        self.link = link

    def rows(self, statement: str) -> list[tuple[Any, ...]]:
        with closing(self.link.cursor()) as cursor:
            cursor.execute(statement)
            return list(cursor.fetchall())

    def run(self, statement: str) -> int:
        """Run a statement and return the number of rows that it touched."""
        with closing(self.link.cursor()) as cursor:
            cursor.execute(statement)
            return int(cursor.rowcount)

    def close(self) -> None:
        self.link.close()


def open_source(configuration: dict[str, Any]) -> Database:
    """Connect to MySQL, or to Postgres where the configuration has no MySQL."""
    if "mysql" not in configuration:
        return Database("postgres", _postgres(configuration["postgres"]))
    section = configuration["mysql"]["source"]
    link = pymysql.connect(
        host=section["host"],
        port=section["port"],
        user=section["username"],
        password=secret(section["password"]),
        database=section["database"],
        charset="utf8mb4",
        autocommit=True,
        local_infile=True,
    )
    return Database("mysql", link)


def open_warehouse(configuration: dict[str, Any]) -> Database:
    return Database("redshift", _postgres(configuration["redshift"]))


def read_configuration(path: str | None = None) -> dict[str, Any]:
    """Read the file that ``DUCTRUNNER_CONFIG`` names."""
    document: dict[str, Any] = yaml.safe_load(Path(path or os.environ["DUCTRUNNER_CONFIG"]).read_text("utf-8"))
    return document


def secret(value: str) -> str:
    """Return a password; the sandbox writes each into a file of its own (``file:…``)."""
    return Path(value.removeprefix("file:")).read_text("utf-8").strip() if value.startswith("file:") else value


def _postgres(section: dict[str, Any]) -> Any:
    link = psycopg2.connect(
        host=section["host"],
        port=section["port"],
        dbname=section["database_name"],
        user=section["username"],
        password=secret(section["password"]),
    )
    link.autocommit = True
    return link
