"""Commands of compiled Dataduct definitions, run as they are, on real engines."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import psycopg2
import pymysql
import pytest
import yaml

from sandbox.parts.database import DatabaseAddress
from tests.integration.agent.conftest import bench, manual_service  # noqa: F401  # fixtures

COMMAND = "from {module} import {function}; {function}()"
EXECUTORS = "dataduct.steps.executors"


class Compiled:
    """A machine with a configuration of Dataduct's, a warehouse and a source."""

    def __init__(self, warehouse: DatabaseAddress, source: DatabaseAddress, config: Path) -> None:
        self._warehouse = warehouse
        self._source = source
        self.config = config

    def call(self, entry: str, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run an entry point (``module:function``) as a compiled command does."""
        module, _, function = entry.partition(":")
        text = COMMAND.format(module=f"{EXECUTORS}.{module}", function=function)
        own = {**os.environ, "DATADUCT_CONFIG_PATH": str(self.config), **variables}
        command = [sys.executable, "-c", text, *arguments]
        return subprocess.run(command, env=own, capture_output=True, text=True, check=False, timeout=120)

    def warehouse(self, statement: str) -> list[tuple[Any, ...]]:
        """Run a statement in the warehouse."""
        a = self._warehouse
        link = psycopg2.connect(**a.postgres_login)
        link.set_session(autocommit=True)
        try:
            cursor = link.cursor()
            cursor.execute(statement)
            return list(cursor.fetchall()) if cursor.description else []
        finally:
            link.close()

    def source(self, *statements: str) -> None:
        """Run statements in the source."""
        a = self._source
        with pymysql.connect(**a.mysql_login, autocommit=True) as link:
            for statement in statements:
                link.cursor().execute(statement)

    @property
    def alias(self) -> str:
        """The source's name in the configuration."""
        return self._source.database


@pytest.fixture
def compiled(
    redshift_database: DatabaseAddress,
    mysql_database: DatabaseAddress,
    s3_bucket: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Compiled:
    w, s = redshift_database, mysql_database
    config = {
        "etl": {"S3_ETL_BUCKET": s3_bucket, "S3_BASE_PATH": "dev", "ROLE": "r", "CONNECTION_RETRIES": 0},
        "mysql": {s.database: {"HOST": s.host, "PORT": s.port, "USERNAME": s.username, "PASSWORD": s.password}},
        "redshift": {
            "HOST": w.host,
            "PORT": w.port,
            "USERNAME": w.username,
            "PASSWORD": w.password,
            "DATABASE_NAME": w.database,
            "CLUSTER_ID": "c",
        },
    }
    path = tmp_path / "dataduct.cfg"
    path.write_text(yaml.safe_dump(config))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("DUCTRUNNER_CONFIG", raising=False)
    return Compiled(w, s, path)
