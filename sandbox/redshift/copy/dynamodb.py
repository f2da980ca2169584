"""COPY from a DynamoDB table (Developer Guide, "Loading data from an Amazon DynamoDB table").

Items come as JSON lines that hold the attributes of the target's columns. READRATIO is read and not kept to: the
stand-in for DynamoDB has no throughput to share.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sandbox.redshift.aws import asking, authorised_client
from sandbox.redshift.copy.ahead import read_ahead
from sandbox.redshift.copy.columns import Column
from sandbox.redshift.copy.command import CopyCommand
from sandbox.redshift.errors import SqlError

_SCHEME: Final = "dynamodb://"


@dataclass(frozen=True)
class DynamoTable:
    """The one "file" of such a COPY."""

    name: str
    size: int = 0  # nobody knows its bytes

    def __str__(self) -> str:
        return _SCHEME + self.name


class DynamoSource:
    """What a COPY reads from DynamoDB."""

    def __init__(self, copy: CopyCommand, columns: list[Column]) -> None:
        self._table = DynamoTable(copy.source.removeprefix(_SCHEME))
        self._columns = columns
        self._client = authorised_client("dynamodb", copy.authorization, copy.region)

    def files(self) -> list[DynamoTable]:
        """Return the table.

        Raises:
            SqlError: it is not there, or DynamoDB refuses.
        """
        name = self._table.name
        asking(lambda: self._client.describe_table(TableName=name), f"Describing {self._table}", "dynamodb")
        return [self._table]

    def blocks(self, table: DynamoTable) -> Iterator[bytes]:
        """Yield the items, a page in each block, as JSON lines."""
        return read_ahead(self._pages(table))

    def _pages(self, table: DynamoTable) -> Iterator[bytes]:
        start: dict[str, Any] = {}
        while True:
            page = self._scan(table, start)
            yield "".join(json.dumps(self._document(item)) + "\n" for item in page["Items"]).encode()
            if not page.get("LastEvaluatedKey"):
                return
            start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}

    def _scan(self, table: DynamoTable, start: Mapping[str, Any]) -> Any:
        what = f"Scanning {table}"
        return asking(lambda: self._client.scan(TableName=table.name, **start), what, "dynamodb")

    def _document(self, item: Mapping[str, Mapping[str, Any]]) -> dict[str, str | None]:
        """Return the values by the columns' names; a text that is missing is empty, as AWS says."""
        attributes: dict[str, Mapping[str, Any]] = {}
        for name, value in item.items():
            if attributes.setdefault(name.lower(), value) is not value:
                raise SqlError(f"Several attributes of an item of {self._table} are called {name.lower()!r}")
        return {column.name: self._text(column, attributes.get(column.name.lower())) for column in self._columns}

    def _text(self, column: Column, value: Mapping[str, Any] | None) -> str | None:
        if value is None:
            return "" if column.is_text else None
        ((kind, content),) = value.items()
        if kind == "NULL":
            return None
        if kind not in ("S", "N"):
            raise SqlError(
                f"Attribute {column.name!r} of {self._table} has the type {kind}: COPY loads strings and numbers only"
            )
        return str(content)
