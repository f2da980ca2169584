"""Rows of files as values for Cassandra, each with the place it stands at."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from core.errors import LoadRejected, UnsupportedValue
from steps_impl.activities.copying.lines import Chunk, Place, to_rows
from steps_impl.formats.delimited import Row
from steps_impl.load.products.cassandra_table import CassandraTarget
from stores.cassandra.values import BadValue


@dataclass(frozen=True)
class Written:
    """One row to write: its values (``None`` for NULL) and where it stands."""

    values: list[Any]
    chunk: Chunk
    index: int

    def place(self) -> Place:
        """Return where it stands."""
        return self.chunk.place_of(self.index)


def converted(chunks: Iterable[Chunk], target: CassandraTarget) -> Iterator[Written]:
    """Yield each row's values.

    Raises:
        LoadRejected: a row has another number of values, or NULL in its key.
        UnsupportedValue: a value is none of its column's type; names file, line and column, never the value.
    """
    for chunk in chunks:
        for index, row in enumerate(to_rows(chunk.text)):
            yield Written(_values(row, target, partial(chunk.place_of, index)), chunk, index)


def _values(row: Row, target: CassandraTarget, place: Callable[[], Place]) -> list[Any]:
    if len(row) != len(target.columns):
        raise LoadRejected(f"{place()}: it has {len(row)} values, {target.name} takes {len(target.columns)}")
    for key in target.keys:
        if row[key] is None:
            raise LoadRejected(f"{place()}, column {target.columns[key]}: NULL, which a primary key does not take")
    return [_value(raw, number, target, place) for number, raw in enumerate(row)]


def _value(raw: bytes | None, number: int, target: CassandraTarget, place: Callable[[], Place]) -> Any:
    if raw is None:
        return None
    try:
        return target.converters[number](raw.decode("utf-8"))
    except UnicodeDecodeError:
        why = "not UTF-8; convert the file"
    except BadValue as bad:
        why = str(bad)
    raise UnsupportedValue(f"{place()}, column {target.columns[number]}: {why}")


def bound(written: Written, unset: Any, tail: Sequence[Any]) -> list[Any]:
    """Return what a statement is bound to: ``unset`` in the place of NULL, and ``tail`` behind the values."""
    return [unset if value is None else value for value in written.values] + list(tail)
