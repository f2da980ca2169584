"""Looks for the sandbox's passwords where none may stand: command lines, logs, and objects in S3."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import boto3
import psutil


class Passwords:
    """The passwords of one sandbox, and where they stand."""

    def __init__(self, state: Path, bucket: str) -> None:
        self._state = state
        self._bucket = bucket
        self._words = [path.read_bytes().strip() for path in (state / "sandbox").rglob("*.password")]
        if not self._words:
            raise RuntimeError(f"no passwords were found in {state}: nothing to look for")

    def on_command_lines(self, pid: int) -> list[str]:
        """Return the processes below ``pid`` whose command line holds a password."""
        below = [Path(f"/proc/{child.pid}/cmdline") for child in psutil.Process(pid).children(recursive=True)]
        return [f"the command line of process {path.parent.name}" for path in below if self._stand_in(_read(path))]

    def kept(self) -> list[str]:
        """Return the files and objects that hold a password."""
        return [place for place, content in _contents(self._state, self._bucket) if self._stand_in(content)]

    def _stand_in(self, content: bytes) -> bool:
        return any(word in content for word in self._words)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except (FileNotFoundError, ProcessLookupError):  # it has ended meanwhile
        return b""


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
