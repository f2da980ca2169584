"""One side of a comparison: its statements, of which each returns numbers for whole segments or a few rows.

Segments are ranges of the key where that is one whole number: an index or a sort key finds them. Any other key (texts,
UUIDs, dates, several columns) is cut by a checksum of the key itself, since the engines put such keys in different
orders (collations), and one scan answers for all segments of a level.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Protocol

from steps_impl.quality.comparing.checksums import Crc, Summing
from steps_impl.quality.comparing.forms import Form
from steps_impl.quality.comparing.mysql_forms import (
    mysql_crc,
    mysql_exact,
    mysql_field,
    mysql_form,
    mysql_hash,
    mysql_quick,
    mysql_row,
)
from steps_impl.quality.comparing.postgres_forms import PostgresForms, RedshiftForms
from steps_impl.quality.engines import Column, End

#: The greatest prime number of 30 bits: a CRC times a weight stays below 2^63.
_PRIME = 1_073_741_789
#: Rows and checksum of a segment.
Sums = tuple[int, int]


@dataclass(frozen=True)
class Part:
    """A column as it is compared: what the end calls it, and the form both sides have agreed on."""

    column: Column
    form: Form


class Segments(Protocol):
    """How rows are told apart by their key."""

    def bucket(self, side: Layout) -> str:
        """Return the expression for the number of a row's segment."""

    def condition(self, side: Layout, numbers: Sequence[int]) -> str:
        """Return the condition that a row is in one of these segments."""

    def finer(self, parts: int) -> Segments | None:
        """Return segments that cut each of these into as many parts; ``None`` when they cannot be cut."""


