"""The real servers behind RDS and Redshift: who asks moto for an instance or cluster gets a login on one of them.

``CreateDBInstance`` and ``CreateCluster`` make the master user and the database; ``Endpoint`` is where the server is;
the user and password of ``GetClusterCredentials`` are let in for as long as they say. The addresses stand in a file
that the sandbox writes when all parts are up; without it moto answers alone.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from sandbox.files import write_private
from sandbox.parts.database import DatabaseAddress

Kind = Literal["mysql", "postgres", "redshift"]
ENGINES: dict[str, Kind] = {
    "mysql": "mysql",
    "mariadb": "mysql",
    "aurora-mysql": "mysql",
    "postgres": "postgres",
    "aurora-postgresql": "postgres",
}


@dataclass(frozen=True)
class Servers:
    """Addresses by kind, each as somebody who may make users; ``redshift`` is the front, entered through Postgres."""

    file: Path

    @classmethod
    def of(cls, folder: Path) -> Servers:
        """Return those of a sandbox, by the folder of its AWS services."""
        return cls(folder / "servers.json")

    def write(self, addresses: Mapping[Kind, DatabaseAddress]) -> None:
        """Write the file, for its owner alone."""
        told = {
            kind: {"host": one.host, "port": one.port, "username": one.username, "password": one.password}
            for kind, one in addresses.items()
        }
        write_private(self.file, json.dumps(told))

    def find(self, kind: Kind) -> dict[str, Any] | None:
        """Return the address of a kind, if it is there."""
        try:
            told: dict[Kind, dict[str, Any]] = json.loads(self.file.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        return told.get(kind)

    def of_engine(self, engine: str) -> dict[str, Any] | None:
        """Return the address of what stands for an engine of RDS."""
        kind = ENGINES.get(engine.lower())
        return self.find(kind) if kind else None

    def make_login(self, kind: Kind, username: str, password: str, database: str | None) -> None:
        """Let somebody in who owns a database; does nothing where the server is not there."""
        if not self.find(kind):
            return
        if kind == "mysql":
            self._make_mysql(username, password, database or username)
        else:
            self._make_postgres(username, password, database or username)

    def make_role(self, username: str) -> None:
        """Make a user of the warehouse who cannot log in with a password, unless there is one."""
        if not self._postgres("SELECT 1 FROM pg_roles WHERE rolname = %s", username):
            self._postgres(f"CREATE ROLE {_quoted(username)}")

    def make_temporary(self, username: str, owner: str, password: str, until: str) -> None:
        """Let ``username`` into the warehouse as ``owner`` until a moment; only if there is such an owner."""
        if not self._postgres("SELECT 1 FROM pg_roles WHERE rolname = %s", owner):
            return
        role, of = _quoted(username), _quoted(owner)
        if not self._postgres("SELECT 1 FROM pg_roles WHERE rolname = %s", username):
            self._postgres(f"CREATE ROLE {role} IN ROLE {of}")
            self._postgres(f"ALTER ROLE {role} SET role TO {of}")
        self._postgres(f"ALTER ROLE {role} LOGIN PASSWORD %s VALID UNTIL %s", password, until)

    def _make_postgres(self, username: str, password: str, database: str) -> None:
        role = _quoted(username)
        self.make_role(username)
        self._postgres(f"ALTER ROLE {role} LOGIN PASSWORD %s", password)
        if not self._postgres("SELECT 1 FROM pg_database WHERE datname = %s", database):
            self._postgres(f"CREATE DATABASE {_quoted(database)} OWNER {role}")
        self._postgres(f"GRANT ALL ON DATABASE {_quoted(database)} TO {role}")

    def _make_mysql(self, username: str, password: str, database: str) -> None:
        import pymysql

        address = self.find("mysql")
        assert address
        login = {"host": address["host"], "port": address["port"], "user": address["username"]}
        name = database.replace("`", "``")
        with pymysql.connect(**login, password=address["password"], autocommit=True) as link, link.cursor() as cursor:
            cursor.execute(f"CREATE DATABASE IF NOT EXISTS `{name}`")
            cursor.execute("CREATE USER IF NOT EXISTS %s@'%%' IDENTIFIED BY %s", (username, password))
            cursor.execute("ALTER USER %s@'%%' IDENTIFIED BY %s", (username, password))
            cursor.execute(f"GRANT ALL ON `{name}`.* TO %s@'%%'", (username,))

    def _postgres(self, statement: str, *values: str) -> list[tuple[Any, ...]]:
        import psycopg2

        address = self.find("postgres")
        if not address:
            return []
        link = psycopg2.connect(
            host=address["host"],
            port=address["port"],
            user=address["username"],
            password=address["password"],
            dbname="postgres",
        )
        try:
            link.autocommit = True
            with link.cursor() as cursor:
                cursor.execute(statement, values or None)
                return cursor.fetchall() if cursor.description else []
        finally:
            link.close()


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
