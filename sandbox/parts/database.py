"""What the database parts have in common: the address of one database, with its user."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class DatabaseAddress:
    """Where a database is and who may use it."""

    host: str
    port: int
    username: str
    password: str = field(repr=False)
    database: str