@dataclass(frozen=True)
class Ranges:
    """Ranges of a whole number, all of one width: segment 0 begins at ``low``."""

    low: int
    width: int

    def bucket(self, side: Layout) -> str:
        """Return the number of a row's range."""
        return side.divided(self.low, self.width)

    def condition(self, side: Layout, numbers: Sequence[int]) -> str:
        """Return a condition that an index can answer; neighbours are taken together."""
        runs = [
            [number for _, number in run] for _, run in groupby(enumerate(sorted(numbers)), lambda at: at[1] - at[0])
        ]
        spans = [(self.low + run[0] * self.width, self.low + (run[-1] + 1) * self.width - 1) for run in runs]
        return " OR ".join(f"{side.key_name} BETWEEN {first} AND {last}" for first, last in spans)

    def finer(self, parts: int) -> Ranges | None:
        """Return narrower ranges."""
        return Ranges(self.low, max(self.width // parts, 1)) if self.width > 1 else None


@dataclass(frozen=True)
class Residues:
    """Rows by the remainder of their key's checksum."""

    modulus: int

    def bucket(self, side: Layout) -> str:
        """Return the remainder."""
        return f"MOD({side.key_hash}, {self.modulus})"

    def condition(self, side: Layout, numbers: Sequence[int]) -> str:
        """Return the condition on the remainder."""
        return f"{self.bucket(side)} IN ({', '.join(map(str, sorted(numbers)))})"

    def finer(self, parts: int) -> Residues | None:
        """Return more remainders, each of which lies in one of these."""
        return Residues(self.modulus * parts) if self.modulus < 1 << 40 else None


class Layout:
    """One side: the relation, the key's columns and all others."""

    def __init__(
        self,
        end: End,
        relation: str,
        keys: Sequence[Part],
        others: Sequence[Part],
        summing: Summing,
        odd: int,
    ) -> None:
        self._end = end
        self._relation = relation
        self._keys, self._parts = keys, [*keys, *others]
        self._summing, self._odd = summing, odd
        self._forms = RedshiftForms() if end.engine == "redshift" else PostgresForms()

    @property
    def key_name(self) -> str:
        """The quoted name of the key's first column."""
        return self._end.quote(self._keys[0].column.name)

    @property
    def key_hash(self) -> str:
        """The checksum of the key."""
        return self._strong(self._row(self._keys))

    def divided(self, low: int, width: int) -> str:
        """Return in which range of a width the key's number lies, counted from ``low``."""
        distance = f"({self.key_name} - {low})"
        if self._end.engine == "mysql":
            return f"{distance} DIV {width}"
        if self._keys[0].column.kind == "decimal":
            return f"FLOOR({distance} / {width})"
        return f"({self.key_name}::bigint - {low}) / {width}"

    def total(self, *, with_range: bool) -> tuple[Sums, tuple[int, int] | None, int]:
        """Return rows and checksum of all, the key's least and greatest number, and the rows without a key.

        Equal checksums are proof; different ones may come of values that are equal and printed differently.
        """
        name = self.key_name
        limits = f", MIN({name}), MAX({name}), COUNT({name})" if with_range else ""
        query = f"SELECT COUNT(*), SUM({self._hash(self._parts, quick=True)}){limits} FROM {self._relation}"
        rows, checksum, *rest = self._rows(query)[0]
        found = (int(rest[0]), int(rest[1])) if with_range and rest[0] is not None else None
        return (int(rows), _whole(checksum)), found, int(rows) - int(rest[2]) if with_range else 0

    def without_key(self) -> Sums:
        """Return rows and checksum of the rows whose key is NULL."""
        query = f"SELECT COUNT(*), SUM({self._hash(self._parts)}) FROM {self._relation} WHERE {self.key_name} IS NULL"
        rows, checksum = self._rows(query)[0]
        return int(rows), _whole(checksum)

    def sums(self, segments: Segments, within: str | None) -> dict[int, Sums]:
        """Return rows and checksum of each segment that has rows, of the rows that fulfil a condition."""
        query = (
            f"SELECT {segments.bucket(self)} AS segment, COUNT(*), SUM({self._hash(self._parts)}) "
            f"FROM {self._relation} WHERE {within or f'{self.key_name} IS NOT NULL'} GROUP BY 1"
        )
        return {_whole(number): (int(rows), _whole(checksum)) for number, rows, checksum in self._rows(query)}

    def all_sums(self, segments: Segments) -> dict[int, Sums]:
        """Return rows and checksum of each segment of the whole relation, rows with NULL in the key too."""
        return self.sums(segments, "1 = 1")

    def rows(self, condition: str) -> list[tuple[Any, ...]]:
        """Return the rows that fulfil a condition: the key's columns, then the others, each in its common form."""
        shown = ", ".join(self._exact(part) for part in self._parts)
        return self._rows(f"SELECT {shown} FROM {self._relation} WHERE {condition}")

    def _rows(self, query: str) -> list[tuple[Any, ...]]:
        return self._end.rows(query)

    def _hash(self, parts: Sequence[Part], *, quick: bool = False) -> str:
        text = self._row(parts, quick=quick)
        return self._weighed(text, self._summing.crc) if self._summing.crc else self._strong(text)

    def _strong(self, text: str) -> str:
        if self._end.engine == "mysql":
            return mysql_hash(text, self._summing.digest, self._odd)
        return self._forms.hash(text, self._summing.digest)

    def _weighed(self, text: str, crc: Crc) -> str:
        """Return the CRC of a row, weighed by its key: values that change places between rows change the sum."""
        return f"COALESCE({self._crc(text, crc)} * {self._weight(crc)}, {self._odd})"

    def _weight(self, crc: Crc) -> str:
        """Return a number above 0 that rows beside each other do not share."""
        if self._summing.number_key:
            return f"(COALESCE(MOD({self.key_name}, {_PRIME}), 0) + {_PRIME})"
        return f"(MOD({self._crc(self._row(self._keys), crc)}, {_PRIME}) + {_PRIME})"

    def _crc(self, text: str, crc: Crc) -> str:
        return mysql_crc(text, crc) if self._end.engine == "mysql" else self._forms.crc(text, crc)

    def _row(self, parts: Sequence[Part], *, quick: bool = False) -> str:
        if self._end.engine == "mysql":
            form = self._quick if quick else self._form
            return mysql_row([mysql_field(form(part), part.form) for part in parts])
        return self._forms.row([self._forms.field(self._form(part), part.column, part.form) for part in parts])

    def _form(self, part: Part) -> str:
        name = self._end.quote(part.column.name)
        if self._end.engine == "mysql":
            return mysql_form(name, part.column, part.form)
        return self._forms.form(name, part.column, part.form)

    def _quick(self, part: Part) -> str:
        return mysql_quick(self._end.quote(part.column.name), part.column, part.form)

    def _exact(self, part: Part) -> str:
        name = self._end.quote(part.column.name)
        if self._end.engine == "mysql":
            return mysql_exact(name, part.column, part.form)
        return self._forms.exact(name, part.column, part.form)


def _whole(value: Any) -> int:
    """Return a sum, whichever type it came in; the sum of no rows is 0."""
    return 0 if value is None else int(str(value).partition(".")[0])
