"""How fast tables are read and written, and in how many parts."""

from __future__ import annotations

import math

from core.sections.activities import DynamoDbSettings
from stores.dynamodb import DynamoDB, Pace, Scan, Table

#: Bytes of a table that make one segment, which becomes one file.
_SEGMENT = 256 * 1024 * 1024
#: Segments that one scan may have (API Reference, Scan).
_MOST_SEGMENTS = 1_000_000


def scan_of(
    database: DynamoDB, table: Table, share: float, settings: DynamoDbSettings, segments: int | None = None
) -> Scan:
    """Return how to read a table at ``share`` (0.1 to 1.0) of its read capacity."""
    wanted = segments or max(settings.concurrency, math.ceil(table.bytes / _SEGMENT))
    pace = _pace(database, table.read_capacity, share, settings)
    return Scan(database, table, min(wanted, _MOST_SEGMENTS), pace, settings.consistent_read)


def write_pace(database: DynamoDB, table: Table, share: float, settings: DynamoDbSettings) -> Pace:
    """Return the pace at ``share`` of the table's write capacity."""
    return _pace(database, table.write_capacity, share, settings)


def _pace(database: DynamoDB, capacity: int | None, share: float, settings: DynamoDbSettings) -> Pace:
    return Pace((capacity or settings.on_demand_capacity) * share, database.monotonic)
