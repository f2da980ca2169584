"""One connection: the access, the hooks around it, and a second try with a new secret."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, Protocol, TypeVar

from core.errors import AccessDenied, HookFailed
from core.sections.databases import DatabaseLogin
from stores.logins.access import Access, access_to
from stores.logins.hooks import ConnectHook, hook_of


class Closes(Protocol):
    """A connection."""

    def close(self) -> None:
        """Close it."""


T = TypeVar("T", bound=Closes)
#: Runs a statement with its values on a connection and returns its rows, or none.
Speak = Callable[[Any, str, Sequence[Any]], list[tuple[Any, ...]]]


def logged_in(settings: DatabaseLogin, database: str | None, open_with: Callable[[Access], T], speak: Speak) -> T:
    """Connect with ``open_with`` and return the connection.

    A secret may be changed between its reading and its use, and a token be refused by a server that does not know the
    user's new right yet: when the login is refused and there is another secret now, that is tried, once.

    Raises:
        AccessDenied: refused, also with the newest secret.
        HookFailed: a hook of the user's failed.
        SettingsError, StoreError: as ``open_with`` and ``access_to``.
    """
    hook = hook_of(settings)
    access = current_access(settings, database)
    try:
        connection = _opened(open_with, access, hook)
    except AccessDenied:
        fresh = current_access(settings, database)
        if fresh == access:
            raise
        connection = _opened(open_with, fresh, hook)
    if hook:
        _after(hook, connection, speak)
    return connection


def _opened(open_with: Callable[[Access], T], access: Access, hook: ConnectHook | None) -> T:
    try:
        return open_with(access)
    except TypeError as error:
        if hook is None or not access.options:
            raise
        raise HookFailed(f"{hook.hook.path}: the driver does not take an option of before_hook: {error}") from None


def current_access(settings: DatabaseLogin, database: str | None) -> Access:
    """Return the access as it is now, once the hook has seen it. Raises as ``logged_in``."""
    access = access_to(settings, database)
    hook = hook_of(settings)
    return hook.before(access).safe() if hook else access


def _after(hook: ConnectHook, connection: T, speak: Speak) -> None:
    try:
        hook.after(lambda text, values: speak(connection, text, values))
    except BaseException:
        with suppress(Exception):
            connection.close()
        raise
