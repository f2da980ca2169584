"""Who may read and write for COPY and UNLOAD (Developer Guide, "Authorization parameters")."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from core.redaction import REDACTOR
from sandbox.redshift.cursor import Cursor
from sandbox.redshift.errors import SYNTAX, SqlError

_ROLE: Final = re.compile(r"arn:aws[a-z-]*:iam::\d{12}:role/[\w+=,.@/-]+")
_NAMES: Final = {"aws_access_key_id": "access_key", "aws_secret_access_key": "secret_key", "token": "token"}


@dataclass
class Authorization:
    """A role, or keys that the command brings itself; for a role the front's own keys are used."""

    role: str | None = None
    access_key: str = field(default="", repr=False)
    secret_key: str = field(default="", repr=False)
    token: str = field(default="", repr=False)

    def options(self, cursor: Cursor) -> dict[str, Callable[[], None]]:
        """Return what reads each of the parameters behind its keyword."""
        return {
            "iam_role": lambda: self._role(cursor),
            "credentials": lambda: self._credentials(cursor),
            "access_key_id": lambda: self._key("access_key", cursor),
            "secret_access_key": lambda: self._key("secret_key", cursor),
            "session_token": lambda: self._key("token", cursor),
            "token": lambda: self._key("token", cursor),
        }

    def check(self) -> None:
        """Refuse a command without keys or role, or with both.

        Raises:
            SqlError: says which.
        """
        given_keys = bool(self.access_key or self.secret_key)
        if self.role is None and not given_keys:
            raise SqlError("Missing credentials: give IAM_ROLE, CREDENTIALS or ACCESS_KEY_ID", SYNTAX)
        if given_keys and (self.role is not None or not (self.access_key and self.secret_key)):
            raise SqlError("Invalid credentials: give a role, or an access key with its secret key", SYNTAX)

    def _role(self, cursor: Cursor) -> None:
        cursor.accept("as")
        self.role = "default" if cursor.accept("default") else _checked_role(cursor.string())

    def _key(self, name: str, cursor: Cursor) -> None:
        cursor.accept("as")
        self._set(name, cursor.string())

    def _credentials(self, cursor: Cursor) -> None:
        cursor.accept("as")
        for part in cursor.string().split(";"):
            name, _, value = part.strip().partition("=")
            if name == "aws_iam_role":
                self.role = _checked_role(value)
            elif name in _NAMES:
                self._set(_NAMES[name], value)
            else:
                raise SqlError("Invalid credentials. Must be of the format: credentials 'aws_iam_role=...'", "XX000")

    def _set(self, name: str, text: str) -> None:
        REDACTOR.register(text)
        setattr(self, name, text)


def _checked_role(text: str) -> str:
    for arn in text.split(","):
        if not _ROLE.fullmatch(arn):
            raise SqlError("Invalid IAM role: it must look like arn:aws:iam::123456789012:role/name", "22023")
    return text
