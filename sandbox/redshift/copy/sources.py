"""What a COPY reads, wherever it is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from sandbox.redshift.copy.columns import Column
from sandbox.redshift.copy.command import CopyCommand
from sandbox.redshift.copy.dynamodb import DynamoSource
from sandbox.redshift.copy.named import Find, by_names, by_paths, whole
from sandbox.redshift.copy.source import S3Source


@dataclass(frozen=True)
class Readable:
    """One thing to load: its address, its bytes as stored, and what opens it (again, if need be)."""

    name: str
    size: int
    open: Callable[[], Iterator[bytes]]


def readable(copy: CopyCommand, columns: list[Column]) -> list[Readable]:
    """Return the files or the table to load.

    Raises:
        SqlError: there are none, or AWS refuses.
    """
    if copy.from_dynamodb:
        table = DynamoSource(copy, columns)
        return [Readable(str(item), item.size, partial(table.blocks, item)) for item in table.files()]
    source = S3Source(copy)
    return [Readable(str(file), file.size, partial(source.blocks, file)) for file in source.files()]


def find_values(copy: CopyCommand, columns: list[Column]) -> Find | None:
    """Return what finds the values of JSON documents; ``None`` for text, whose fields have an order.

    Raises:
        SqlError: the JSONPaths file is wrong or not there.
    """
    if not copy.by_name:
        return None
    if copy.json.startswith("s3://"):
        return by_paths(S3Source(copy).read_whole(copy.json), columns, copy.json)
    if copy.json == "noshred":
        return whole(columns)
    return by_names(columns, ignore_case=copy.json == "auto ignorecase")
