"""Whether a connection in Postgres' protocol is encrypted, in the words of libpq."""

from __future__ import annotations

from core.sections.databases import DatabaseLogin


def postgres_tls(settings: DatabaseLogin) -> dict[str, str]:
    """Return libpq's options; its default (``prefer``) is left to it."""
    options = {} if settings.tls == "prefer" else {"sslmode": settings.tls}
    return options | ({"sslrootcert": str(settings.ssl_ca.expanduser())} if settings.ssl_ca else {})
