"""DynamoDB in bulk: scans in segments, batches of puts, both at a pace. ``from stores import dynamodb`` gives these."""

from __future__ import annotations

from stores.dynamodb.client import DynamoDB
from stores.dynamodb.pace import Pace
from stores.dynamodb.scan import Scan
from stores.dynamodb.table import Item, Key, Table
from stores.dynamodb.writer import BatchWriter

__all__ = ["BatchWriter", "DynamoDB", "Item", "Key", "Pace", "Scan", "Table"]
