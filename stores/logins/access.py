"""Where a database is and as whom it is entered, with the secret of this moment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from core.redaction import REDACTOR
from core.sections.databases import DatabaseLogin, RedshiftSettings
from stores import secrets
from stores.logins.iam import database_token
from stores.logins.temporary import temporary_credentials


@dataclass(frozen=True)
class Access:
    """All that a driver needs to connect; ``options`` are the driver's own (a hook may give some)."""

    host: str
    port: int
    database: str | None
    username: str
    password: str = field(repr=False)
    options: Mapping[str, Any] = field(default_factory=dict)

    def safe(self) -> Access:
        """Return it once its secret is known to the redactor."""
        REDACTOR.register(self.password)
        return self


def access_to(settings: DatabaseLogin, database: str | None) -> Access:
    """Return the access; ``database`` goes before the one of the settings.

    Raises:
        SettingsError, AccessDenied, NotFound, StoreUnreachable: the secret could not be had.
    """
    username, password = _login(settings, database or settings.default_database)
    return Access(settings.host, settings.port, database or settings.default_database, username, password).safe()


def _login(settings: DatabaseLogin, database: str | None) -> tuple[str, str]:
    if settings.authentication == "password":
        return settings.username, secrets.resolve(settings.password, settings.aws_region)
    if isinstance(settings, RedshiftSettings):
        return temporary_credentials(settings, database)
    return settings.username, database_token(settings)
