"""Columns of Arrow as Postgres' CSV takes them, and which of them fit a column of Redshift.

A column of a Parquet or ORC file must have the type of the table's column: nothing is widened or parsed (Developer
Guide, "COPY from columnar data formats"; what Spectrum complains of as "incompatible Parquet schema").
"""

from __future__ import annotations

import base64
import datetime as dt
import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final

from sandbox.redshift.copy.columns import Column
from sandbox.redshift.libraries import library

#: What makes a column of Arrow the text of Postgres.
Write = Callable[[Any], Any]
_INTEGERS: Final = {
    "int2": ("int8", "int16", "int32", "uint8", "uint16"),
    "int4": ("int8", "int16", "int32", "uint8", "uint16"),
    "int8": ("int64", "uint32"),
}
_FLOATS: Final = {"float4": "float", "float8": "double", "bool": "bool", "date": "date32[day]"}


def writer(column: Column, kind: Any, *, as_json: bool) -> Write | None:
    """Return what writes the values of a column of the Arrow type ``kind``; ``None`` when it does not fit.

    ``as_json`` is SERIALIZETOJSON, without which nothing goes into a SUPER column.
    """
    types = library("pyarrow").types
    if types.is_dictionary(kind):
        inner = writer(column, kind.value_type, as_json=as_json)
        return None if inner is None else lambda values: inner(values.cast(kind.value_type))
    if column.is_text:
        return _text if _holds_text(kind) else None
    if column.type == "jsonb":
        return _json if as_json else None
    if column.type == "bytea":
        return _hexadecimal if _holds_bytes(kind) else None
    if column.type.startswith("timestamp"):
        return _moment_writer(column) if types.is_timestamp(kind) else None
    return _plain if _fits(column, kind) else None


def _fits(column: Column, kind: Any) -> bool:
    types = library("pyarrow").types
    if column.type == "numeric":
        return bool(types.is_decimal(kind)) and kind.scale == column.scale and kind.precision <= column.length
    if column.type == "time":
        return bool(types.is_time(kind))
    return str(kind) in _INTEGERS.get(column.type, ()) or str(kind) == _FLOATS.get(column.type)


def _holds_bytes(kind: Any) -> bool:
    types = library("pyarrow").types
    return bool(types.is_binary(kind) or types.is_large_binary(kind) or types.is_fixed_size_binary(kind))


def _holds_text(kind: Any) -> bool:
    types = library("pyarrow").types
    return bool(types.is_string(kind) or types.is_large_string(kind)) or _holds_bytes(kind)


def _plain(values: Any) -> Any:
    return values.cast("string")


def _text(values: Any) -> Any:
    """Return texts as bytes: whether they are UTF-8 is looked at together with their length."""
    return values.cast("binary")


def _moment_writer(column: Column) -> Write:
    pyarrow = library("pyarrow")
    compute = library("pyarrow.compute")

    def write(values: Any) -> Any:
        text = values.cast(pyarrow.timestamp("us"), safe=False).cast("string")
        # Without a zone Postgres would take the session's.
        return compute.binary_join_element_wise(text, "Z", "") if column.type == "timestamptz" else text

    return write


def _hexadecimal(values: Any) -> Any:
    written = [None if value is None else f"\\x{value.hex()}" for value in values.to_pylist()]
    return library("pyarrow").array(written, "string")


def _json(values: Any) -> Any:
    written = [None if value is None else _encode(value) for value in values.to_pylist()]
    return library("pyarrow").array(written, "string")


def _encode(value: Any) -> str:
    """Return JSON; a decimal keeps every digit."""
    if isinstance(value, dict):
        return "{" + ",".join(f"{json.dumps(str(name))}:{_encode(item)}" for name, item in value.items()) + "}"
    if isinstance(value, list):
        if value and all(isinstance(item, tuple) for item in value):  # a map, as Arrow gives it
            return _encode(dict(value))
        return "[" + ",".join(map(_encode, value)) + "]"
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, bytes):
        return json.dumps(base64.b64encode(value).decode())
    if isinstance(value, dt.datetime):
        return json.dumps(value.isoformat(sep=" "))
    if isinstance(value, (dt.date, dt.time)):
        return json.dumps(value.isoformat())
    return json.dumps(value, ensure_ascii=False)
