"""Redshift's column types as Postgres has them (Developer Guide, "Data types")."""

from __future__ import annotations

from typing import Final

from sandbox.redshift.cursor import Cursor
from sandbox.redshift.errors import SqlError, not_redshift, unknown

VARCHAR_LIMIT: Final = 65535  # bytes
CHAR_LIMIT: Final = 4096
_TEXT_LENGTH: Final = 256

_PLAIN: Final = {
    "smallint": "smallint",
    "int2": "smallint",
    "int": "integer",
    "integer": "integer",
    "int4": "integer",
    "bigint": "bigint",
    "int8": "bigint",
    "real": "real",
    "float4": "real",
    "float8": "double precision",
    "boolean": "boolean",
    "bool": "boolean",
    "date": "date",
    "timestamptz": "timestamp with time zone",
    "timetz": "time with time zone",
    "datetime": "timestamp without time zone",
    "super": "jsonb",
}
_NOT_YET: Final = frozenset({"geometry", "geography", "hllsketch", "interval"})


def read_type(cursor: Cursor) -> str:
    """Read a column's type and return Postgres' for it.

    Raises:
        SqlError: Redshift has no such type, the sandbox does not know it, or its length is out of range.
    """
    if not cursor.token or not cursor.token.is_name:
        raise cursor.fail()
    word = cursor.name()
    if word == "pg_catalog" and cursor.accept_sign("."):
        word = cursor.name()
    type_name = _read(cursor, word)
    if cursor.token is not None and cursor.token.is_sign("["):
        raise not_redshift("an array column")
    return type_name


def _read(cursor: Cursor, word: str) -> str:
    if word in _PLAIN:
        return _PLAIN[word]
    if word in ("character", "char", "nchar", "bpchar", "varchar", "nvarchar", "text"):
        return _text(cursor, word)
    if word in ("decimal", "numeric"):
        return _decimal(cursor)
    if word == "double":
        cursor.expect("precision")
        return "double precision"
    if word == "float":
        return _float(cursor)
    if word in ("timestamp", "time"):
        return _time(cursor, word)
    if word in ("varbyte", "varbinary", "binary"):
        return _bytes(cursor, word)
    if word in _NOT_YET:
        raise unknown(f"the type {word.upper()}")
    raise SqlError(f'type "{word}" is not a column type of Redshift', "42704")


def _length(cursor: Cursor, default: int, limit: int, name: str) -> int:
    if not cursor.accept_sign("("):
        return default
    length = limit if cursor.accept("max") else cursor.integer()
    cursor.expect_sign(")")
    if not 1 <= length <= limit:
        raise SqlError(f"length for type {name} must be between 1 and {limit}", "22023")
    return length


def _text(cursor: Cursor, word: str) -> str:
    varying = cursor.accept("varying") if word in ("character", "char") else word in ("varchar", "nvarchar", "text")
    if varying:
        return f"varchar({_length(cursor, _TEXT_LENGTH, VARCHAR_LIMIT, 'varchar')})"
    return f"char({_length(cursor, _TEXT_LENGTH if word == 'bpchar' else 1, CHAR_LIMIT, 'char')})"


def _decimal(cursor: Cursor) -> str:
    precision, scale = 18, 0
    if cursor.accept_sign("("):
        precision = cursor.integer()
        scale = cursor.integer() if cursor.accept_sign(",") else 0
        cursor.expect_sign(")")
    if not 1 <= precision <= 38:
        raise SqlError(f"NUMERIC precision {precision} must be between 1 and 38", "22023")
    if not 0 <= scale <= min(precision, 37):
        raise SqlError(f"NUMERIC scale {scale} must be between 0 and {min(precision, 37)}", "22023")
    return f"numeric({precision},{scale})"


def _float(cursor: Cursor) -> str:
    if not cursor.accept_sign("("):
        return "double precision"
    digits = cursor.integer()
    cursor.expect_sign(")")
    return "real" if digits <= 24 else "double precision"


def _time(cursor: Cursor, word: str) -> str:
    if cursor.accept("with", "time", "zone"):
        return f"{word} with time zone"
    cursor.accept("without", "time", "zone")
    return f"{word} without time zone"


def _bytes(cursor: Cursor, word: str) -> str:
    if word == "binary":
        cursor.expect("varying")
    _length(cursor, 64000, 16_777_216, "varbyte")
    return "bytea"
