"""Connections that end, answers that are damaged, keys that expire, clocks that are wrong."""

from __future__ import annotations

import email.utils
import threading
import time
import zlib
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from agent.source import Handed, Verdict
from agent.sources.datapipeline import DataPipelineSource
from agent.task import Objects, parse_task
from core.errors import AccessDenied, StoreError, StoreUnreachable, Throttled
from core.redaction import REDACTOR
from stores.s3 import S3Store
from tests.integration.wire.conftest import make_source

Make = Callable[..., Any]
KEY = "s3://bucket/key"
#: What a proxy shows to those who have not logged in.
PAGE = b"<html><body>Please log in to use this network.</body></html>"
#: The service holds a poll for up to this many seconds.
LONG_POLL = 90.0


@pytest.fixture
def source(server: Any, relay: Make) -> Any:
    made = make_source(relay(server.endpoint).endpoint)
    yield made
    made.stop_polling()


def hang_up(handler: BaseHTTPRequestHandler) -> None:
    """Take the request and close without an answer."""
    handler.close_connection = True


def test_a_kept_connection_that_the_server_closed_is_not_used(
    server: Any, relay: Make, speaker: Make, reply: Make
) -> None:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        reply(200, b"{}")(handler)
        handler.close_connection = True  # although keep-alive was promised

    server.otherwise = answer
    client = speaker(relay(server.endpoint).endpoint)
    for _ in range(3):
        client.speak()
    assert len(server.requests) == 3


def test_a_request_that_met_a_closing_connection_is_said_again(
    server: Any, relay: Make, speaker: Make, reply: Make
) -> None:
    server.answers = [reply(200, b"{}"), hang_up]
    server.otherwise = reply(200, b"{}")
    client = speaker(relay(server.endpoint).endpoint)
    client.speak()
    client.speak()
    assert len(server.requests) == 3


def test_a_poll_is_never_said_twice(server: Any, source: DataPipelineSource, reply: Make) -> None:
    server.answers = [reply(200, b"{}"), hang_up]
    assert source.poll() is None
    with pytest.raises(StoreUnreachable, match="to PollForTask"):
        source.poll()
    assert len(server.requests) == 2


def test_a_poll_may_stay_silent_for_longer_than_the_service_holds_it(
    server: Any, source: DataPipelineSource, reply: Make
) -> None:
    timeouts = []

    def answer(handler: BaseHTTPRequestHandler) -> None:
        [connection] = source._polls._guard._connections
        timeouts.append(connection.sock.gettimeout())
        reply(200, b"{}")(handler)

    server.otherwise = answer
    source.poll()
    assert timeouts[0] > LONG_POLL


@pytest.mark.parametrize("speak", ["heartbeat", "set_status"])
def test_a_page_that_something_else_answers_with_is_not_believed(
    server: Any, source: DataPipelineSource, reply: Make, speak: str
) -> None:
    server.otherwise = reply(200, PAGE)
    with pytest.raises(StoreUnreachable, match="by something else"):
        source.heartbeat() if speak == "heartbeat" else source.set_status("task", Verdict(True))


def test_a_bare_429_is_throttling(server: Any, source: DataPipelineSource, reply: Make) -> None:
    server.otherwise = reply(429)
    with pytest.raises(Throttled):
        source.heartbeat()


@pytest.mark.parametrize("speak", [lambda s3: s3.put_bytes(KEY, b"1"), lambda s3: s3.get_bytes(KEY, 9)])
def test_a_page_in_the_place_of_an_object_is_fetched_again(server: Any, relay: Make, reply: Make, speak: Make) -> None:
    server.answers = [reply(200, PAGE, headers={})]
    server.otherwise = reply(200, b"1")
    with closing(S3Store("us-east-1", relay(server.endpoint).endpoint)) as store:
        speak(store)
    assert len(server.requests) == 2


def test_a_page_in_the_place_of_a_listing_is_no_empty_folder(server: Any, relay: Make, reply: Make) -> None:
    server.otherwise = reply(200, PAGE)
    with (
        closing(S3Store("us-east-1", relay(server.endpoint).endpoint)) as store,
        pytest.raises(StoreError, match="is not S3's"),
    ):
        list(store.list(KEY))


def test_half_an_answer_is_said(server: Any, source: DataPipelineSource, reply: Make) -> None:
    server.otherwise = reply(200, b'{"terminate"', announced=40)
    with pytest.raises(StoreUnreachable, match="ended early"):
        source.heartbeat()


