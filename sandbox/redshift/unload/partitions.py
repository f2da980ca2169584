"""PARTITION BY of UNLOAD: folders by the values of columns, named as Hive names them.

The query runs once, into a temporary table that knows each row's folder.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final
from urllib.parse import quote

from sandbox.redshift.cursor import quote_name
from sandbox.redshift.errors import SqlError
from sandbox.redshift.unload.command import UnloadCommand
from sandbox.redshift.upstream import Described, Upstream

_NULL: Final = "__HIVE_DEFAULT_PARTITION__"
_TABLE: Final = "redshift_unload"
_FOLDER: Final = "redshift_unload_folder"
_PLACE: Final = "redshift_unload_place"  # keeps the order of the query
_KEPT: Final = " !$&()+,-.;<>@_`|~"  # Hive writes other signs with a percent sign


@contextmanager
def partitions(
    upstream: Upstream, unload: UnloadCommand, query: str, columns: Sequence[Described]
) -> Iterator[list[tuple[str, str]]]:
    """Run the query; give each folder with the query for its rows.

    Raises:
        SqlError: a partition column is not one of the query's, or no other column is left.
    """
    names = [column.name for column in columns]
    keys = unload.partition_by
    for key in keys:
        if key not in names:
            raise SqlError(f'Partition column "{key}" is not a column of the query', "42703")
    kept = names if unload.include else [name for name in names if name not in keys]
    if not kept:
        raise SqlError("UNLOAD with PARTITION BY needs a column that is no partition column, or INCLUDE", "42P16")
    order = ", ".join(quote_name(key) for key in keys)
    table = f"pg_temp.{quote_name(_TABLE)}"
    upstream.run(
        f"CREATE TEMP TABLE {quote_name(_TABLE)} AS SELECT *, dense_rank() OVER (ORDER BY {order}) AS {_FOLDER},"
        f" row_number() OVER () AS {_PLACE} FROM ({query}\n) AS unloaded"
    )
    upstream.run(f"CREATE INDEX ON {table} ({_FOLDER}, {_PLACE})")
    texts = ", ".join(f"{quote_name(key)}::text" for key in keys)
    found = upstream.run(f"SELECT DISTINCT {_FOLDER}, {texts} FROM {table} ORDER BY 1").rows
    values = ", ".join(quote_name(name) for name in kept)
    yield [
        (_folder(keys, row[1:]), f"SELECT {values} FROM {table} WHERE {_FOLDER} = {row[0]} ORDER BY {_PLACE}")
        for row in found
    ]
    upstream.run(f"DROP TABLE {table}")


def _folder(keys: Sequence[str], values: Sequence[str | None]) -> str:
    texts = [_NULL if value is None else quote(value, safe=_KEPT) for value in values]
    return "".join(f"{key}={text}/" for key, text in zip(keys, texts, strict=True))
