"""Reads definitions: ``CREATE TABLE`` and ``CREATE VIEW`` of Redshift.

Everything of the Developer Guide's CREATE TABLE page except ``AS SELECT`` (which does not say what the columns are).
What is not understood is an error with line and column, never passed over.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from core.errors import DefinitionError
from steps_impl.tables.columns import ColumnReader
from steps_impl.tables.model import Column, ForeignKey, Key, Like, Table, TableName, View
from steps_impl.tables.reader import TokenReader
from steps_impl.tables.rules import check_table
from steps_impl.tables.tokens import Kind
from steps_impl.tables.views import begins_view, read_view

_DIST_STYLES = ("AUTO", "EVEN", "KEY", "ALL")


def parse_table(text: str) -> Table:
    """Return the table that a definition describes.

    Raises:
        DefinitionError: anything that is not understood or contradicts itself; the message names line and column.
    """
    reader = TokenReader(text)
    table = _read_table(reader)
    if reader.token.kind is not Kind.END:
        reader.fail(f"a table definition holds one CREATE TABLE, found {reader.token} behind it")
    return table


def parse_definitions(text: str) -> tuple[Table | View, ...]:
    """Return all tables and views of a text, in its order. Raises as ``parse_table``; also when there are none."""
    reader = TokenReader(text)
    found: list[Table | View] = []
    while reader.token.kind is not Kind.END or not found:
        found.append(read_view(reader) if begins_view(reader) else _read_table(reader))
    return tuple(found)


def _read_table(reader: TokenReader) -> Table:
    """Take one CREATE TABLE and the semicolons behind it."""
    while reader.takes(";"):
        pass
    table = _Builder(reader).read()
    while reader.takes(";"):
        pass
    try:
        check_table(table)
    except DefinitionError as error:
        raise DefinitionError(f"table {table.name}: {error}") from None
    return table


@dataclass
class _Builder:
    """Gathers the parts of a table while the tokens go by."""

    reader: TokenReader
    columns: list[Column] = field(default_factory=list)
    unique: list[Key] = field(default_factory=list)
    foreign_keys: list[ForeignKey] = field(default_factory=list)
    likes: list[Like] = field(default_factory=list)
    #: Everything that may be said once: keyword of ``Table`` → value.
    said: dict[str, Any] = field(default_factory=dict)

    def read(self) -> Table:
        """Take the whole statement."""
        name = self._head()
        self.reader.listed(self._field)
        while self._attribute():
            pass
        return Table(
            name=name,
            columns=tuple(self.columns),
            unique=tuple(self.unique),
            foreign_keys=tuple(self.foreign_keys),
            likes=tuple(self.likes),
            **self.said,
        )

    def say(self, keyword: str, value: Any) -> None:
        """Keep something that may be said only once."""
        if keyword in self.said:
            self.reader.fail(f"{_WORDS[keyword]} is given a second time")
        self.said[keyword] = value

    def _head(self) -> TableName:
        reader = self.reader
        reader.demand("CREATE")
        reader.takes("LOCAL")
        temporary = reader.takes("TEMP") or reader.takes("TEMPORARY")
        if not reader.sees("TABLE"):
            reader.fail(f"a table definition begins with CREATE [TEMP] TABLE, found {reader.token}")
        reader.advance()
        exists = reader.takes("IF", "NOT", "EXISTS")
        name = reader.table_name()
        if not reader.sees("("):
            reader.fail(f"expected ( and the columns, found {reader.token} (AS SELECT does not define columns)")
        self.said.update(temporary=temporary, if_not_exists=exists)
        return name

    def _field(self) -> None:
        reader = self.reader
        if reader.takes("LIKE"):
            self._like()
        elif reader.sees("CONSTRAINT") or reader.sees("UNIQUE") or _two_words(reader):
            self._constraint()
        else:
            ColumnReader(reader, self).read()

    def _like(self) -> None:
        parent = self.reader.table_name()
        including = None
        for word, meaning in (("INCLUDING", True), ("EXCLUDING", False)):
            if self.reader.takes(word):
                self.reader.demand("DEFAULTS")
                including = meaning
        self.likes.append(Like(parent, including, len(self.columns)))

    def _constraint(self) -> None:
        reader = self.reader
        name = reader.identifier("a constraint") if reader.takes("CONSTRAINT") else None
        if reader.takes("PRIMARY", "KEY"):
            self.say("primary_key", Key(self._names(), name))
        elif reader.takes("UNIQUE"):
            self.unique.append(Key(self._names(), name))
        elif reader.takes("FOREIGN", "KEY"):
            columns = self._names()
            reader.demand("REFERENCES")
            self.foreign_keys.append(ForeignKey(columns, reader.table_name(), self.optional_names(), name))
        else:
            reader.fail(f"expected PRIMARY KEY, UNIQUE or FOREIGN KEY, found {reader.token}")

    def _names(self) -> tuple[str, ...]:
        return self.reader.listed(lambda: self.reader.identifier("a column"))

    def optional_names(self) -> tuple[str, ...]:
        """Take ``(a, b)`` if it comes next."""
        return self._names() if self.reader.sees("(") else ()

    def _attribute(self) -> bool:
        """Take one table attribute; ``False`` at the end of the statement."""
        reader = self.reader
        if reader.takes("BACKUP"):
            self.say("backup", self._one_of("YES", "NO") == "YES")
        elif reader.takes("DISTSTYLE"):
            self.say("dist_style", self._one_of(*_DIST_STYLES))
        elif reader.takes("DISTKEY"):
            self.say("dist_key", self._single_name())
        elif reader.takes("ENCODE", "AUTO"):
            self.say("encode_auto", True)
        elif reader.sees("COMPOUND") or reader.sees("INTERLEAVED") or reader.sees("SORTKEY"):
            self._sort_key()
        elif reader.token.kind is Kind.END or reader.sees(";"):
            return False
        else:
            reader.fail(f"{reader.token} is not understood as an attribute of a table")
        return True

    def _sort_key(self) -> None:
        reader = self.reader
        style = None if reader.sees("SORTKEY") else reader.advance().word
        reader.demand("SORTKEY")
        if style is None and reader.takes("AUTO"):
            self.say("sort_style", "AUTO")
            return
        if style:
            self.say("sort_style", style)
        self.say("sort_key", self._names())

    def _single_name(self) -> str:
        names = self._names()
        if len(names) != 1:
            self.reader.fail(f"DISTKEY takes one column, not {len(names)}")
        return names[0]

    def _one_of(self, *words: str) -> str:
        if self.reader.token.word not in words:
            self.reader.fail(f"expected {', '.join(words)}, found {self.reader.token}")
        return self.reader.advance().word


def _two_words(reader: TokenReader) -> bool:
    return reader.sees("PRIMARY", "KEY") or reader.sees("FOREIGN", "KEY")


_WORDS = {
    "primary_key": "PRIMARY KEY",
    "backup": "BACKUP",
    "dist_style": "DISTSTYLE",
    "dist_key": "DISTKEY",
    "encode_auto": "ENCODE AUTO",
    "sort_style": "SORTKEY",
    "sort_key": "SORTKEY",
}
