"""Reads one column of a definition: name, type, attributes and constraints in any order."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from steps_impl.tables.expressions import read_default, read_type
from steps_impl.tables.model import Column, ForeignKey, Identity, Key
from steps_impl.tables.reader import TokenReader

#: Encodings of the Developer Guide, "Compression encodings"; NONE is the old name of RAW.
_ENCODINGS = frozenset(
    {"AUTO", "AZ64", "BYTEDICT", "DELTA", "DELTA32K", "LZO", "MOSTLY8", "MOSTLY16", "MOSTLY32", "NONE", "RAW"}
    | {"RUNLENGTH", "TEXT255", "TEXT32K", "ZSTD"}
)
_COLLATIONS = {
    "CASE_SENSITIVE": "CASE_SENSITIVE",
    "CS": "CASE_SENSITIVE",
    "CASE_INSENSITIVE": "CASE_INSENSITIVE",
    "CI": "CASE_INSENSITIVE",
}


class TableParts(Protocol):
    """Where a column leaves what belongs to the whole table (inline keys)."""

    columns: list[Column]
    unique: list[Key]
    foreign_keys: list[ForeignKey]

    def say(self, keyword: str, value: Any) -> None:
        """Keep something that may be said only once."""

    def optional_names(self) -> tuple[str, ...]:
        """Take ``(a, b)`` if it comes next."""


class ColumnReader:
    """Takes one column."""

    def __init__(self, reader: TokenReader, table: TableParts) -> None:
        self._reader = reader
        self._table = table
        self._name = ""
        self._said: dict[str, Any] = {}

    def read(self) -> None:
        """Take the column and leave it with the table."""
        self._name = self._reader.identifier("a column")
        kind = read_type(self._reader)
        while not (self._reader.sees(",") or self._reader.sees(")")):
            self._attribute()
        self._said.pop("null", None)
        self._table.columns.append(Column(self._name, kind, **self._said))

    def _attribute(self) -> None:
        for words, take in self._attributes():
            if self._reader.takes(*words):
                take()
                return
        self._reader.fail(f"{self._reader.token} is not understood in column {self._name!r}")

    def _attributes(self) -> tuple[tuple[tuple[str, ...], Callable[[], None]], ...]:
        return (
            (("NOT", "NULL"), lambda: self._nullability(not_null=True)),
            (("NULL",), lambda: self._nullability(not_null=False)),
            (("DEFAULT",), lambda: self._say("default", read_default(self._reader))),
            (("IDENTITY",), lambda: self._say("identity", self._identity(by_default=False))),
            (
                ("GENERATED", "BY", "DEFAULT", "AS", "IDENTITY"),
                lambda: self._say("identity", self._identity(by_default=True)),
            ),
            (("ENCODE",), lambda: self._say("encode", self._known(_ENCODINGS, "an encoding"))),
            (("COLLATE",), lambda: self._say("collate", _COLLATIONS[self._known(_COLLATIONS, "a collation")])),
            (("DISTKEY",), lambda: self._table.say("dist_key", self._name)),
            (("SORTKEY",), lambda: self._table.say("sort_key", (self._name,))),
            (("CONSTRAINT",), self._named_constraint),
            (("PRIMARY", "KEY"), lambda: self._table.say("primary_key", Key((self._name,)))),
            (("UNIQUE",), lambda: self._table.unique.append(Key((self._name,)))),
            (("REFERENCES",), self._reference),
        )

    def _named_constraint(self) -> None:
        """Take ``CONSTRAINT name`` and the one constraint behind it."""
        name = self._reader.identifier("a constraint")
        if self._reader.takes("PRIMARY", "KEY"):
            self._table.say("primary_key", Key((self._name,), name))
        elif self._reader.takes("UNIQUE"):
            self._table.unique.append(Key((self._name,), name))
        elif self._reader.takes("REFERENCES"):
            self._reference(name)
        elif self._reader.takes("NOT", "NULL"):
            self._nullability(not_null=True)
        else:
            self._reader.fail(f"expected PRIMARY KEY, UNIQUE, REFERENCES or NOT NULL, found {self._reader.token}")

    def _say(self, keyword: str, value: object) -> None:
        if keyword in self._said:
            self._reader.fail(f"column {self._name!r} has a second {keyword.upper()}")
        self._said[keyword] = value

    def _nullability(self, *, not_null: bool) -> None:
        if "null" in self._said:
            self._reader.fail(f"column {self._name!r} says NULL or NOT NULL a second time")
        self._said.update(null=True, not_null=not_null)

    def _identity(self, *, by_default: bool) -> Identity:
        seed, step = self._two_numbers()
        return Identity(seed, step, by_default)

    def _two_numbers(self) -> tuple[int, int]:
        numbers = self._reader.listed(self._reader.whole_number)
        if len(numbers) != 2:
            self._reader.fail(f"IDENTITY takes (seed, step), not {len(numbers)} number(s)")
        return numbers[0], numbers[1]

    def _known(self, names: frozenset[str] | dict[str, str], what: str) -> str:
        if self._reader.token.word not in names:
            self._reader.fail(f"{self._reader.token} is not {what} of Redshift")
        return self._reader.advance().word

    def _reference(self, name: str | None = None) -> None:
        target = self._reader.table_name()
        self._table.foreign_keys.append(ForeignKey((self._name,), target, self._table.optional_names(), name))
