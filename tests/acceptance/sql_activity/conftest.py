"""SqlActivity on real servers, as a command of its own and through the service and an agent."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg2
import pymysql
import pytest

from sandbox.parts.database import DatabaseAddress
from tests.integration.agent.conftest import attempt_only_bench, served, served_session  # noqa: F401  # fixtures

KINDS = {"mysql": "mysql", "postgres": "postgresql", "redshift": "redshift"}


class Target:
    """A database of one engine, and the step on it."""

    def __init__(self, engine: str, address: DatabaseAddress, directory: Path) -> None:
        self.engine = engine
        self.address = address
        self._directory = directory

    def database(self, **changes: Any) -> dict[str, Any]:
        a = self.address
        return {
            "id": "Db",
            "type": "JdbcDatabase",
            "connectionString": f"jdbc:{KINDS[self.engine]}://{a.host}:{a.port}/{a.database}",
            "jdbcDriverClass": "any.Driver",
            "username": a.username,
            "*password": a.password,
            **changes,
        }

    def sql(self, statement: str) -> list[tuple[Any, ...]]:
        a = self.address
        login = {"host": a.host, "port": a.port, "user": a.username, "password": a.password}
        connect: Any = pymysql.connect if self.engine == "mysql" else psycopg2.connect
        link = connect(**login, **{"database" if self.engine == "mysql" else "dbname": a.database})
        link.autocommit(True) if self.engine == "mysql" else link.set_session(autocommit=True)
        try:
            cursor = link.cursor()
            cursor.execute(statement)
            return list(cursor.fetchall()) if cursor.description else []
        finally:
            link.close()

    @property
    def sleeping(self) -> str:
        """A statement that takes a minute."""
        return "select sleep(60)" if self.engine == "mysql" else "select pg_sleep(60)"

    def is_sleeping(self) -> bool:
        """Whether the server runs that statement."""
        listed = (
            f"select count(*) from information_schema.processlist where info = '{self.sleeping}'"
            if self.engine == "mysql"
            else f"select count(*) from pg_stat_activity where query like '{self.sleeping}%' and state = 'active'"
        )
        return self.sql(listed) != [(0,)]

    def start(self, script: str | None = None, **fields: Any) -> subprocess.Popen[str]:
        document = {"id": "Work", "type": "SqlActivity", "database": self.database(), **fields}
        if script is not None:
            document["script"] = script
        parameters = self._directory / "parameters.json"
        parameters.write_text(json.dumps(document))
        command = [sys.executable, "-m", "ductrunner", "step", "sql-activity", "--params", str(parameters)]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        return subprocess.Popen(command, env=dict(os.environ), **pipes)

    def run(self, script: str | None = None, **fields: Any) -> tuple[int, str, str]:
        """Run the step; return its exit status and what it wrote."""
        process = self.start(script, **fields)
        out, err = process.communicate(timeout=60)
        return process.returncode, out, err


@pytest.fixture
def target_of(request: pytest.FixtureRequest, tmp_path: Path, aws_environment: str) -> Callable[[str], Target]:
    """A maker of databases: ``target_of("mysql")``."""
    return lambda engine: Target(engine, request.getfixturevalue(f"{engine}_database"), tmp_path)


@pytest.fixture(params=["mysql", "postgres", "redshift"])
def target(request: pytest.FixtureRequest, target_of: Callable[[str], Target]) -> Target:
    """A database of each engine."""
    return target_of(request.param)
