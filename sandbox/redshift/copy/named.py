"""Values that find their columns by name: JSON objects, and arrays behind a JSONPaths file.

Source: Developer Guide, "COPY from JSON format". A number keeps every digit as it is written.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final

from sandbox.redshift.copy.columns import Column
from sandbox.redshift.copy.command import CopyCommand
from sandbox.redshift.copy.faults import BadRecord, BadValue
from sandbox.redshift.copy.fields import Field
from sandbox.redshift.copy.file_load import ROW_LIMIT, FileLoad
from sandbox.redshift.copy.report import Report
from sandbox.redshift.errors import SqlError
from sandbox.redshift.upstream import Upstream

_STEP: Final = re.compile(r"\.([^.\[\]'\"]+)|\[\s*(?:'([^']*)'|\"([^\"]*)\"|(\d+))\s*\]")
_BETWEEN: Final = re.compile(r"[\s,]*")
_BATCH: Final = 256  # lines
_Path = tuple[str | int, ...]
_MISSING: Final = object()
#: Makes the fields of one document, in the order of the columns.
Find = Callable[[Any], list[Field]]


class Number(str):
    """A number as it is written."""

    __slots__ = ()


_DECODER: Final = json.JSONDecoder(parse_int=Number, parse_float=Number, parse_constant=Number)


class NamedLoad(FileLoad):
    """One attempt at one file of JSON; ``find`` makes the fields of one document."""

    def __init__(
        self,
        upstream: Upstream,
        copy: CopyCommand,
        columns: list[Column],
        report: Report,
        file: str,
        skip: frozenset[int],
        check_client: Callable[[], None],
        find: Find,
    ) -> None:
        super().__init__(upstream, copy, columns, report, file, skip, check_client)
        self._find = find

    def _lines(self, blocks: Iterator[bytes]) -> Iterator[bytes]:
        batch: list[bytes] = []
        for line, raw, document in documents(blocks):
            self._line = line
            batch.append(self._line_for(raw.encode("utf-8", "surrogatepass"), partial(self._values, document)))
            if len(batch) == _BATCH:
                yield b"".join(batch)
                batch = []
        yield b"".join(batch)

    def _values(self, document: Any) -> list[str | None]:
        if document is _MISSING:
            raise BadRecord(BadValue(1216, "Invalid JSON", public="Invalid JSON"), None)
        return self._reader.convert(self._find(document))


def by_names(columns: list[Column], *, ignore_case: bool) -> Find:
    """Return what takes the values of an object by the columns' names; one that is missing is NULL."""
    names = [column.name.lower() if ignore_case else column.name for column in columns]

    def find(document: Any) -> list[Field]:
        if not isinstance(document, dict):
            raise BadRecord(BadValue(1216, "Invalid JSON: not an object; arrays need a JSONPaths file"), None)
        found = {name.lower(): value for name, value in document.items()} if ignore_case else document
        return [as_field(found.get(name), column) for name, column in zip(names, columns, strict=True)]

    return find


def whole(columns: list[Column]) -> Find:
    """Return what puts each document as it is into the one column, a SUPER ('noshred').

    Raises:
        SqlError: there are other columns.
    """
    if [column.type for column in columns] != ["jsonb"]:
        raise SqlError("JSON 'noshred' loads into exactly one column, of the type SUPER")
    (column,) = columns
    return lambda document: [as_field(document, column)]


def by_paths(text: bytes, columns: list[Column], name: str) -> Find:
    """Return what takes the values by the paths of a JSONPaths file, one for each column, in order.

    Raises:
        SqlError: the file is not one, or holds another number of paths.
    """
    try:
        paths = [_read_path(str(path), name) for path in json.loads(text)["jsonpaths"]]
    except (ValueError, KeyError, TypeError) as error:
        raise SqlError(f'Invalid JSONPath file {name}: it is not {{"jsonpaths": ["$.a", …]}}') from error
    if len(paths) != len(columns):
        raise SqlError(
            f"Number of jsonpaths and the number of columns should match. JSONPath size: {len(paths)}, "
            f"Number of columns in table or column list: {len(columns)}"
        )
    pairs = list(zip(paths, columns, strict=True))
    return lambda document: [as_field(_follow(document, path), column) for path, column in pairs]


