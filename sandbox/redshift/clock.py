"""The time as the system tables have it."""

from __future__ import annotations

from datetime import UTC, datetime


def now() -> datetime:
    """Return the time in UTC, without a zone, as Redshift's system tables have it."""
    return datetime.now(UTC).replace(tzinfo=None)
