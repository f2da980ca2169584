"""Servers of the configuration, by the name that a step's flag gives."""

from __future__ import annotations

from dataclasses import replace

from core.errors import ParameterError
from core.settings import MySqlHost, PostgresSettings, RedshiftSettings, Settings
from steps_impl.activities.servers.server import Server


def warehouse_server(redshift: RedshiftSettings) -> Server:
    """Return the ``redshift`` section as a server."""
    return _postgres_like("redshift", redshift)


def configured_server(settings: Settings, name: str, database: str | None = None) -> Server:
    """Return the server that ``redshift``, ``postgres`` or an alias of the ``mysql`` section stands for.

    Raises:
        ParameterError: the configuration has none of that name.
    """
    found: Server | None = None
    if name == "redshift" and settings.redshift:
        found = warehouse_server(settings.redshift)
    elif name in settings.mysql:
        found = _mysql(settings.mysql[name])
    elif name == "postgres" and settings.postgres:
        found = _postgres_like("postgres", settings.postgres)
    if found is None:
        there = [key for key in ("redshift", "postgres") if getattr(settings, key)] + sorted(settings.mysql)
        raise ParameterError(f"no server {name!r} in the configuration; it knows: {', '.join(there) or 'none'}")
    return replace(found, database=database) if database else found


def _postgres_like(engine: str, section: RedshiftSettings | PostgresSettings) -> Server:
    return Server(
        engine="redshift" if engine == "redshift" else "postgres",
        host=section.host,
        port=section.port,
        database=section.database_name,
        username=section.username,
        password=section.password,
    )


def _mysql(host: MySqlHost) -> Server:
    return Server("mysql", host.host, host.port, host.database, host.username, host.password)
