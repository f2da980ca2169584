"""What the database parts have in common: the address of one database, with its user."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class DatabaseAddress:
    """Where a database is and who may use it; the password is also in ``password_file``, which only its owner reads."""

    host: str
    port: int
    username: str
    password: str = field(repr=False)
    database: str
    password_file: Path
