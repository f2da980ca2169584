from __future__ import annotations

import email.utils
import http.client
import os
import socket
import ssl
import time

import pytest

from core.errors import SettingsError
from core.redaction import REDACTOR
from stores.web import clock_error, find_address, unreachable


@pytest.fixture(autouse=True)
def _no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)


@pytest.mark.parametrize(
    ("url", "host", "port", "authority", "path"),
    [
        ("https://s3.example", "s3.example", 443, "s3.example", ""),
        ("http://s3.example:9000/base/", "s3.example", 9000, "s3.example:9000", "/base/"),
        ("https://[::1]:8443", "::1", 8443, "[::1]:8443", ""),
        ("https://user:secret-word@s3.example/", "s3.example", 443, "s3.example", "/"),
    ],
)
def test_an_address_is_taken_apart(url: str, host: str, port: int, authority: str, path: str) -> None:
    address, found = find_address(url, "the endpoint")
    assert (address.host, address.port, address.authority, found) == (host, port, authority, path)
    assert address.url == f"{address.scheme}://{authority}"


@pytest.mark.parametrize(
    "url", ["s3.example", "ftp://s3.example", "https://", "https://s3.example:port", "http://[::1"]
)
def test_what_is_no_address_is_named(url: str) -> None:
    with pytest.raises(SettingsError, match=r"the endpoint .* is not an address; write https://"):
        find_address(url, "the endpoint")


@pytest.mark.parametrize(
    ("exempt", "url", "through"),
    [
        ("", "https://s3.example", True),
        ("other.example", "https://s3.example", True),
        ("s3.example", "https://s3.example", False),
        (".example", "https://s3.example", False),
        ("s3.example:443", "https://s3.example:443", False),
        ("*", "https://s3.example", False),
        ("", "http://s3.example", False),
        ("", "https://localhost:9000", False),
        ("", "https://127.0.0.2:9000", False),
        ("", "https://[::1]:9000", False),
    ],
)
def test_a_proxy_is_used_where_the_environment_says_so_and_never_for_this_machine(
    monkeypatch: pytest.MonkeyPatch, exempt: str, url: str, through: bool
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:3128")
    monkeypatch.setenv("NO_PROXY", exempt)
    assert (find_address(url, "x")[0].proxy is not None) is through


def test_a_proxy_may_be_written_without_a_scheme(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", "proxy.example:3128")
    proxy = find_address("https://s3.example", "x")[0].proxy
    assert proxy is not None
    assert proxy.authority == "proxy.example:3128"


@pytest.mark.parametrize("proxy", ["https://proxy.example", "socks5://proxy.example:1080", "http://proxy.example:port"])
def test_a_proxy_that_cannot_be_used_is_named_without_its_password(monkeypatch: pytest.MonkeyPatch, proxy: str) -> None:
    monkeypatch.setenv("HTTPS_PROXY", proxy.replace("//", "//user:proxy-password@"))
    with pytest.raises(SettingsError, match="HTTPS_PROXY") as caught:
        find_address("https://s3.example", "x")
    assert "proxy-password" not in str(caught.value)


def test_the_password_of_a_proxy_is_known_to_the_redactor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://user:tunnel%40word@proxy.example:3128")
    find_address("https://s3.example", "x")
    assert REDACTOR.redact("says tunnel@word and tunnel%40word") == "says [redacted] and [redacted]"


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (
            ConnectionRefusedError(111, "Connection refused"),
            ["Connection refused", "the proxy proxy.example:8"],
        ),
        (socket.gaierror(-2, "Name or service not known"), ["the name proxy.example is not known", "DNS"]),
        (OSError("Tunnel connection failed: 407 Login"), ["proxy.example:8 answered 407", "--proxyUsername"]),
        (
            OSError("Tunnel connection failed: 403 No"),
            ["answered 403 No", "CONNECT to s3.example:443", "NO_PROXY"],
        ),
        (http.client.IncompleteRead(b"row data"), ["the answer ended early"]),
        (TimeoutError("The read operation timed out"), ["timed out"]),
        (ssl.SSLError(1, "record layer failure"), ["record layer failure"]),
    ],
)
def test_what_went_wrong_on_the_way_is_said_with_what_to_do(
    monkeypatch: pytest.MonkeyPatch, error: Exception, words: list[str]
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://user:proxy-password@proxy.example:8")
    text = str(unreachable(find_address("https://s3.example", "x")[0], "for s3://b/k", error))
    assert text.startswith("no answer from https://s3.example for s3://b/k (")
    for word in words:
        assert word in text
    assert "proxy-password" not in text
    assert "row data" not in text


@pytest.mark.parametrize(("ahead", "words"), [(1000, "ahead of"), (-1000, "behind")])
def test_a_wrong_clock_is_said_with_its_direction(ahead: int, words: str) -> None:
    said = clock_error(email.utils.formatdate(time.time() - ahead, usegmt=True), 300)
    assert said is not None
    assert words in said


@pytest.mark.parametrize("date", [None, "", "yesterday"])
def test_an_unknown_clock_is_not_blamed(date: str | None) -> None:
    assert clock_error(date, 300) is None


def test_a_right_clock_is_not_blamed() -> None:
    assert clock_error(email.utils.formatdate(usegmt=True), 300) is None
