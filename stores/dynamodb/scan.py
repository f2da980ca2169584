"""A whole table in pages, in as many segments as one likes."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from core.errors import StoreUnreachable
from stores.dynamodb.client import DynamoDB
from stores.dynamodb.pace import Pace
from stores.dynamodb.table import Item, Table

#: Bytes that one read capacity unit pays for, read consistently; half a unit otherwise (Developer Guide).
READ_UNIT = 4096
#: Bytes of a page at most.
PAGE = 1024 * 1024


@dataclass(frozen=True)
class Scan:
    """How a table is read; ``segments`` are read independently of one another, at one common ``pace``."""

    database: DynamoDB
    table: Table
    segments: int
    pace: Pace
    consistent: bool

    def pages(self, segment: int) -> Iterator[list[Item]]:
        """Yield the pages of a segment, counted from 0; a page may be empty."""
        arguments: dict[str, Any] = {
            "TableName": self.table.name,
            "ConsistentRead": self.consistent,
            "ReturnConsumedCapacity": "TOTAL",
            "Segment": segment,
            "TotalSegments": self.segments,
            **self._limit(),
        }
        while True:
            self.pace.wait(self.database.sleep)
            answer = self.database.call("Scan", arguments)
            self.pace.charge(self._units(answer))
            if not isinstance(items := answer.get("Items"), list):
                raise StoreUnreachable("Scan was answered by something else; check the endpoint and the proxy")
            yield items
            if not answer.get("LastEvaluatedKey"):
                return
            arguments["ExclusiveStartKey"] = answer["LastEvaluatedKey"]

    def _limit(self) -> dict[str, int]:
        """Ask for no more than a second's units at once: a full page would drain a small table for minutes."""
        bytes_a_second = self.pace.rate * READ_UNIT * (1 if self.consistent else 2)
        if bytes_a_second >= PAGE:
            return {}
        return {"Limit": max(1, math.floor(bytes_a_second / self.table.item_size))}

    def _units(self, answer: dict[str, Any]) -> float:
        return float(answer.get("ConsumedCapacity", {}).get("CapacityUnits", 0.0))
