"""DynamoDB's tables as others than the product make and read them."""

from __future__ import annotations

import secrets
from typing import Any

import boto3


class Tables:
    """Makes tables, fills and reads them through boto3."""

    def __init__(self) -> None:
        self.client = boto3.client("dynamodb")

    def create(self, *keys: str, **options: Any) -> str:
        """Create a table with a key such as ``"id S"``, ``"n N"``; return its name."""
        name = f"table-{secrets.token_hex(6)}"
        pairs = [key.split() for key in keys or ("id S",)]
        kinds = ("HASH", "RANGE")
        self.client.create_table(
            TableName=name,
            KeySchema=[{"AttributeName": key, "KeyType": kinds[at]} for at, (key, _) in enumerate(pairs)],
            AttributeDefinitions=[{"AttributeName": key, "AttributeType": kind} for key, kind in pairs],
            **{"BillingMode": "PAY_PER_REQUEST", **options},
        )
        return name

    def fill(self, name: str, items: list[dict[str, Any]]) -> None:
        """Put items, in boto3's form."""
        for start in range(0, len(items), 25):
            puts = [{"PutRequest": {"Item": item}} for item in items[start : start + 25]]
            self.client.batch_write_item(RequestItems={name: puts})

    def items(self, name: str) -> list[dict[str, Any]]:
        """All items, in boto3's form, in an order that does not depend on the table."""
        pages = self.client.get_paginator("scan").paginate(TableName=name)
        return sorted((item for page in pages for item in page["Items"]), key=repr)
