"""Dataduct's hooks around connecting: ``connect_to_redshift``, ``connect_to_mysql``, ``connect_to_postgres``.

A file in ``etl.hooks_base_path`` with one or both of ``before_hook(*args, **kwargs) -> (args, kwargs)`` and
``after_hook(result) -> result`` (coursera/dataduct, utils/hook.py). ``before_hook`` gets where and as whom as the
keyword that Dataduct's functions take (``redshift_creds``, ``postgres_creds``, ``sql_creds``) and may give another;
further keywords that it gives are options of the driver. ``after_hook`` gets the connection: ``cursor()``, ``execute``,
``fetchone``, ``fetchall``, in the session that the step will use.

The code runs with the worker's rights, so that only files of its own user or root are run, that nobody else can change.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from core.errors import HookFailed
from core.sections.databases import DatabaseLogin, MySqlHost, PostgresSettings
from core.user_hook import UserHook
from stores.logins.access import Access
from stores.logins.dbapi import HookConnection

#: What Dataduct's functions take beside the login, and what is ours to say: a session has UTF-8 of four bytes.
_OF_DATADUCT = frozenset({"autocommit", "charset", "cursorclass", "database_name"})


@dataclass(frozen=True)
class Names:
    """The names under which a kind of database tells its login to a hook."""

    creds: str
    database: str


_MYSQL = Names("sql_creds", "DATABASE")
_POSTGRES = Names("postgres_creds", "DATABASE_NAME")
_REDSHIFT = Names("redshift_creds", "DATABASE_NAME")


@dataclass(frozen=True)
class ConnectHook:
    """The hook of one kind of database."""

    hook: UserHook
    names: Names

    def before(self, access: Access) -> Access:
        """Let the hook look at the access and change it.

        Raises:
            HookFailed: it raised, or gave back what is no access.
        """
        if self.hook.before_hook is None:
            return access
        return self._access(access, self.hook.before(**{self.names.creds: self._creds(access)}))

    def after(self, run: Callable[[str, Sequence[Any]], list[tuple[Any, ...]]]) -> None:
        """Show the hook the connection.

        Raises:
            HookFailed: it raised, or gave back another connection.
        """
        connection = HookConnection(run)
        if self.hook.after(connection) not in (None, connection):
            raise HookFailed(f"{self.hook.path}: after_hook gave back another connection, which a step cannot use")

    def _creds(self, access: Access) -> dict[str, Any]:
        login = {"HOST": access.host, "PORT": access.port, "USERNAME": access.username, "PASSWORD": access.password}
        return {**login, self.names.database: access.database}

    def _access(self, access: Access, given: dict[str, Any]) -> Access:
        creds = given.pop(self.names.creds, None)
        if creds is None:  # as Dataduct: the configuration's
            creds = self._creds(access)
        if not isinstance(creds, Mapping):
            raise HookFailed(
                f"{self.hook.path}: {self.names.creds} must be a mapping (HOST, PORT, USERNAME, PASSWORD …)"
            )
        known = {str(name).upper(): value for name, value in creds.items()}
        try:
            return replace(
                access,
                host=str(known.get("HOST", access.host)),
                port=int(known.get("PORT", access.port)),
                username=str(known.get("USERNAME", access.username)),
                password=str(known.get("PASSWORD", access.password)),
                database=known.get(self.names.database, access.database),
                options={name: value for name, value in given.items() if name not in _OF_DATADUCT},
            )
        except (TypeError, ValueError):
            raise HookFailed(f"{self.hook.path}: {self.names.creds} holds a PORT that is no number") from None


def hook_of(settings: DatabaseLogin) -> ConnectHook | None:
    """Return the hook that the settings name, or ``None``. Raises as ``UserHook.load``."""
    if settings.connect_hook is None:
        return None
    return ConnectHook(UserHook.load(settings.connect_hook), _names_of(settings))


def _names_of(settings: DatabaseLogin) -> Names:
    if isinstance(settings, MySqlHost):
        return _MYSQL
    return _POSTGRES if isinstance(settings, PostgresSettings) else _REDSHIFT
