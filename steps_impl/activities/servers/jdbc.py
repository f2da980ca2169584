"""JDBC addresses: ``jdbc:mysql://host:3306/database?useSSL=true`` and their kin, read without Java.

Source: *Connector/J Developer Guide* (Connection URL Syntax), *pgJDBC* (Connecting to the Database), *Amazon Redshift
JDBC driver* (Building the connection URL).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, unquote

from core.errors import UnsupportedDatabase
from steps_impl.activities.servers.server import Engine

#: The names after ``jdbc:`` of each engine.
_ENGINES: dict[str, Engine] = {
    "mysql": "mysql",
    "mariadb": "mysql",
    "aurora": "mysql",
    "mysql:aws": "mysql",
    "aws-wrapper:mysql": "mysql",
    "postgresql": "postgres",
    "aws-wrapper:postgresql": "postgres",
    "redshift": "redshift",
}
_ADDRESS = re.compile(
    r"jdbc:(?P<engine>[a-z0-9:-]+?):"
    r"(?://(?P<host>\[[0-9a-fA-F:.]+\]|[^/:?;,\[\]]*)(?::(?P<port>\d{1,5}))?(?P<more>,[^/?;]*)?)?"
    r"/?(?P<database>[^?;/]*)(?P<properties>[?;].*)?",
    re.IGNORECASE | re.DOTALL,
)
_SUPPORTED = "jdbc:mysql://host:3306/database, jdbc:postgresql://host:5432/database, jdbc:redshift://host:5439/database"


@dataclass(frozen=True)
class JdbcAddress:
    """The parts of an address; ``port`` and ``database`` are ``None`` where it does not say."""

    engine: Engine
    host: str
    port: int | None
    database: str | None
    properties: dict[str, str] = field(default_factory=dict, repr=False)


def parse_jdbc(text: str, where: str, driver_class: str | None = None) -> JdbcAddress:
    """Read a JDBC address; ``where`` names the object that has it.

    Raises:
        UnsupportedDatabase: it is of another kind of database, of several hosts, or not a JDBC address.
    """
    match = _ADDRESS.fullmatch(text.strip())
    engine = _ENGINES.get(match["engine"].lower()) if match else None
    if match is None or engine is None:
        raise UnsupportedDatabase(f"{where}: {_kind(text)}{_of_class(driver_class)}; known are {_SUPPORTED}")
    if match["more"]:
        raise UnsupportedDatabase(f"{where} names several hosts ({match['host']}{match['more']}); name one of them")
    properties = dict(parse_qsl(re.sub("[;&]", "&", (match["properties"] or "")[1:]), keep_blank_values=True))
    return JdbcAddress(
        engine=engine,
        host=(match["host"] or "localhost").strip("[]"),
        port=int(match["port"]) if match["port"] else None,
        database=unquote(match["database"]) or None,
        properties=properties,
    )


def _kind(text: str) -> str:
    """Say what an address is, without what may be a password in it."""
    words = text.strip().split(":")
    if words[0].lower() != "jdbc" or len(words) < 3:
        return "the connectionString is not a JDBC address"
    return f"databases of the kind jdbc:{words[1]} have no driver here"


def _of_class(driver_class: str | None) -> str:
    return f" (jdbcDriverClass {driver_class})" if driver_class else ""
