"""Rows as UNLOAD writes them, made of what Postgres' own COPY TO writes.

Postgres escapes what its text format must (a backslash, line ends, the delimiter); UNLOAD without ESCAPE writes these
bytes as they are, with ESCAPE it puts a backslash before the byte itself. A block in which Postgres escaped nothing is
passed on as it is. Source: Developer Guide, UNLOAD, the parameters ESCAPE, ADDQUOTES, NULL AS and FIXEDWIDTH.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Final

from sandbox.redshift.cursor import quote_name, quote_text
from sandbox.redshift.errors import SqlError
from sandbox.redshift.unload.command import UnloadCommand
from sandbox.redshift.upstream import Described

_INSIDE: Final = b"\x1f"  # between fields on the way to ADDQUOTES and FIXEDWIDTH
_NOTHING: Final = b"\0"  # NULL on that way; no text of Postgres holds it
_CONTROLS: Final = {b"b": b"\b", b"f": b"\f", b"n": b"\n", b"r": b"\r", b"t": b"\t", b"v": b"\v"}
_ESCAPED: Final = re.compile(rb"\\(.)", re.DOTALL)
_FIELD: Final = re.compile(rb"((?:[^\\\x1f]|\\.)*+)\x1f?", re.DOTALL)
_MOMENTS: Final = (1114, 1184)  # type oids
_BYTES: Final = 17  # the type oid of what holds VARBYTE
_TEXTS: Final = (25, 1042, 1043)


def _in_json(name: str, column: Described) -> str:
    """Moments are text as UNLOAD writes it elsewhere, not with the T that Postgres' JSON has."""
    if column.type == _BYTES:
        return f"encode({name}, 'hex')"
    return f"replace(to_json({name}) #>> '{{}}', 'T', ' ')" if column.type in _MOMENTS else name


class Form:
    """How the rows of one UNLOAD look."""

    def __init__(self, unload: UnloadCommand, columns: Sequence[Described]) -> None:
        if unload.fixed_widths and len(unload.fixed_widths) != len(columns):
            raise SqlError(
                f"FIXEDWIDTH names {len(unload.fixed_widths)} columns, the query has {len(columns)}", "22023"
            )
        self._unload = unload
        self._columns = columns
        self._by_field = unload.add_quotes or bool(unload.fixed_widths)
        self._marked_null = self._by_field or b"\\" in unload.null_as
        self._escapes = self._meanings()
        self.convert: Callable[[bytes], bytes] = self._converter()

    def copy_statement(self, query: str) -> str:
        """Return the COPY that brings the rows of a query."""
        unload = self._unload
        null = b"\\N" if self._marked_null and not unload.csv else unload.null_as
        delimiter = _INSIDE if self._by_field else unload.delimiter
        options = [
            "FORMAT csv" if unload.csv else "FORMAT text",
            f"DELIMITER {quote_text(delimiter.decode())}",
            f"NULL {quote_text(null.decode())}",
            "ENCODING 'UTF8'",
        ]
        return f"COPY ({self._rows_of(query)}\n) TO STDOUT WITH ({', '.join(options)})"

    @property
    def header(self) -> bytes:
        """The line of HEADER; nothing without it."""
        if not self._unload.header:
            return b""
        return self._unload.delimiter.join(self._title(column.name.encode()) for column in self._columns) + b"\n"

    def _rows_of(self, query: str) -> str:
        """Return the query, with VARBYTE as the digits that UNLOAD writes; for JSON one object for each row."""
        if self._unload.json:
            return self._objects(query)
        if all(column.type != _BYTES for column in self._columns):
            return query
        names = [quote_name(f"c{number}") for number in range(len(self._columns))]
        values = [
            f"encode({name}, 'hex')" if column.type == _BYTES else name
            for name, column in zip(names, self._columns, strict=True)
        ]
        return f"SELECT {', '.join(values)} FROM ({query}\n) AS unloaded ({', '.join(names)})"

    def _objects(self, query: str) -> str:
        names = [quote_name(f"c{number}") for number in range(len(self._columns))]
        values = [
            f"{_in_json(name, column)} AS {quote_name(column.name)}"
            for name, column in zip(names, self._columns, strict=True)
        ]
        listed = f"SELECT {', '.join(values)} FROM ({query}\n) AS unloaded ({', '.join(names)})"
        return f"SELECT row_to_json(unloaded_row)::text FROM ({listed}) AS unloaded_row"

    def _meanings(self) -> dict[bytes, bytes]:
        """Return what is written for each byte that Postgres puts behind a backslash."""
        unload = self._unload
        plain = {bytes([code]): bytes([code]) for code in range(256)} | _CONTROLS
        if unload.escape:
            special = (b"\n", b"\r", unload.delimiter, b"\\")
            plain = {key: b"\\" + byte if byte in special else byte for key, byte in plain.items()}
        return plain | {b"N": _NOTHING if self._by_field else unload.null_as}

    def _converter(self) -> Callable[[bytes], bytes]:
        if self._unload.csv:
            return lambda block: block
        if self._unload.fixed_widths:
            return self._padded
        return self._quoted if self._unload.add_quotes else self._unescaped

    def _unescaped(self, block: bytes) -> bytes:
        if b"\\" not in block:
            return block
        return _ESCAPED.sub(lambda match: self._escapes[match[1]], block)

    def _quoted(self, block: bytes) -> bytes:
        delimiter = self._unload.delimiter
        signs = {_INSIDE: b'"' + delimiter + b'"', b"\n": b'"\n"'}
        if self._unload.escape:
            signs |= {b'"': b'\\"', b"'": b"\\'", delimiter: b"\\" + delimiter}
        text = re.sub(
            rb"(?s)\\(.)|[\x1f\n\"'" + re.escape(delimiter) + rb"]",
            lambda match: signs.get(match[0], match[0]) if match[1] is None else self._escapes[match[1]],
            block,
        )
        return (b'"' + text)[:-1].replace(b'"' + _NOTHING + b'"', self._unload.null_as)

    def _padded(self, block: bytes) -> bytes:
        return b"".join(map(self._padded_line, block.split(b"\n")[:-1]))

    def _padded_line(self, line: bytes) -> bytes:
        pieces, position = [], 0
        for width, column in zip(self._unload.fixed_widths, self._columns, strict=True):
            match = _FIELD.match(line, position)
            assert match is not None  # anything begins with a field, perhaps an empty one
            field, position = match[1], match.end()
            text = _ESCAPED.sub(lambda match: self._escapes[match[1]], field)
            if text == _NOTHING:
                is_too_wide = len(self._unload.null_as) > width and column.type not in _TEXTS
                text = b"" if is_too_wide else self._unload.null_as
            if len(text.decode()) > width:
                raise SqlError(f"FIXEDWIDTH: a value has more than the {width} characters of its column", "22001")
            pieces.append(text.decode().ljust(width).encode())
        return b"".join(pieces) + b"\n"

    def _title(self, name: bytes) -> bytes:
        unload = self._unload
        if unload.csv:
            special = (unload.delimiter, b'"', b"\n", b"\r")
            return b'"' + name.replace(b'"', b'""') + b'"' if any(byte in name for byte in special) else name
        if unload.escape:
            name = re.sub(rb"([\\\n\r" + re.escape(unload.delimiter) + rb"])", rb"\\\1", name)
        return b'"' + name + b'"' if unload.add_quotes else name
