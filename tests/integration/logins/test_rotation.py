"""A secret that is changed between its reading and its use."""

from __future__ import annotations

import secrets

import boto3
import psycopg2
import pytest
from pydantic import SecretStr

from core.errors import AccessDenied
from core.sections.databases import PostgresSettings
from sandbox.parts.database import DatabaseAddress
from stores.logins import Access, logged_in


class Login:
    """Opens connections, and rotates the password at the first: after it was read and before it is used."""

    def __init__(self, address: DatabaseAddress, name: str, *, also_in_the_secret: bool) -> None:
        self.address = address
        self.name = name
        self.also_in_the_secret = also_in_the_secret
        self.tried: list[str] = []

    def open(self, access: Access) -> psycopg2.extensions.connection:
        if not self.tried:
            self.rotate()
        self.tried.append(access.password)
        try:
            return self._connect(access.password)
        except psycopg2.OperationalError:
            raise AccessDenied("refused") from None

    def _connect(self, password: str) -> psycopg2.extensions.connection:
        to = self.address
        return psycopg2.connect(host=to.host, port=to.port, dbname=to.database, user=to.username, password=password)

    def rotate(self) -> None:
        new = secrets.token_hex(8)
        with self._connect(self.address.password) as link, link.cursor() as cursor:
            cursor.execute(f"ALTER USER CURRENT_USER PASSWORD '{new}'")
        if self.also_in_the_secret:
            boto3.client("secretsmanager").put_secret_value(SecretId=self.name, SecretString=new)


def settings_of(address: DatabaseAddress) -> tuple[str, PostgresSettings]:
    name = f"login-{secrets.token_hex(4)}"
    boto3.client("secretsmanager").create_secret(Name=name, SecretString=address.password)
    return name, PostgresSettings(
        host=address.host,
        port=address.port,
        database_name=address.database,
        username=address.username,
        password=SecretStr(f"secretsmanager:{name}"),
    )


def test_a_secret_rotated_in_between_is_read_again_and_the_login_goes_through(
    postgres_database: DatabaseAddress, aws_environment: str
) -> None:
    name, settings = settings_of(postgres_database)
    login = Login(postgres_database, name, also_in_the_secret=True)
    connection = logged_in(settings, None, login.open, lambda *_: [])
    connection.close()
    assert login.tried[0] == postgres_database.password
    assert len(login.tried) == 2


def test_a_password_that_is_refused_and_unchanged_is_tried_once_only(
    postgres_database: DatabaseAddress, aws_environment: str
) -> None:
    name, settings = settings_of(postgres_database)
    login = Login(postgres_database, name, also_in_the_secret=False)
    with pytest.raises(AccessDenied):
        logged_in(settings, None, login.open, lambda *_: [])
    assert login.tried == [postgres_database.password]