def as_field(value: Any, column: Column) -> Field:
    """Return a JSON value as a field: a text as it is, anything with parts and all for a SUPER column as JSON."""
    if value is None:
        return Field(None, None)
    if column.type == "jsonb":
        return Field(_written(value).encode("utf-8", "surrogatepass"), None)
    if value is True or value is False:
        return Field(b"true" if value else b"false", None)
    if isinstance(value, bytes):  # of Avro
        return Field(value.hex().encode() if column.type == "bytea" else value, None)
    if isinstance(value, datetime):  # of Avro; a TIMESTAMP has no zone
        naive = value.astimezone(UTC).replace(tzinfo=None) if value.tzinfo else value
        return Field(f"{naive.isoformat(sep=' ')}{'Z' if column.type == 'timestamptz' else ''}".encode(), None)
    text = value if isinstance(value, str) else _written(value)
    return Field(text.encode("utf-8", "surrogatepass"), None)


def documents(blocks: Iterator[bytes]) -> Iterator[tuple[int, str, Any]]:
    """Yield line, text and value of each document; one that is no JSON ends with its line and has no value."""
    rest, line, ended = b"", 1, False
    text = ""
    while not ended:
        block = next(blocks, None)
        ended = block is None
        rest += block or b""
        cut = len(rest) if ended else rest.rfind(b"\n") + 1 or _character_end(rest)
        text += rest[:cut].decode("utf-8", "surrogateescape")
        rest, position = rest[cut:], 0
        while (start := _next(text, position)) < len(text):
            line += text.count("\n", position, start)
            value, end = _decode(text, start, ended=ended)
            if end < 0:
                position = start
                break
            yield line, text[start:end], value
            line += text.count("\n", start, end)
            position = end
        text = text[position:]


def _next(text: str, position: int) -> int:
    match = _BETWEEN.match(text, position)
    return match.end() if match else position


def _decode(text: str, start: int, *, ended: bool) -> tuple[Any, int]:
    """Return a document and its end; -1 when more of it may come."""
    try:
        return _DECODER.raw_decode(text, start)
    except (ValueError, RecursionError):
        if not ended and len(text) - start < ROW_LIMIT:
            return _MISSING, -1
    newline = text.find("\n", start)
    return _MISSING, len(text) if newline < 0 else newline


def _character_end(data: bytes) -> int:
    """Return where the last whole character of UTF-8 ends."""
    end = len(data)
    while end and len(data) - end < 3 and data[end - 1] & 0xC0 == 0x80:
        end -= 1
    return end - 1 if end and data[end - 1] >= 0xC0 else len(data)


def _read_path(path: str, name: str) -> _Path:
    steps: list[str | int] = []
    position = 1
    while position < len(path):
        match = _STEP.match(path, position)
        if match is None:
            break
        key = next((group for group in match.groups()[:3] if group is not None), None)
        steps.append(int(match[4]) if key is None else key)
        position = match.end()
    if not path.startswith("$") or position < len(path):
        raise SqlError(f"Invalid JSONPath format in {name}: {path!r} is not like $.a['b'][0]")
    return tuple(steps)


def _follow(value: Any, path: _Path) -> Any:
    for step in path:
        if isinstance(step, int):
            value = value[step] if isinstance(value, list) and step < len(value) else None
        else:
            value = value.get(step) if isinstance(value, dict) else None
    return value


def _written(value: Any) -> str:
    """Write JSON; numbers as they were."""
    if isinstance(value, dict):
        return "{" + ",".join(f"{json.dumps(key)}:{_written(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(_written, value)) + "]"
    if isinstance(value, Number):
        return str(value)
    if isinstance(value, bytes):  # of Avro
        return json.dumps(value.hex())
    if isinstance(value, datetime):
        return json.dumps(value.isoformat(sep=" "))
    return json.dumps(value, ensure_ascii=False)
