"""What the database parts have in common: the address of one database, with its user."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class DatabaseAddress:
    """Where a database is and who may use it; the password is also in ``password_file``, which only its owner reads."""

    host: str
    port: int
    username: str
    password: str = field(repr=False)
    database: str
    password_file: Path

    @property
    def postgres_login(self) -> dict[str, Any]:
        """The arguments of ``psycopg2.connect``."""
        return {**self._server, "dbname": self.database}

    @property
    def mysql_login(self) -> dict[str, Any]:
        """The arguments of ``pymysql.connect``."""
        return {**self._server, "database": self.database}

    @property
    def _server(self) -> dict[str, Any]:
        return {"host": self.host, "port": self.port, "user": self.username, "password": self.password}
