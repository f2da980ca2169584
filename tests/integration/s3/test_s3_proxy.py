from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import pytest

from core.errors import StoreUnreachable
from stores.s3 import S3Store

Reply = Callable[..., Any]


@pytest.fixture
def proxy(faulty_server: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    address = faulty_server.endpoint.replace("http://", "http://user:p%40ss@")
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("http_proxy", address)
    monkeypatch.setenv("https_proxy", address)
    monkeypatch.setattr("stores.s3.wire.BACKOFF", ())
    return faulty_server


def test_plain_http_is_forwarded_by_the_proxy_with_its_credentials(proxy: Any, reply: Reply) -> None:
    proxy.otherwise = reply(200)
    S3Store("us-east-1", "http://s3.example:9000").put_bytes("s3://bucket/a//b", b"x")
    ((method, path, headers),) = proxy.requests
    assert (method, path) == ("PUT", "http://s3.example:9000/bucket/a//b")
    assert headers["Host"] == "s3.example:9000"
    assert base64.b64decode(headers["Proxy-Authorization"].removeprefix("Basic ")) == b"user:p@ss"


def test_https_asks_the_proxy_for_a_tunnel(proxy: Any, reply: Reply) -> None:
    proxy.otherwise = reply(502)
    with pytest.raises(StoreUnreachable, match="502"):
        S3Store("us-east-1", "https://s3.example").put_bytes("s3://bucket/key", b"x")
    ((method, path, headers),) = proxy.requests
    assert (method, path) == ("CONNECT", "s3.example:443")
    assert base64.b64decode(headers["Proxy-Authorization"].removeprefix("Basic ")) == b"user:p@ss"


def test_this_machine_is_never_asked_for_through_a_proxy(proxy: Any, reply: Reply) -> None:
    proxy.otherwise = reply(200)
    S3Store("us-east-1", proxy.endpoint).put_bytes("s3://bucket/key", b"x")
    assert proxy.requests[0][1] == "/bucket/key"
