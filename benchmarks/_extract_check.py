"""Compares what ``extract-rds`` has written with what PyMySQL reads; shares no code with the writer."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sandbox.parts.database import DatabaseAddress


def differences(address: DatabaseAddress, folder: Path) -> int:
    """Return how many rows of the tsv files differ from the table's."""
    import pymysql

    connection = pymysql.connect(
        **address.mysql_login,
        use_unicode=False,
        conv={**pymysql.converters.encoders},
        cursorclass=pymysql.cursors.SSCursor,
    )
    different = 0
    with connection, connection.cursor() as cursor:
        cursor.execute("SELECT * FROM events ORDER BY id")
        written = _written(folder)
        for expected in cursor:
            different += next(written, None) != expected
        return different + sum(1 for _ in written)


def _written(folder: Path) -> Iterator[tuple[bytes | None, ...]]:
    for entry in json.loads((folder / "manifest").read_text())["entries"]:
        with gzip.open(folder / entry["url"]) as file:
            yield from _records(file)


def _records(lines: Any) -> Iterator[tuple[bytes | None, ...]]:
    """Read tsv: a line that ends with an odd number of backslashes goes on after its line feed."""
    kept = b""
    for line in lines:
        kept += line
        body = kept[:-1]
        if (len(body) - len(body.rstrip(b"\\"))) % 2:
            continue
        yield tuple(_value(field) for field in _fields(body))
        kept = b""


def _fields(line: bytes) -> list[bytes]:
    if b"\\\t" not in line:
        return line.split(b"\t")
    fields = [b""]
    for piece in line.split(b"\t"):
        fields[-1] += piece
        if (len(piece) - len(piece.rstrip(b"\\"))) % 2:
            fields[-1] += b"\t"
        else:
            fields.append(b"")
    return fields[:-1]


def _value(field: bytes) -> bytes | None:
    if b"\\" not in field:
        return field
    if field == b"\\N":
        return None
    return b"\\".join(piece.replace(b"\\", b"") for piece in field.split(b"\\\\"))
