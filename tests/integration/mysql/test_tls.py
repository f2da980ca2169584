"""Encryption of MySQL connections, with both drivers, against a real server with a certificate of its own."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from core.errors import StoreError, StoreUnreachable
from core.sections.databases import MySqlHost
from sandbox.parts.database import DatabaseAddress
from sandbox.parts.mariadb import MariaDbPart
from stores.mysql import connect, driver
from stores.mysql.session import connect_session
from stores.mysql.tls import CIPHER, Tls
from stores.sql import Statement
from tests.conftest import run_part


class EncryptingPart(MariaDbPart):
    """A server with a certificate for 127.0.0.1, which is its own authority."""

    @property
    def certificate(self) -> Path:
        return self.directory / "certificate.pem"

    def prepare(self) -> None:
        super().prepare()
        key = self.directory / "key.pem"
        words = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1"]
        files = ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(self.certificate)]
        subprocess.run(["openssl", *words, *files], check=True, capture_output=True)

    def command(self, port: int) -> Sequence[str | Path]:
        key = self.directory / "key.pem"
        return [*super().command(port), f"--ssl-cert={self.certificate}", f"--ssl-key={key}"]


@pytest.fixture(scope="module")
def encrypting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EncryptingPart]:
    yield from run_part(EncryptingPart(tmp_path_factory.mktemp("tls") / "mariadb"))


def host_of(address: DatabaseAddress) -> MySqlHost:
    return MySqlHost(
        host=address.host,
        port=address.port,
        username=address.username,
        password=SecretStr(address.password),
        database=address.database,
    )


def through_session(host: MySqlHost, tls: Tls) -> str:
    with connect_session(host, retries=0, tls=tls) as session:
        return str(session.rows(Statement(CIPHER, "ask for the cipher"))[0][1])


def through_reader(host: MySqlHost, tls: Tls) -> str:
    with connect(host, retries=0, tls=tls) as connection:
        return str(connection.text_rows(CIPHER)[0][1])


@pytest.fixture(params=["session", "compiled reader", "pure reader"])
def cipher_of(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Callable[[Any, Tls], str]:
    """Connects and returns the cipher, by each driver."""
    if request.param == "pure reader":
        monkeypatch.setattr(driver, "_compiled_library", lambda: None)
    return through_session if request.param == "session" else through_reader


def test_what_is_demanded_is_encrypted(encrypting, cipher_of):
    host = host_of(encrypting.ensure_database("shop", "shop"))
    assert cipher_of(host, Tls("require"))
    assert cipher_of(host, Tls("verify-ca", str(encrypting.certificate)))
    assert cipher_of(host, Tls("verify-full", str(encrypting.certificate)))


def test_a_certificate_that_nobody_vouches_for_is_refused(encrypting, cipher_of):
    host = host_of(encrypting.ensure_database("shop", "shop"))
    with pytest.raises(StoreError):
        cipher_of(host, Tls("verify-full"))


def test_encryption_that_is_switched_off_is_off(encrypting, cipher_of):
    assert cipher_of(host_of(encrypting.ensure_database("shop", "shop")), Tls("disable")) == ""


def test_a_server_without_tls_is_refused_when_tls_is_demanded(mysql_database, cipher_of):
    with pytest.raises(StoreUnreachable, match=r"TLS|SSL"):
        cipher_of(host_of(mysql_database), Tls("require"))
    assert cipher_of(host_of(mysql_database), Tls("prefer")) == ""
