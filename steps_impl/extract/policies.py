"""What is done with values that the warehouse cannot hold: zero dates, NUL bytes, binary columns, booleans.

Looks at a chunk as a whole first; single values are touched only in a chunk that has something to treat.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

from core.errors import UnsupportedValue
from stores.mysql import Column

Row = Sequence[bytes | None]
ZeroDates = Literal["fail", "null", "keep"]
NulBytes = Literal["fail", "remove"]
Binary = Literal["hex", "raw", "refuse"]

#: What a boolean may be.
_TRUTH: frozenset[bytes | None] = frozenset({b"0", b"1", None})


class Policies:
    """The treatment of the rows of one extract, with counts of what was changed.

    Raises:
        UnsupportedValue: on construction for binary columns under ``refuse``; on treatment for a value that the
            policy does not let pass, naming column and row number (counted from 1), never the value.
    """

    def __init__(
        self,
        columns: Sequence[Column],
        *,
        zero_dates: ZeroDates,
        nul_bytes: NulBytes,
        binary: Binary,
        booleans: Sequence[int] = (),
    ) -> None:
        self._columns = columns
        self._zero_dates = zero_dates
        self._nul_bytes = nul_bytes
        self._dates = [index for index, column in enumerate(columns) if column.is_date and zero_dates != "keep"]
        self._binary = [index for index, column in enumerate(columns) if column.is_binary]
        self._booleans = booleans
        self._raw = frozenset(self._binary if binary == "raw" else ())
        self.zero_dates_nulled = 0
        self.nul_bytes_removed = 0
        if self._binary and binary == "refuse":
            named = ", ".join(columns[index].name for index in self._binary)
            raise UnsupportedValue(
                f"binary columns are refused: {named}; use --binary hex, or leave them out with --sql"
            )

    def hexadecimal(self, rows: Sequence[Row]) -> Sequence[Row]:
        """Return the rows with the values of binary columns in hexadecimal, unless they are to stay bytes."""
        for index in self._binary if not self._raw else ():
            rows = self._replace(rows, index, 0, _hexadecimal)
        return rows

    def check_booleans(self, rows: Sequence[Row], first: int) -> None:
        """Refuse booleans that are neither 0 nor 1; ``first`` is the number of the first row.

        Raises:
            UnsupportedValue: by column and row.
        """
        for index in self._booleans:
            values = [row[index] for row in rows]
            if not _TRUTH.issuperset(values):
                place = first + next(offset for offset, value in enumerate(values) if value not in _TRUTH)
                raise UnsupportedValue(
                    f"column {self._columns[index].name}, row {place}: neither 0 nor 1, which is no boolean; leave it "
                    "out of --booleans, or compare it with 0 in --sql"
                )

    def treat(self, rows: Sequence[Row], text: bytes, first: int) -> Sequence[Row]:
        """Return the rows with zero dates and NUL bytes treated; the very same rows when there are none.

        ``text`` is what the rows look like when encoded: one look at it spares most chunks a look at their values.
        ``first`` is the number of the first row.
        """
        if self._dates and (b"-00" in text or b"0000-" in text):
            for index in self._dates:
                if _has_zero_date(rows, index):
                    rows = self._replace(rows, index, first, self._without_zero_date)
        if b"\0" in text or rb"\u0000" in text:  # as it is, and as JSON writes it
            for index in (index for index in range(len(self._columns)) if index not in self._raw):
                rows = self._replace(rows, index, first, self._without_nul)
        return rows

    def _replace(
        self, rows: Sequence[Row], index: int, first: int, treat: Callable[[bytes, str], bytes | None]
    ) -> Sequence[Row]:
        treated = []
        for offset, row in enumerate(rows):
            value = row[index]
            if value is not None:
                new = treat(value, f"column {self._columns[index].name}, row {first + offset}")
                row = (*row[:index], new, *row[index + 1 :]) if new is not value else row
            treated.append(row)
        return treated

    def _without_zero_date(self, value: bytes, where: str) -> bytes | None:
        if not _is_zero_date(value):
            return value
        if self._zero_dates == "fail":
            raise UnsupportedValue(f"{where}: a zero date, which no calendar has; use --zero-dates null or keep")
        self.zero_dates_nulled += 1
        return None

    def _without_nul(self, value: bytes, where: str) -> bytes:
        if b"\0" not in value:
            return value
        if self._nul_bytes == "fail":
            raise UnsupportedValue(f"{where}: a NUL byte, which no warehouse text can hold; use --nul-bytes remove")
        self.nul_bytes_removed += value.count(b"\0")
        return value.replace(b"\0", b"")


def _has_zero_date(rows: Sequence[Row], index: int) -> bool:
    text = b"\n".join([b"", *filter(None, [row[index] for row in rows])])
    return b"-00" in text or b"\n0000" in text


def _is_zero_date(value: bytes) -> bool:
    """Tell whether year, month or day is zero (``0000-00-00``, ``2024-00-10``): no such day exists."""
    return value.startswith(b"0000") or b"-00" in value


def _hexadecimal(value: bytes, where: str) -> bytes:  # noqa: ARG001 - one shape for all treatments
    return value.hex().encode("ascii")