def test_half_an_object_is_fetched_to_its_end(server: Any, relay: Make, reply: Make, tmp_path: Path) -> None:
    server.answers = [
        reply(200, b"01234", announced=10, headers={"ETag": '"v1"'}),
        reply(206, b"56789", headers={"ETag": '"v1"', "Content-Range": "bytes 5-9/10"}),
    ]
    with S3Store("us-east-1", relay(server.endpoint).endpoint).open_reader("s3://bucket/key") as reader:
        assert reader.read() == b"0123456789"


def test_a_damaged_answer_is_not_believed(server: Any, source: DataPipelineSource, reply: Make) -> None:
    body = b'{"terminate": true}'
    server.answers = [reply(200, body, headers={"x-amz-crc32": str(zlib.crc32(body) ^ 1)})]
    server.otherwise = reply(200, body, headers={"x-amz-crc32": str(zlib.crc32(body))})
    with pytest.raises(StoreUnreachable, match="x-amz-crc32"):
        source.heartbeat()
    assert source.heartbeat() is True


def test_objects_whose_description_was_damaged_are_asked_for_again(
    server: Any, source: DataPipelineSource, reply: Make
) -> None:
    body = b'{"pipelineObjects": [{"id": "In", "name": "In", "fields": []}], "hasMoreResults": false}'
    server.answers = [reply(200, body, headers={"x-amz-crc32": "1"}), reply(503)]
    server.otherwise = reply(200, body)
    document = {"attemptId": "@A", "objects": {"@A": {"id": "@A", "name": "A", "fields": []}}}
    objects = Objects(parse_task(Handed("task", document)), source, threading.Event())
    assert [found.id for found in objects.get(["In"])] == ["In"]
    assert len(server.requests) == 3


def test_a_continue_that_nobody_asked_for_is_passed_over(server: Any, relay: Make, speaker: Make, reply: Make) -> None:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        reply(200, b"{}")(handler)

    server.otherwise = answer
    speaker(relay(server.endpoint).endpoint).speak()
    assert "Expect" not in server.requests[0][2]


def refusal(code: str, date: str | None, status: int) -> Callable[[BaseHTTPRequestHandler], None]:
    """An error as both protocols write it, with the server's own time."""
    body = f'{{"__type": "{code}", "message": ""}}<Error><Code>{code}</Code></Error>'

    def answer(handler: BaseHTTPRequestHandler) -> None:
        content = (body.partition("<")[0] if "X-Amz-Target" in handler.headers else body.partition("}")[2]).encode()
        handler.send_response_only(status)
        if date:
            handler.send_header("Date", date)
        handler.send_header("Content-Length", str(len(content)))
        handler.end_headers()
        handler.wfile.write(content)

    return answer


@pytest.mark.parametrize("ahead", [2000, -2000])
def test_a_wrong_clock_is_said_with_seconds_and_direction(server: Any, relay: Make, speaker: Make, ahead: int) -> None:
    client = speaker(relay(server.endpoint).endpoint)
    code = "RequestTimeTooSkewed" if client.kind == "s3" else "InvalidSignatureException"
    server.otherwise = refusal(code, email.utils.formatdate(time.time() - ahead, usegmt=True), 403)
    with pytest.raises(
        AccessDenied, match=r"clock of this machine is (1999|200\d) s " + ("ahead" if ahead > 0 else "beh")
    ):
        client.speak()


