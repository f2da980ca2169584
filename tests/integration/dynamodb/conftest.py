"""Real tables and files, in the DynamoDB and S3 of the session."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from steps_impl.contract import StepContext
from tests.dynamodb_tables import Tables
from tests.phases import Phases


@pytest.fixture
def tables(aws_environment: str) -> Iterator[Tables]:
    made = Tables()
    yield made
    made.client.close()


@pytest.fixture
def context(aws_environment: str) -> StepContext:
    return StepContext(Phases())


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
