"""What answers in the place of an AWS service (a proxy's page, half an answer) is an error that callers know."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from core.errors import StoreError
from stores.autoscaling import AutoScaling
from stores.notifications import Topic
from stores.secrets import resolve
from tests.integration.s3.conftest import FaultyServer, reply

PAGE = b"<html><body>Please log in to the network</body></html>"
ASKED: dict[str, Callable[[], object]] = {
    "sns": lambda: Topic("arn:aws:sns:us-east-1:111122223333:topic", retries={"total_max_attempts": 1}).publish(
        "s", "m"
    ),
    "secretsmanager": lambda: resolve("secretsmanager:name"),
    "ssm": lambda: resolve("ssm:/name"),
    "autoscaling": lambda: AutoScaling("i-1", "us-east-1").group(),
}


@pytest.fixture
def somebody(aws_environment: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultyServer]:
    """Who answers in the place of every service."""
    server = FaultyServer()
    monkeypatch.setenv("AWS_ENDPOINT_URL", server.endpoint)
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    yield server
    server.stop()


@pytest.mark.parametrize("answer", [PAGE, PAGE[:20], b"", b"{", b"[1]", b"\x00\xff", b'{"a": 1}', b"<a/>"])
@pytest.mark.parametrize("service", ASKED)
def test_an_answer_of_somebody_else_is_a_known_error(somebody: FaultyServer, service: str, answer: bytes) -> None:
    somebody.otherwise = reply(200, answer)
    with pytest.raises(StoreError):
        ASKED[service]()
