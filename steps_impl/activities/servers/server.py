"""A database server as a worker reaches it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from pydantic import SecretStr

from core.sections.databases import MySqlHost, PostgresSettings, RedshiftSettings
from stores.mysql.tls import Tls

Engine = Literal["mysql", "postgres", "redshift"]
PORTS: dict[Engine, int] = {"mysql": 3306, "postgres": 5432, "redshift": 5439}
TITLES: dict[Engine, str] = {"mysql": "MySQL", "postgres": "Postgres", "redshift": "Redshift"}


@dataclass(frozen=True)
class Server:
    """Where, as whom, and the driver's options (of psycopg2 or PyMySQL) that the JDBC properties came to."""

    engine: Engine
    host: str
    port: int
    database: str | None
    username: str
    password: SecretStr
    options: Mapping[str, Any] = field(default_factory=dict)
    #: What is demanded of the encryption of a MySQL connection (Postgres' drivers have ``sslmode`` in ``options``).
    tls: Tls = field(default_factory=Tls)
    #: The JDBC properties themselves by name in small letters, without those of the login.
    properties: Mapping[str, str] = field(default_factory=dict)

    @property
    def title(self) -> str:
        """What to call it in a message."""
        return f"{TITLES[self.engine]} {self.host}:{self.port}/{self.database or ''}"

    def mysql(self) -> MySqlHost:
        """The server as the MySQL store takes it."""
        return MySqlHost(
            host=self.host,
            port=self.port,
            username=self.username,
            password=self.password,
            database=self.database,
        )

    def postgres(self) -> PostgresSettings:
        """The server as the Postgres store takes it; without a database, the one named like the user."""
        return PostgresSettings(
            host=self.host,
            port=self.port,
            database_name=self.database or self.username,
            username=self.username,
            password=self.password,
        )

    def redshift(self, iam_role: str | None = None) -> RedshiftSettings:
        """The server as the Redshift store takes it."""
        return RedshiftSettings(
            host=self.host,
            port=self.port,
            database_name=self.database or self.username,
            username=self.username,
            password=self.password,
            iam_role=iam_role,
        )