@pytest.mark.parametrize("ahead", [3600, -3600])
def test_a_clock_that_is_an_hour_off_does_not_keep_us_from_working(
    server: Any, relay: Make, speaker: Make, reply: Make, ahead: int
) -> None:
    """AWS refuses a request that is more than minutes from its own time, and says its time."""
    client = speaker(relay(server.endpoint).endpoint)
    skewed = "RequestTimeTooSkewed" if client.kind == "s3" else "InvalidSignatureException"

    def answer(handler: BaseHTTPRequestHandler) -> None:
        now = time.time() - ahead
        said = datetime.strptime(handler.headers["X-Amz-Date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC).timestamp()
        if abs(said - now) < 300:
            reply(200, b"{}", headers={"ETag": '"1"'})(handler)
        else:
            refusal(skewed, email.utils.formatdate(now, usegmt=True), 403)(handler)

    server.otherwise = answer
    client.speak()
    client.speak()
    assert len(server.requests) == 3  # refused once, and from then on at the service's time


def test_a_wrong_key_is_not_blamed_on_the_clock(server: Any, relay: Make, speaker: Make) -> None:
    client = speaker(relay(server.endpoint).endpoint)
    server.otherwise = refusal("SignatureDoesNotMatch", email.utils.formatdate(usegmt=True), 403)
    with pytest.raises(AccessDenied, match="SignatureDoesNotMatch") as caught:
        client.speak()
    assert "clock" not in str(caught.value)


@pytest.fixture
def token_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Writes a session token into the credentials file that is in use, as sign-on tools do every hour."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))

    def write(token: str) -> None:
        keys = "aws_access_key_id = AKIDEXAMPLE\naws_secret_access_key = a-secret-key-for-tests\n"
        (tmp_path / "credentials").write_text(f"[default]\n{keys}aws_session_token = {token}\n")

    write("first-session-token")
    return write


def accepting(token: str, reply: Make) -> Callable[[BaseHTTPRequestHandler], None]:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        if handler.headers["X-Amz-Security-Token"] == token:
            reply(200, b"{}")(handler)
        else:
            refusal("ExpiredToken" if "X-Amz-Target" not in handler.headers else "ExpiredTokenException", None, 400)(
                handler
            )

    return answer


def test_an_expired_session_token_is_replaced(
    server: Any, relay: Make, speaker: Make, reply: Make, token_file: Callable[[str], None]
) -> None:
    client = speaker(relay(server.endpoint).endpoint)
    server.otherwise = accepting("first-session-token", reply)
    client.speak()
    token_file("second-session-token")
    server.otherwise = accepting("second-session-token", reply)
    client.speak()
    assert len(server.requests) == 3
    assert "second-session-token" in REDACTOR.secrets()


def test_an_expired_session_token_without_another_is_said(
    server: Any, relay: Make, speaker: Make, reply: Make, token_file: Callable[[str], None]
) -> None:
    client = speaker(relay(server.endpoint).endpoint)
    server.otherwise = accepting("second-session-token", reply)
    with pytest.raises(AccessDenied, match="ExpiredToken"):
        client.speak()
    assert len(server.requests) == 1


def test_a_bucket_that_the_endpoint_does_not_serve_is_said(server: Any, relay: Make, reply: Make) -> None:
    server.otherwise = reply(301, b"<Error><Code>PermanentRedirect</Code></Error>")
    with pytest.raises(StoreError, match="not served at this endpoint"):
        S3Store("us-east-1", relay(server.endpoint).endpoint).put_bytes("s3://bucket/key", b"x")


ODD_KEYS = [
    "plain",
    "/leading//double/",
    "./..//.hidden",
    "a b+c%20d",
    "ümläut/日本語/🦀",
    "!*'();:@&=$,?#[]{}|\\^`\"<>~-_.",
    "tab\tand\x7f",
    "x" * 1024,
]


@pytest.mark.parametrize("token", [None, "session/token+with==odd/signs"])
@pytest.mark.parametrize("key", ODD_KEYS, ids=lambda key: repr(key[:20]))
@pytest.mark.parametrize("bucket", ["bucket", "with.dots"])
def test_odd_keys_are_signed_as_they_are_sent(
    server: Any, wire_to_aws: S3Store, verifying: Make, monkeypatch: Any, bucket: str, key: str, token: str | None
) -> None:
    if token:
        monkeypatch.setenv("AWS_SESSION_TOKEN", token)
    verifying("us-east-1", "s3")
    wire_to_aws.put_bytes(f"s3://{bucket}/{key}", b"content")
    sent = server.requests[0][2]
    assert sent.get("X-Amz-Security-Token") == token
    assert sent["Host"] == ("bucket.s3.us-east-1.amazonaws.com" if bucket == "bucket" else "s3.us-east-1.amazonaws.com")


@pytest.mark.parametrize("key", ODD_KEYS[:-1], ids=repr)
def test_odd_prefixes_are_signed_as_they_are_sent(
    server: Any, wire_to_aws: S3Store, verifying: Make, reply: Make, key: str
) -> None:
    verifying("us-east-1", "s3")
    with pytest.raises(StoreError, match="not S3's"):  # the signature was right: it came to reading the answer
        list(wire_to_aws.list(f"s3://bucket/{key}"))
    assert len(server.requests) == 1


def test_the_calls_of_the_worker_are_signed_as_they_are_sent(
    source: DataPipelineSource, verifying: Make, monkeypatch: Any
) -> None:
    verifying("us-east-1", "datapipeline")
    assert source.heartbeat() is False


@pytest.fixture
def wire_to_aws(server: Any, relay: Make, connect_proxy: Make) -> Any:
    """A store that asks for the names of AWS, which are this server."""
    connect_proxy(relay(server.endpoint).port)
    store = S3Store("us-east-1")
    yield store
    store.close()
