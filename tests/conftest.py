"""The real servers that tests run against: each is started once in a session, on a port of its own."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest

from core.errors import PartMissing
from sandbox.parts.database import DatabaseAddress
from sandbox.parts.mariadb import MariaDbPart
from sandbox.parts.moto import MotoPart
from sandbox.parts.part import Part
from sandbox.parts.postgres import PostgresPart

AnyPart = TypeVar("AnyPart", bound=Part)


def skip_or_fail(reason: str) -> None:
    """Skip a test that needs a part which is missing; on CI a missing part is a failure."""
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


def run_part(part: AnyPart) -> Iterator[AnyPart]:
    """Start a part, hand it out, stop it."""
    try:
        part.start()
    except PartMissing as missing:
        skip_or_fail(str(missing))
    yield part
    part.stop()


@pytest.fixture(scope="session")
def parts_directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder under which the session's servers keep what they have."""
    return tmp_path_factory.mktemp("parts")


@pytest.fixture(scope="session")
def postgres_server(parts_directory: Path) -> Iterator[PostgresPart]:
    """A Postgres server (``.address``, ``.superuser``, ``.ensure_database(database, username)``)."""
    yield from run_part(PostgresPart(parts_directory / "postgres"))


@pytest.fixture(scope="session")
def mysql_server(parts_directory: Path) -> Iterator[MariaDbPart]:
    """A MariaDB server (``.address``, ``.administrator``, ``.ensure_database(database, username)``)."""
    yield from run_part(MariaDbPart(parts_directory / "mariadb"))


@pytest.fixture(scope="session")
def aws_server(parts_directory: Path) -> Iterator[MotoPart]:
    """S3, SNS, CloudWatch Logs, Secrets Manager, SSM and STS on one port (``.endpoint`` is the URL)."""
    yield from run_part(MotoPart(parts_directory / "aws"))


@pytest.fixture
def postgres_database(postgres_server: PostgresPart) -> DatabaseAddress:
    """A new, empty Postgres database with a user who owns it."""
    name = f"test_{secrets.token_hex(6)}"
    return postgres_server.ensure_database(name, name)


@pytest.fixture
def mysql_database(mysql_server: MariaDbPart) -> DatabaseAddress:
    """A new, empty MySQL database with a user who may do everything in it."""
    name = f"test_{secrets.token_hex(6)}"
    return mysql_server.ensure_database(name, name)


@pytest.fixture
def aws_environment(aws_server: MotoPart, monkeypatch: pytest.MonkeyPatch) -> str:
    """Point boto3, the ``aws`` CLI and child processes at the session's AWS services; return the endpoint's URL."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    nothing = {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}
    for name, value in {**aws_server.client_environment(), **nothing}.items():
        monkeypatch.setenv(name, value)
    return aws_server.endpoint


@pytest.fixture
def s3_client(aws_environment: str) -> Iterator[Any]:
    """A boto3 client of the session's S3."""
    import boto3

    client = boto3.client("s3")
    yield client
    client.close()


@pytest.fixture
def s3_bucket(s3_client: Any) -> str:
    """The name of a new, empty bucket."""
    name = f"test-{secrets.token_hex(6)}"
    s3_client.create_bucket(Bucket=name)
    return name
