"""Real tables and files, in the DynamoDB and S3 of the session."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest

from steps_impl.contract import StepContext


class Tables:
    """Makes tables, fills and reads them, as others than the product do: through boto3."""

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


class Quiet:
    """A reporter that keeps what it hears."""

    def __init__(self) -> None:
        self.phases: list[str] = []

    def progress(self, phase: str, *, rows: int | None = None, bytes: int | None = None) -> None:  # noqa: A002
        self.phases.append(phase)


@pytest.fixture
def tables(aws_environment: str) -> Iterator[Tables]:
    made = Tables()
    yield made
    made.client.close()


@pytest.fixture
def context(aws_environment: str) -> StepContext:
    return StepContext(Quiet())


@pytest.fixture
def stored(s3_client: Any, s3_bucket: str) -> Callable[[str, bytes], str]:
    """Writes an object; returns its address."""

    def write(key: str, content: bytes) -> str:
        s3_client.put_object(Bucket=s3_bucket, Key=key, Body=content)
        return f"s3://{s3_bucket}/{key}"

    return write


@pytest.fixture
def listed(s3_client: Any, s3_bucket: str) -> Callable[[str], dict[str, bytes]]:
    """Reads all objects below a prefix: name → content."""

    def read(prefix: str) -> dict[str, bytes]:
        found = s3_client.list_objects_v2(Bucket=s3_bucket, Prefix=prefix).get("Contents", [])
        keys = [entry["Key"] for entry in found]
        return {key[len(prefix) :]: s3_client.get_object(Bucket=s3_bucket, Key=key)["Body"].read() for key in keys}

    return read
