"""Looks for the sandbox's passwords where none may stand: logs, and objects in S3."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import boto3


def places_with_secrets(state: Path, bucket: str) -> list[str]:
    """Return the files and objects that hold a password of the sandbox."""
    passwords = [path.read_bytes().strip() for path in (state / "sandbox").rglob("*.password")]
    if not passwords:
        raise RuntimeError(f"no passwords were found in {state}: nothing to look for")
    return [place for place, content in _contents(state, bucket) if any(word in content for word in passwords)]


def _contents(state: Path, bucket: str) -> Iterator[tuple[str, bytes]]:
    """Yield the agent's and the sandbox's logs, and every object but the extracted data."""
    logs = [path for path in (state / "agent").rglob("*") if path.is_file()]
    for path in [*logs, *(state / "sandbox").glob("*/*.log")]:
        yield str(path), path.read_bytes()
    s3 = boto3.client("s3")
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket):
        for item in page.get("Contents", []):
            if not item["Key"].endswith(".gz"):
                yield f"s3://{bucket}/{item['Key']}", s3.get_object(Bucket=bucket, Key=item["Key"])["Body"].read()
