"""Where the cases of the matrix run: lanes side by side, each with a service of its own that a case may kill."""

from __future__ import annotations

import json
import secrets
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import psycopg2
import pytest
import yaml

from sandbox.parts.database import DatabaseAddress
from sandbox.parts.datapipeline import DataPipelinePart
from sandbox.parts.moto import MotoPart
from sandbox.parts.postgres import PostgresPart
from sandbox.parts.redshift import RedshiftPart
from tests.integration.agent.conftest import FLAGS, eventually

#: Cases at the same time: they wait more than they compute.
LANES = 4
#: Seconds for which a killed service stays away.
OUTAGE = 0.3
_CLIENTS = threading.Lock()


@dataclass(frozen=True)
class World:
    """What all lanes share: the real servers, and clients of them."""

    aws: MotoPart
    postgres: PostgresPart
    redshift: RedshiftPart
    s3: Any
    bucket: str
    directory: Path

    @classmethod
    def build(cls, aws: MotoPart, postgres: PostgresPart, redshift: RedshiftPart, directory: Path) -> World:
        """Make a bucket and a client of S3."""
        s3 = new_client("s3", aws.endpoint)
        bucket = f"faults-{secrets.token_hex(6)}"
        s3.create_bucket(Bucket=bucket)
        return cls(aws, postgres, redshift, s3, bucket, directory)

    def keys(self, prefix: str) -> list[str]:
        """The keys below a prefix."""
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=prefix)
        return [entry["Key"] for page in pages for entry in page.get("Contents", [])]

    def read(self, key: str) -> bytes:
        """The content of one object."""
        return bytes(self.s3.get_object(Bucket=self.bucket, Key=key)["Body"].read())


@dataclass
class Lane:
    """One service and one warehouse; a case that kills the service is alone in its lane."""

    world: World
    directory: Path
    service: DataPipelinePart
    database: DatabaseAddress
    warehouse: Any = field(repr=False)

    def configuration(self, **place: Any) -> dict[str, Any]:
        """The agent's and the steps' configuration; ``place`` overrides where the warehouse is."""
        login = {"database_name": self.database.database, "username": self.database.username}
        address = {"host": self.database.host, "port": self.database.port, **place}
        role = "arn:aws:iam::123456789012:role/copy"
        password = f"file:{self.database.password_file}"
        return {
            "etl": {"region": "us-east-1", "connection_retries": 0},
            "redshift": {**address, **login, "password": password, "iam_role": role},
        }

    def write_configuration(self, path: Path, **place: Any) -> Path:
        path.write_text(yaml.safe_dump(self.configuration(**place)))
        return path

    def rows(self, statement: str) -> list[tuple[Any, ...]]:
        """Run a statement in the warehouse; return its rows."""
        with self.warehouse.cursor() as cursor:
            cursor.execute(statement)
            return list(cursor.fetchall()) if cursor.description else []

    def restart_service(self) -> None:
        """Bring the service that was killed up again, where and as it was, after it was away for a moment."""
        eventually(lambda: self.service.process() is None, "the end of the service")
        time.sleep(OUTAGE)
        self.service.start()

    def control(self, name: str, method: str = "POST", **body: Any) -> dict[str, Any]:
        """Ask the service for something that AWS has no call for."""
        data = json.dumps(body).encode() if method == "POST" else None
        request = urllib.request.Request(f"{self.service.endpoint}/_sandbox/{name}", data, method=method)
        with urllib.request.urlopen(request) as answer:
            return dict(json.load(answer))

    def attempts(self, pipeline: str) -> list[dict[str, Any]]:
        """The service's own record of the attempts of a pipeline, in order."""
        told = self.control("attempts", "GET")["attempts"]
        return [entry for entry in told if entry["pipelineId"] == pipeline]


def new_client(service: str, endpoint: str) -> Any:
    """A boto3 client; made one at a time, since the session behind it is not safe for threads.

    It looks for no proxy: that goes over the environment, which pytest changes meanwhile.
    """
    import boto3
    from botocore.config import Config

    keys = {"aws_access_key_id": "any", "aws_secret_access_key": "any", "region_name": "us-east-1"}
    with _CLIENTS:
        return boto3.client(service, endpoint_url=endpoint, config=Config(proxies={}), **keys)


@contextmanager
def open_lanes(world: World, flags: Sequence[Sequence[str]], cases: int = 1) -> Iterator[SimpleQueue[Lane]]:
    """Start a lane for each set of flags of the service, for so many cases at a time; stop them in the end."""
    opened: list[Lane] = []
    free: SimpleQueue[Lane] = SimpleQueue()
    try:
        for chosen in flags:
            opened.append(_open(world, chosen))
        for lane in opened * cases:
            free.put(lane)
        yield free
    finally:
        for lane in opened:
            lane.warehouse.close()
            lane.service.stop()


def _open(world: World, flags: Sequence[str]) -> Lane:
    name = f"lane_{secrets.token_hex(6)}"
    directory = world.directory / name
    directory.mkdir()
    database = replace(world.postgres.ensure_database(name, name), port=world.redshift.port)
    service = DataPipelinePart(directory / "service", (*FLAGS, *flags))
    service.start()
    login = {"user": database.username, "password": database.password, "dbname": database.database}
    warehouse = psycopg2.connect(host=database.host, port=database.port, **login)
    warehouse.autocommit = True
    return Lane(world, directory, service, database, warehouse)


class SideBySide:
    """Runs the cases that were chosen for this session, as many at a time as there are lanes."""

    def __init__(self, lanes: SimpleQueue[Lane], workers: int = LANES) -> None:
        self._lanes = lanes
        self._pool = ThreadPoolExecutor(workers)
        self._results: dict[Any, Future[None]] = {}

    def start(self, cases: Sequence[Any], run: Callable[[Lane, Any], None]) -> None:
        """Begin with all cases; each gets a lane of its own while it runs."""

        def on_a_lane(case: Any) -> None:
            lane = self._lanes.get()
            try:
                run(lane, case)
            finally:
                self._lanes.put(lane)

        self._results = {case: self._pool.submit(on_a_lane, case) for case in cases}

    def result(self, case: Any) -> None:
        """Wait for a case; raises what it has raised."""
        self._results[case].result()

    def close(self) -> None:
        """Drop the cases that have not begun, and wait for the others."""
        self._pool.shutdown(cancel_futures=True)


def chosen_cases(request: pytest.FixtureRequest, name: str) -> list[Any]:
    """The values of the parameter ``name`` in those tests of this module that the session will run."""
    ours = [item for item in request.session.items if item.path == request.path]
    return [item.callspec.params[name] for item in ours if hasattr(item, "callspec") and name in item.callspec.params]
