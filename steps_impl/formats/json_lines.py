r"""JSON, one object on each line, written a few hundred rows at a time.

Integers and decimals are JSON numbers with every digit of the source; texts, dates and times are JSON strings; NULL is
``null``; what is JSON itself stands there as it is. NaN and the infinities, which JSON has no number for, are the
strings ``"NaN"``, ``"Infinity"`` and ``"-Infinity"``. Loads with ``FORMAT AS JSON 'auto ignorecase'``.

As in tsv, the values of a text column are joined with a byte that text hardly ever holds (0x1F) and escaped in one
pass.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Sequence

from steps_impl.formats.delimited import Row
from steps_impl.formats.typed import Column

_BETWEEN = b"\x1f"
_CONTROLS = bytes(range(32))
_CONTROL = re.compile(rb"[\x00-\x1f]")
_COMMON = ((b"\\", b"\\\\"), (b'"', b'\\"'), (b"\n", b"\\n"), (b"\r", b"\\r"), (b"\t", b"\\t"))
_NUMBERS = frozenset({"smallint", "integer", "bigint", "numeric", "real", "double precision"})
#: Digits behind zeros that a number of JSON may not begin with: ZEROFILL pads with them.
_PADDED = re.compile(rb"(?:^|,)-?0[0-9]")
_NO_NUMBER = frozenset({b"NaN", b"Infinity", b"-Infinity"})
_BOOLEANS = {b"t": b"true", b"1": b"true", b"f": b"false", b"0": b"false", None: b"null"}
_LINE_ENDS = re.compile(rb"[\r\n]")


class JsonLines:
    """The ``json`` format for rows of these columns."""

    extension = "json"

    def __init__(self, columns: Sequence[Column]) -> None:
        names = [json.dumps(column.name, ensure_ascii=False).encode() + b":" for column in columns]
        self._before = [b"," + name if place else b"{" + name for place, name in enumerate(names)]
        self._write = [_WRITERS.get(column.base, _texts) for column in columns]

    def encode(self, rows: Sequence[Row], plain: Collection[int] = ()) -> bytes:  # noqa: ARG002 - types tell more
        """Return the rows as lines."""
        if not rows:
            return b""
        stride = 2 * len(self._before) + 1
        pieces: list[bytes] = [b"}\n"] * (len(rows) * stride)
        for place, (before, write, column) in enumerate(
            zip(self._before, self._write, zip(*rows, strict=True), strict=True)
        ):
            pieces[2 * place :: stride] = [before] * len(rows)
            pieces[2 * place + 1 :: stride] = write(column)
        return b"".join(pieces)


def _numbers(column: Row) -> Sequence[bytes]:
    filled: list[bytes] = [b"null" if value is None else value for value in column]
    joined = b",".join(filled)
    if _PADDED.search(joined) or b"N" in joined or b"I" in joined:
        return [_number(value) for value in filled]
    return filled


def _number(value: bytes) -> bytes:
    if value in _NO_NUMBER:
        return b'"' + value + b'"'
    sign, digits = (b"-", value[1:]) if value.startswith(b"-") else (b"", value)
    bare = digits.lstrip(b"0")
    return sign + (bare if bare[:1].isdigit() else b"0" + bare) if digits.startswith(b"0") else value


def _booleans(column: Row) -> Sequence[bytes]:
    return [_BOOLEANS[value] for value in column]


def _documents(column: Row) -> Sequence[bytes]:
    """JSON as it is. Line ends stand between its words only (a text of JSON has them escaped) and become blanks."""
    filled: list[bytes] = [b"null" if value is None else value for value in column]
    if _LINE_ENDS.search(b"".join(filled)):
        return [_LINE_ENDS.sub(b" ", value) for value in filled]
    return filled


def _texts(column: Row) -> Sequence[bytes]:
    full = [value for value in column if value]
    joined = _BETWEEN.join(full)
    if joined.count(_BETWEEN) != max(0, len(full) - 1):
        return [b"null" if value is None else _quoted(value) for value in column]
    values = iter(_escaped(joined).split(_BETWEEN))
    return [b'"' + next(values) + b'"' if value else b"null" if value is None else b'""' for value in column]


def _quoted(value: bytes) -> bytes:
    return b'"' + _CONTROL.sub(_code, _escaped(value)) + b'"'


def _escaped(text: bytes) -> bytes:
    """Escape all but 0x1F, which stands between values."""
    for plain, escaped in _COMMON:
        if plain in text:
            text = text.replace(plain, escaped)
    if len(text.translate(None, _CONTROLS)) + text.count(_BETWEEN) != len(text):
        text = _CONTROL.sub(lambda found: found[0] if found[0] == _BETWEEN else _code(found), text)
    return text


def _code(found: re.Match[bytes]) -> bytes:
    return b"\\u%04x" % found[0][0]


_WRITERS = {**dict.fromkeys(_NUMBERS, _numbers), "boolean": _booleans, "super": _documents}
