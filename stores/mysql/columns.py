"""Columns of a result set as the protocol describes them.

Type codes and flags: MySQL Internals, *Column Definition Packet*; the same in MariaDB.
"""

from __future__ import annotations

from dataclasses import dataclass

BINARY_CHARSET = 63
UNSIGNED_FLAG = 32
ENUM_FLAG, SET_FLAG = 256, 2048

_NAMES = {
    0: "decimal", 1: "tinyint", 2: "smallint", 3: "int", 4: "float", 5: "double", 6: "null", 7: "timestamp",
    8: "bigint", 9: "mediumint", 10: "date", 11: "time", 12: "datetime", 13: "year", 14: "date", 15: "varchar",
    16: "bit", 242: "vector", 245: "json", 246: "decimal", 247: "enum", 248: "set", 249: "tinyblob",
    250: "mediumblob", 251: "longblob", 252: "blob", 253: "varchar", 254: "char", 255: "geometry",
}  # fmt: skip
_BYTES_WHEN_BINARY = frozenset({"varchar", "char", "enum", "set", "tinyblob", "mediumblob", "longblob", "blob"})
_LARGE = frozenset({"tinyblob", "mediumblob", "longblob", "blob", "json", "geometry", "vector"})
_NUMBERS = frozenset({"tinyint", "smallint", "mediumint", "int", "bigint", "float", "double", "decimal", "year"})
_DATES = frozenset({"date", "datetime", "timestamp"})


@dataclass(frozen=True)
class Column:
    """One column: its name, type name (``bigint``, ``varchar``, ``blob`` …), sign, character set number and scale."""

    name: str
    type: str
    unsigned: bool
    charset: int
    scale: int

    @property
    def is_binary(self) -> bool:
        """Whether the values are bytes without a character set (BINARY, VARBINARY, BLOB)."""
        return self.type in _BYTES_WHEN_BINARY and self.charset == BINARY_CHARSET

    @property
    def is_date(self) -> bool:
        """Whether the values hold a calendar date (which may be a zero date)."""
        return self.type in _DATES

    @property
    def is_plain(self) -> bool:
        """Whether the values are numbers, dates or times: digits, signs, points, colons, ``e`` and blanks only."""
        return self.type in _NUMBERS or self.type in _DATES or self.type == "time"

    @property
    def is_large(self) -> bool:
        """Whether one value may be larger than 64 kB (TEXT and BLOB families, JSON)."""
        return self.type in _LARGE


def column(name: bytes | str, type_code: int, flags: int, charset: int, scale: int) -> Column:
    """Return the column that a column definition packet describes; an unknown type keeps its number as a name."""
    text = name.decode("utf-8") if isinstance(name, bytes) else name
    listed = "enum" if flags & ENUM_FLAG else "set" if flags & SET_FLAG else None  # their type code is that of CHAR
    return Column(
        text,
        listed or _NAMES.get(type_code, f"type {type_code}"),
        bool(flags & UNSIGNED_FLAG),
        charset,
        0 if scale > 30 else scale,
    )
