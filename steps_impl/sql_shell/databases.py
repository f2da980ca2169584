"""Finds a database of the configuration."""

from __future__ import annotations

from core.errors import ParameterError
from core.sections.databases import DatabaseLogin
from core.settings import Settings


def find_database(settings: Settings, kind: str, alias: str | None, database: str | None) -> DatabaseLogin:
    """Return the entry of a kind of database, of ``mysql`` that of an alias; ``database`` goes before its own.

    Raises:
        ParameterError: the configuration has none; the message names the aliases that it has.
    """
    if kind == "mysql":
        host = settings.mysql.get(alias or "")
        if host is None:
            known = ", ".join(sorted(settings.mysql)) or "none"
            raise ParameterError(f"the configuration has no mysql host {alias!r}; it has: {known}")
        return host.model_copy(update={"database": database}) if database else host
    login = settings.redshift if kind == "redshift" else settings.postgres
    if login is None:
        raise ParameterError(f"the configuration has no section {kind}; see docs/reference/configuration.md")
    return login.model_copy(update={"database_name": database}) if database else login
