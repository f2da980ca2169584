"""Through a CONNECT proxy to the very names that production asks for, with TLS inside."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest

from core.errors import StoreUnreachable
from stores.s3 import S3Store
from tests.integration.wire.conftest import LOGIN

Make = Callable[..., Any]
PASSWORD = LOGIN.partition(":")[2]
HOSTS = {"s3": "bucket.s3.us-east-1.amazonaws.com", "worker": "datapipeline.us-east-1.amazonaws.com"}


def test_the_names_of_aws_are_reached_through_a_proxy_with_a_login(
    server: Any, relay: Make, connect_proxy: Make, speaker: Make, reply: Make
) -> None:
    server.otherwise = reply(200, b"{}")
    proxy = connect_proxy(relay(server.endpoint).port)
    client = speaker(None)
    client.speak()
    client.speak()
    assert proxy.asked == [f"{HOSTS[client.kind]}:443"]  # one tunnel for both
    assert [headers["Host"] for _, _, headers in server.requests] == [HOSTS[client.kind]] * 2
    assert not [headers for _, _, headers in server.requests if "Proxy-Authorization" in headers]


def test_a_proxy_that_does_not_know_the_login_is_said_without_the_password(connect_proxy: Make, speaker: Make) -> None:
    proxy = connect_proxy(None, login="worker:another")
    with pytest.raises(StoreUnreachable, match="407") as caught:
        speaker(None).speak()
    text = str(caught.value)
    assert f"the proxy 127.0.0.1:{proxy.port} answered 407" in text
    assert "user name and a password" in text
    assert PASSWORD not in text
    assert quote(PASSWORD, safe="") not in text


def test_a_proxy_that_refuses_the_host_is_said(connect_proxy: Make, speaker: Make) -> None:
    connect_proxy(None)
    client = speaker(None)
    with pytest.raises(StoreUnreachable, match=f"403 Forbidden.*CONNECT to {HOSTS[client.kind]}:443"):
        client.speak()


def test_a_proxy_that_is_not_there_is_named(speaker: Make, monkeypatch: Any) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    with pytest.raises(StoreUnreachable, match=r"Connection refused; the way leads through the proxy 127\.0\.0\.1:9"):
        speaker(None).speak()


def test_an_authority_is_verified_inside_the_tunnel_too(
    server: Any, relay: Make, connect_proxy: Make, speaker: Make, authority: Any
) -> None:
    made = relay(server.endpoint, authority.context(("proxy.example",)))
    connect_proxy(made.port)
    with pytest.raises(StoreUnreachable, match="another name"):
        speaker(None).speak()
    assert not server.requests


def test_a_bucket_elsewhere_is_asked_at_its_regions_host(
    server: Any, relay: Make, connect_proxy: Make, reply: Make
) -> None:
    redirect = b"<Error><Code>PermanentRedirect</Code></Error>"
    server.answers = [reply(301, redirect, headers={"x-amz-bucket-region": "eu-west-1"})]
    server.otherwise = reply(200)
    proxy = connect_proxy(relay(server.endpoint).port)
    S3Store("us-east-1").put_bytes("s3://bucket/key", b"x")
    assert proxy.asked == [f"bucket.s3.{region}.amazonaws.com:443" for region in ("us-east-1", "eu-west-1")]
    assert "/eu-west-1/s3/" in server.requests[1][2]["Authorization"]


def test_the_region_may_stand_in_the_document_only(server: Any, relay: Make, connect_proxy: Make, reply: Make) -> None:
    document = b"<Error><Code>AuthorizationHeaderMalformed</Code><Region>eu-west-1</Region></Error>"
    server.answers = [reply(400, document)]
    server.otherwise = reply(200)
    proxy = connect_proxy(relay(server.endpoint).port)
    S3Store("us-east-1").put_bytes("s3://bucket/key", b"x")
    assert proxy.asked[1] == "bucket.s3.eu-west-1.amazonaws.com:443"
