"""S3, DynamoDB and a warehouse, with the steps run as the command runs them; in processes of their own to be killed."""

from __future__ import annotations

import json
import os
import secrets
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import psycopg2
import pytest
import yaml

from sandbox.parts.database import DatabaseAddress
from sandbox.parts.postgres import PostgresPart
from sandbox.parts.redshift import RedshiftPart
from steps_impl.contract import StepContext, StepResult
from steps_impl.registry import load_step
from tests.dynamodb_tables import Tables
from tests.phases import Phases

CHECKOUT = Path(__file__).parents[3]
#: Runs a step that sends itself a signal when a function of the product is called the nth time, before it begins.
DYING = """
import importlib, os, sys
from steps_impl import runner
number, module, owner, function, turn, name, *words = sys.argv[1:]
place = importlib.import_module(module)
place = getattr(place, owner) if owner else place
real, calls, contexts, made = getattr(place, function), [], [], runner.StepContext

def keeping(*given):
    contexts.append(made(*given))
    return contexts[-1]

runner.StepContext = keeping

def dying(*given, **named):
    calls.append(1)
    if len(calls) == int(turn):
        os.kill(os.getpid(), int(number))
        contexts[0].cancelled.wait(30)
    return real(*given, **named)

setattr(place, function, dying)
sys.exit(runner.run(name, words, dict(os.environ)))
"""


@dataclass
class Bench:
    """A bucket, perhaps a warehouse, and the steps between them."""

    s3: Any
    bucket: str
    config: Path
    reporter: Phases = field(default_factory=Phases)
    cancelled: threading.Event = field(default_factory=threading.Event)
    extra: dict[str, str] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        return {**os.environ, "DUCTRUNNER_CONFIG": str(self.config), **self.extra}

    def uri(self, key: str) -> str:
        return f"s3://{self.bucket}/{key}"

    def put(self, key: str, content: bytes) -> str:
        self.s3.put_object(Bucket=self.bucket, Key=key, Body=content)
        return self.uri(key)

    def get(self, uri: str) -> bytes:
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        return self.s3.get_object(Bucket=bucket, Key=key)["Body"].read()

    def keys(self, prefix: str) -> list[str]:
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=prefix)
        return [item["Key"].removeprefix(prefix) for page in pages for item in page.get("Contents", [])]

    def manifest(self, place: str) -> dict[str, Any]:
        return json.loads(self.get(place.rstrip("/") + "/manifest"))

    def urls(self, place: str) -> list[str]:
        return [entry["url"] for entry in self.manifest(place)["entries"]]

    def run(self, step: str, **parameters: Any) -> StepResult:
        chosen = load_step(step)
        context = StepContext(self.reporter, self.cancelled, self.environment)
        return chosen.run(chosen.parameters.model_validate(parameters), context)

    def command(self, step: str, *words: str) -> subprocess.CompletedProcess[str]:
        return self._process([sys.executable, "-m", "ductrunner", "step", step, *words])

    def dying(self, number: signal.Signals, at: str, step: str, *words: str) -> subprocess.CompletedProcess[str]:
        """Run a step that gets a signal at ``module:Class.function#2``."""
        place, _, turn = at.partition("#")
        module, _, path = place.partition(":")
        owner, _, function = path.rpartition(".")
        return self._process(
            [sys.executable, "-c", DYING, str(int(number)), module, owner, function, turn or "1", step, *words]
        )

    def _process(self, command: Sequence[str]) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command, env=self.environment, cwd=CHECKOUT, capture_output=True, text=True, timeout=60, check=False
        )


@pytest.fixture
def bench(s3_client: Any, s3_bucket: str, tmp_path: Path) -> Bench:
    config = tmp_path / "ductrunner.yaml"
    config.write_text(yaml.safe_dump({"etl": {"region": "us-east-1", "s3_etl_bucket": s3_bucket}}))
    return Bench(s3_client, s3_bucket, config)


@pytest.fixture
def tables(aws_environment: str) -> Iterator[Tables]:
    made = Tables()
    yield made
    made.client.close()


@dataclass
class Warehouse(Bench):
    """With a warehouse whose tables have a prefix of the test's own."""

    connection: Any = None
    prefix: str = field(default_factory=lambda: f"t{secrets.token_hex(4)}")

    def name(self, what: str) -> str:
        return f"{self.prefix}_{what}"

    def sql(self, statement: str, parameters: Sequence[Any] | None = None) -> list[tuple[Any, ...]]:
        with self.connection.cursor() as cursor:
            cursor.execute(statement, parameters)
            return list(cursor.fetchall()) if cursor.description else []


@pytest.fixture(scope="session")
def objects_database(postgres_server: PostgresPart, redshift_front: RedshiftPart) -> DatabaseAddress:
    """One database for all tests here: making one for each takes longer than the tests."""
    return replace(postgres_server.ensure_database("objects_tests", "objects_tests"), port=redshift_front.port)


@pytest.fixture
def warehouse(bench: Bench, objects_database: DatabaseAddress) -> Iterator[Warehouse]:
    a = objects_database
    document = yaml.safe_load(bench.config.read_text())
    document["redshift"] = {
        "host": a.host,
        "port": a.port,
        "database_name": a.database,
        "username": a.username,
        "password": f"file:{a.password_file}",
        "iam_role": "arn:aws:iam::123456789012:role/unload",
    }
    bench.config.write_text(yaml.safe_dump(document))
    connection = psycopg2.connect(**a.postgres_login)
    connection.autocommit = True
    yield Warehouse(bench.s3, bench.bucket, bench.config, connection=connection)
    connection.close()
