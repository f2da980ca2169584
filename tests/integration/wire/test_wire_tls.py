"""TLS as production has it: who is trusted, what is refused, and what an operator reads then."""

from __future__ import annotations

import datetime as dt
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from core.errors import SettingsError, StoreUnreachable
from tests.conftest import skip_or_fail

Make = Callable[..., Any]


def test_a_certificate_of_a_trusted_authority_is_accepted(server: Any, relay: Make, speaker: Make, reply: Make) -> None:
    server.otherwise = reply(200, b"{}")
    speaker(relay(server.endpoint).endpoint).speak()
    assert len(server.requests) == 1


def test_the_authorities_may_stand_in_the_aws_profile(
    server: Any, relay: Make, speaker: Make, reply: Make, authority: Any, tmp_path: Path, monkeypatch: Any
) -> None:
    monkeypatch.delenv("AWS_CA_BUNDLE")
    (tmp_path / "config").write_text(f"[default]\nca_bundle = {authority.bundle}\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    server.otherwise = reply(200, b"{}")
    speaker(relay(server.endpoint).endpoint).speak()
    assert len(server.requests) == 1


def test_an_authority_that_is_not_trusted_is_refused_and_the_remedy_is_named(
    server: Any, relay: Make, speaker: Make, monkeypatch: Any
) -> None:
    monkeypatch.delenv("AWS_CA_BUNDLE")
    made = relay(server.endpoint)
    with pytest.raises(StoreUnreachable, match="AWS_CA_BUNDLE") as caught:
        speaker(made.endpoint).speak()
    assert f"no answer from {made.endpoint} " in str(caught.value)
    assert "127.0.0.1" in str(caught.value)
    assert not server.requests


def test_a_certificate_for_another_name_is_refused_and_said(
    server: Any, relay: Make, speaker: Make, authority: Any
) -> None:
    made = relay(server.endpoint, authority.context(("other.example",)))
    with pytest.raises(StoreUnreachable, match=r"certificate is for another name than 127\.0\.0\.1"):
        speaker(made.endpoint).speak()
    assert not server.requests


def test_a_certificate_that_is_over_points_at_the_clock(
    server: Any, relay: Make, speaker: Make, authority: Any
) -> None:
    made = relay(server.endpoint, authority.context(ends_in=-dt.timedelta(hours=1)))
    with pytest.raises(StoreUnreachable, match=r"expired.*clock"):
        speaker(made.endpoint).speak()
    assert not server.requests


def test_a_server_without_tls_is_said(server: Any, speaker: Make) -> None:
    with pytest.raises(StoreUnreachable, match="does not speak TLS"):
        speaker(server.endpoint.replace("http:", "https:")).speak()


def test_a_bundle_that_is_not_there_is_named(speaker: Make, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setenv("AWS_CA_BUNDLE", str(tmp_path / "nowhere.pem"))
    with pytest.raises(SettingsError, match=r"nowhere\.pem cannot be read .*AWS_CA_BUNDLE"):
        speaker("https://127.0.0.1:9").speak()


def test_an_ipv6_address_is_reached(server: Any, relay: Make, speaker: Make, reply: Make) -> None:
    try:
        made = relay(server.endpoint, family=socket.AF_INET6)
    except OSError as error:
        skip_or_fail(f"no IPv6 on the loopback interface here: {error}")
    server.otherwise = reply(200, b"{}")
    speaker(made.endpoint).speak()
    assert server.requests[0][2]["Host"] == f"[::1]:{made.port}"
