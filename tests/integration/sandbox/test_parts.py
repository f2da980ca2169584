"""The servers of the sandbox, one by one."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import psycopg2
import pymysql
import pytest

from sandbox.parts.database import DatabaseAddress
from sandbox.parts.mariadb import MariaDbPart
from sandbox.parts.postgres import PostgresPart


def test_postgres_answers_its_user_and_refuses_a_wrong_password(postgres_database: DatabaseAddress) -> None:
    rows = PostgresPart.execute(postgres_database, "SELECT current_user, current_database()")
    assert rows == [(postgres_database.username, postgres_database.database)]
    with pytest.raises(psycopg2.OperationalError, match="password authentication failed"):
        psycopg2.connect(
            host="127.0.0.1",
            port=postgres_database.port,
            user=postgres_database.username,
            dbname=postgres_database.database,
            password="wrong",
        )


def test_mysql_lets_nobody_in_without_a_password(mysql_server: MariaDbPart, mysql_database: DatabaseAddress) -> None:
    for user in ("root", "", "sandbox", mysql_database.username):
        with pytest.raises(pymysql.err.OperationalError):
            pymysql.connect(host="127.0.0.1", port=mysql_server.port, user=user)


def test_mysql_keeps_four_byte_characters(mysql_database: DatabaseAddress) -> None:
    address = mysql_database
    connection = pymysql.connect(**address.mysql_login)
    with connection, connection.cursor() as cursor:
        cursor.execute("CREATE TABLE t (name TEXT)")
        cursor.execute("INSERT INTO t VALUES (%s)", ("naïve 🦆",))
        cursor.execute("SELECT name FROM t")
        assert cursor.fetchall() == (("naïve 🦆",),)


def test_s3_returns_what_was_put(s3_client: Any, s3_bucket: str) -> None:
    s3_client.put_object(Bucket=s3_bucket, Key="a/b", Body=b"content")
    assert s3_client.get_object(Bucket=s3_bucket, Key="a/b")["Body"].read() == b"content"


def test_the_redshift_front_answers_the_user_of_its_database_and_refuses_others(
    redshift_database: DatabaseAddress,
) -> None:
    rows = PostgresPart.execute(redshift_database, "SELECT current_user, current_database()")
    assert rows == [(redshift_database.username, redshift_database.database)]
    with pytest.raises(psycopg2.OperationalError, match="password authentication failed"):
        PostgresPart.execute(replace(redshift_database, password="wrong"), "SELECT 1")
