"""A table's definition as Redshift knows it: keys, styles, encodings and constraints that are declared, not enforced.

They are kept as JSON in the comment on the table's row type: a system catalog, so they roll back with the
transaction, go with the table, need no rights of their own and never cause a serialization conflict.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import Any, Final

from sandbox.redshift.cursor import quote_name, quote_text
from sandbox.redshift.errors import SqlError

ENCODINGS: Final = frozenset(
    [
        "raw",
        "az64",
        "bytedict",
        "delta",
        "delta32k",
        "lzo",
        "mostly8",
        "mostly16",
        "mostly32",
        "runlength",
        "text255",
        "text32k",
        "zstd",
        "auto",
    ]
)
#: Makes views that are bound late again, after a change of what they may read.
REBIND: Final = "SELECT pg_catalog.redshift_rebind()"
DIST_STYLES: Final = frozenset({"auto", "even", "key", "all"})


@dataclass
class Constraint:
    """A primary key (``p``), unique (``u``) or foreign key (``f``) that the planner may trust and nobody checks."""

    type: str
    columns: list[str]
    name: str | None = None
    references: list[str] = field(default_factory=list)
    referenced_columns: list[str] = field(default_factory=list)


@dataclass
class Attributes:
    """What Postgres has no place for; columns by name."""

    diststyle: str | None = None
    distkey: str | None = None
    sortstyle: str | None = None
    sortkey: list[str] = field(default_factory=list)
    encode: dict[str, str] = field(default_factory=dict)
    constraints: list[Constraint] = field(default_factory=list)
    like: list[str] = field(default_factory=list)

    def set_style(self, style: str) -> None:
        """Take a DISTSTYLE.

        Raises:
            SqlError: there is no such style.
        """
        if style not in DIST_STYLES:
            raise SqlError(f'invalid DISTSTYLE "{style}"', "42601")
        self.diststyle = style

    def set_distkey(self, column: str) -> None:
        """Take a DISTKEY.

        Raises:
            SqlError: there is one already.
        """
        if self.distkey is not None:
            raise SqlError("A table can have only one DISTKEY", "42P16")
        self.distkey = column

    def set_encoding(self, column: str, encoding: str) -> None:
        """Take a column's ENCODE.

        Raises:
            SqlError: there is no such encoding.
        """
        if encoding.lower() not in ENCODINGS:
            raise SqlError(f'invalid encoding type specified for column "{column}": "{encoding}"', "42601")
        self.encode[column] = encoding.lower()

    def check(self) -> None:
        """Refuse styles and keys that contradict each other.

        Raises:
            SqlError: they do.
        """
        if self.distkey and self.diststyle not in (None, "key"):
            raise SqlError(f"DISTKEY is not allowed with DISTSTYLE {(self.diststyle or '').upper()}", "42P16")
        if self.diststyle == "key" and not self.distkey:
            raise SqlError("DISTSTYLE KEY needs a DISTKEY", "42P16")
        if self.like and (self.diststyle or self.distkey or self.sortstyle):
            raise SqlError("distribution and sort keys cannot be given with LIKE: they come from the parent", "42P16")
        if sum(constraint.type == "p" for constraint in self.constraints) > 1:
            raise SqlError("multiple primary keys for a table are not allowed", "42P16")

    def as_changes(self) -> dict[str, Any]:
        """Return what was given, without what was not."""
        return {name: value for name, value in asdict(self).items() if value}


@dataclass(frozen=True)
class Build:
    """A definition: ``main`` is what the client sees answered; ``after`` follows in the same transaction.

    ``unless_exists`` is the SQL that finds the table when ``after`` must not touch one that was there before.
    """

    main: str
    after: tuple[str, ...] = ()
    unless_exists: str | None = None


@dataclass(frozen=True)
class LateView:
    """A view that is bound to its tables when it is read."""

    name: tuple[str, ...]
    query: str
    replaces: bool

    @property
    def checked(self) -> Checked:
        """What makes it."""
        arguments = f"{quote_text(quote_name(*self.name))}, {quote_text(self.query)}, {str(self.replaces).lower()}"
        return Checked((f"SELECT pg_catalog.redshift_late_view({arguments})",), tag="CREATE VIEW")


@dataclass(frozen=True)
class Checked:
    """Statements of which the client sees errors only, then ``main``, or else ``tag`` as the answer."""

    before: tuple[str, ...]
    main: str = ""
    tag: str = ""
    alone: str = ""  # the name of a statement that may not be part of a transaction block


def declare(schema: str | None, table: str, changes: dict[str, Any]) -> str:
    """Return the call that keeps ``changes``; ``schema`` ``None`` is where new tables go, ``''`` the search path."""
    where = "NULL" if schema is None else quote_text(schema)
    text = quote_text(json.dumps(changes))
    return f"SELECT pg_catalog.redshift_declare({where}, {quote_text(table)}, {text}::pg_catalog.jsonb)"
