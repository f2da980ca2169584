"""JSON lines to rows: one object a line; numbers keep every digit, what is nested stays JSON."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from core.errors import RecordMalformed
from steps_impl.activities.copying.lines import Chunk, Place, from_rows
from steps_impl.formats.delimited import Row

#: Bytes of one object above which its end is taken for missing.
_LONGEST = 64 << 20
_WORDS = {True: b"1", False: b"0"}
_Take = Callable[[Any], bytes | None]


def read(
    blocks: Iterable[bytes], name: str, columns: Sequence[str], documents: Mapping[str, bool] | None = None
) -> Iterator[Chunk]:
    """Yield the values of ``columns`` of each object; a key that is missing is NULL, others are left out.

    A key counts as it is written, else in any case. Booleans become 1 and 0, which every engine reads. Of
    ``documents``, which go where JSON is wanted, all values stay JSON; a text there is a value of its own, or, unless
    that is told (true), may be the text of JSON, and then is that.

    Raises:
        RecordMalformed: a line is no JSON object, or has none of the columns; the message names file and line.
    """
    told = documents or {}
    takers = [(column, partial(_document, told=told[column]) if column in told else _text) for column in columns]
    line, record, pending = 1, 1, b""
    for block in _with_end(blocks):
        pending += block
        whole, end, pending = pending.rpartition(b"\n")
        if len(pending) > _LONGEST:
            raise RecordMalformed(f"{name}, line {line}: an object of more than 64 MiB; is it one object a line?")
        if end:
            lines = whole.split(b"\n")
            rows = [_row(text, Place(name, line + n, "line"), takers) for n, text in enumerate(lines) if text.strip()]
            if rows:
                yield Chunk(from_rows(rows), Place(name, record, "record"))
            line, record = line + len(lines), record + len(rows)


def _with_end(blocks: Iterable[bytes]) -> Iterator[bytes]:
    last = b"\n"
    for block in blocks:
        yield block
        last = block[-1:] or last
    if last != b"\n":
        yield b"\n"


def _row(line: bytes, place: Place, takers: Sequence[tuple[str, _Take]]) -> Row:
    try:
        found = json.loads(line, parse_float=_Number, parse_int=_Number, parse_constant=_Number)
    except (ValueError, RecursionError):
        raise RecordMalformed(f"{place}: it is no JSON; write one object a line") from None
    if not isinstance(found, dict):
        raise RecordMalformed(f"{place}: it is JSON, but no object; write one object a line")
    if not all(column in found for column, _ in takers):
        found = _in_any_case(found, place, [column for column, _ in takers])
    return [take(found.get(column)) for column, take in takers]


def _in_any_case(found: dict[str, Any], place: Place, columns: Sequence[str]) -> dict[str, Any]:
    keys = {key.lower(): key for key in found if key not in columns}
    spelled = {name: keys[name.lower()] for name in columns if name not in found and name.lower() in keys}
    if found and not spelled and found.keys().isdisjoint(columns):
        raise RecordMalformed(f"{place}: it has none of the columns {', '.join(columns)}; see --columns")
    return found | {name: found[key] for name, key in spelled.items()}


class _Number(str):
    """A number as it is written."""


def _text(value: Any) -> bytes | None:
    if value is None:
        return None
    if isinstance(value, str):
        return value.encode("utf-8", "surrogatepass")
    if isinstance(value, bool):
        return _WORDS[value]
    return _nested(value).encode("utf-8", "surrogatepass")


def _document(value: Any, *, told: bool) -> bytes | None:
    if value is None:
        return None
    is_text = isinstance(value, str) and not isinstance(value, _Number)
    return (value if is_text and not told and _is_json(value) else _nested(value)).encode("utf-8", "surrogatepass")


def _is_json(text: str) -> bool:
    try:
        json.loads(text, parse_constant=_refuse)
    except RecursionError:  # whether it is too deep is the server's to say
        return True
    except ValueError:
        return False
    return True


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")


def _nested(value: Any) -> str:
    if isinstance(value, _Number):
        return str(value)
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(key, ensure_ascii=False)}: {_nested(v)}" for key, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_nested, value)) + "]"
    return json.dumps(value, ensure_ascii=False)
