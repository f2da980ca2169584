"""The service's state on disk: one SQLite file in WAL mode, one transaction per call.

``synchronous=NORMAL`` with a write-ahead log: a committed transaction survives the death of the process (not the
loss of power), which is what a sandbox needs. Definitions may hold passwords, so only the owner can read the file.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from core.errors import SandboxError
from sandbox.datapipeline.model import Attempt, Instance, Pipeline

#: 2: instances have owners. A file of version 1 is read as it is: what it does not say has a default.
SCHEMA_VERSION = 2
_READABLE = (0, 1, SCHEMA_VERSION)
_SCHEMA = """
CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS pipelines (id TEXT PRIMARY KEY, record TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS definitions (
  pipeline_id TEXT NOT NULL, version INTEGER NOT NULL, body TEXT NOT NULL, PRIMARY KEY (pipeline_id, version));
CREATE TABLE IF NOT EXISTS instances (
  pipeline_id TEXT NOT NULL, id TEXT NOT NULL, record TEXT NOT NULL, PRIMARY KEY (pipeline_id, id));
CREATE TABLE IF NOT EXISTS attempts (
  pipeline_id TEXT NOT NULL, id TEXT NOT NULL, record TEXT NOT NULL, content TEXT NOT NULL,
  PRIMARY KEY (pipeline_id, id));
"""
_compact = json.JSONEncoder(separators=(",", ":")).encode


class Store:
    """Reads and writes whole records. Used under the service's lock, from any thread."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        try:
            self._connection.execute("PRAGMA journal_mode=WAL")
            self._connection.execute("PRAGMA synchronous=NORMAL")
            self._connection.execute("PRAGMA locking_mode=EXCLUSIVE")
            self._prepare(path)
        except (sqlite3.Error, SandboxError) as error:
            self._connection.close()
            if isinstance(error, SandboxError):
                raise
            raise SandboxError(f"cannot use {path} as the Data Pipeline service's database: {error}") from error

    def _prepare(self, path: Path) -> None:
        known = self._connection.execute("PRAGMA user_version").fetchone()[0]
        if known not in _READABLE:
            raise SandboxError(f"{path} was written by another release (schema {known}); remove it to start anew")
        self._connection.executescript(_SCHEMA)
        self._connection.execute(f"PRAGMA user_version={SCHEMA_VERSION}")

    def close(self) -> None:
        """Close the file; everything committed is in it."""
        self._connection.close()

    def begin(self) -> None:
        """Start the transaction of one call."""
        self._connection.execute("BEGIN IMMEDIATE")

    def commit(self) -> None:
        """Make the transaction last."""
        self._connection.execute("COMMIT")

    def rollback(self) -> None:
        """Forget the transaction, if one is open."""
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")

    def save_fact(self, name: str, value: Any) -> None:
        """Remember one value."""
        self._connection.execute("INSERT OR REPLACE INTO facts VALUES (?, ?)", (name, _compact(value)))

    def facts(self) -> dict[str, Any]:
        """Return all remembered values."""
        return {name: json.loads(value) for name, value in self._connection.execute("SELECT name, value FROM facts")}

    def save_pipelines(self, pipelines: Iterable[Pipeline]) -> None:
        """Write pipelines."""
        rows = [(pipeline.id, _compact(pipeline.record())) for pipeline in pipelines]
        self._connection.executemany("INSERT OR REPLACE INTO pipelines VALUES (?, ?)", rows)

    def save_definition(self, pipeline_id: str, version: int, body: dict[str, Any]) -> None:
        """Write one version of a definition."""
        row = (pipeline_id, version, _compact(body))
        self._connection.execute("INSERT OR REPLACE INTO definitions VALUES (?, ?, ?)", row)

    def save_instances(self, instances: Iterable[Instance]) -> None:
        """Write instances."""
        rows = [(instance.pipeline_id, instance.id, _compact(instance.record())) for instance in instances]
        self._connection.executemany(
            "INSERT INTO instances VALUES (?, ?, ?) "
            "ON CONFLICT (pipeline_id, id) DO UPDATE SET record = excluded.record",
            rows,
        )

    def add_attempts(self, attempts: Iterable[Attempt]) -> None:
        """Write new attempts, with their content."""
        rows = [
            (attempt.pipeline_id, attempt.id, _compact(attempt.record()), _compact(_content(attempt)))
            for attempt in attempts
        ]
        self._connection.executemany("INSERT INTO attempts VALUES (?, ?, ?, ?)", rows)

    def save_attempts(self, attempts: Iterable[Attempt]) -> None:
        """Write what changes about attempts."""
        rows = [(_compact(attempt.record()), attempt.pipeline_id, attempt.id) for attempt in attempts]
        self._connection.executemany("UPDATE attempts SET record = ? WHERE pipeline_id = ? AND id = ?", rows)

    def forget(self, pipeline_id: str) -> None:
        """Remove the definition and the run history of a pipeline."""
        for table in ("definitions", "instances", "attempts"):
            self._connection.execute(f"DELETE FROM {table} WHERE pipeline_id = ?", (pipeline_id,))

    def pipelines(self) -> Iterator[Pipeline]:
        """Yield every pipeline, deleted ones too, oldest first."""
        found = [Pipeline.of(json.loads(row[0])) for row in self._connection.execute("SELECT record FROM pipelines")]
        return iter(sorted(found, key=lambda pipeline: pipeline.created))

    def definitions(self) -> Iterator[tuple[str, int, dict[str, Any]]]:
        """Yield pipeline id, version and body of every definition."""
        for pipeline_id, version, body in self._connection.execute("SELECT * FROM definitions"):
            yield pipeline_id, version, json.loads(body)

    def instances(self) -> Iterator[Instance]:
        """Yield every instance in the order of creation."""
        for row in self._connection.execute("SELECT record FROM instances ORDER BY rowid"):
            yield Instance.of(json.loads(row[0]))

    def attempts(self) -> Iterator[Attempt]:
        """Yield every attempt in the order of creation."""
        for record, content in self._connection.execute("SELECT record, content FROM attempts ORDER BY rowid"):
            yield Attempt.of(json.loads(record), json.loads(content))


def _content(attempt: Attempt) -> dict[str, Any]:
    content = attempt.content
    return {"name": content.name, "fields": content.fields, "linked": content.linked}
