"""Servers of the configuration, by the name that a step's flag gives, entered as their section says."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Any

from core.errors import ParameterError
from core.sections.databases import DatabaseLogin, MySqlHost
from core.settings import Settings
from steps_impl.activities.servers.server import TITLES, Engine
from stores import redshift
from stores.sql import SqlSession


@dataclass(frozen=True)
class ConfiguredServer:
    """A section of the configuration, and which protocol is spoken there."""

    engine: Engine
    section: DatabaseLogin

    def open(self, cancelled: threading.Event, queue: str | None, retries: int) -> SqlSession:
        """Connect; ``queue`` is Redshift's query group, ``retries`` are further attempts.

        Raises:
            AccessDenied, NotFound, StoreUnreachable: user, database or server.
        """
        if isinstance(self.section, MySqlHost):
            from stores.mysql.session import connect_session

            return connect_session(self.section, cancelled=cancelled, retries=retries)
        title = TITLES[self.engine]
        return redshift.connect(self.section, cancelled=cancelled, query_group=queue, retries=retries, title=title)


def configured_server(settings: Settings, name: str, database: str | None = None) -> ConfiguredServer:
    """Return the server that ``redshift``, ``postgres`` or an alias of the ``mysql`` section stands for.

    Raises:
        ParameterError: the configuration has none of that name.
    """
    if name == "redshift" and settings.redshift:
        return ConfiguredServer("redshift", _with(settings.redshift, database_name=database))
    if name in settings.mysql:
        return ConfiguredServer("mysql", _with(settings.mysql[name], database=database))
    if name == "postgres" and settings.postgres:
        return ConfiguredServer("postgres", _with(settings.postgres, database_name=database))
    known = [key for key in ("redshift", "postgres") if getattr(settings, key)] + sorted(settings.mysql)
    raise ParameterError(f"no server {name!r} in the configuration; it knows: {', '.join(known) or 'none'}")


def _with(section: DatabaseLogin, **changes: Any) -> DatabaseLogin:
    return section.model_copy(update={key: value for key, value in changes.items() if value})
