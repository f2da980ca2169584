from __future__ import annotations

import errno
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from core.errors import AccessDenied, DiskFull, NotFound, StoreError, StoreUnreachable
from stores.s3 import Download, S3Store, Upload, parse_uri

Reply = Callable[..., Any]
URI = "s3://bucket/key"


@pytest.fixture(autouse=True)
def _quick_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stores.s3.wire.BACKOFF", (0.01, 0.01, 0.01, 0.01))


@pytest.fixture
def store(faulty_server: Any) -> S3Store:
    return S3Store("us-east-1", faulty_server.endpoint)


def download(store: S3Store, path: Path, size: int, cancelled: threading.Event | None = None) -> None:
    store.download_many([Download(parse_uri(URI), path, size)], cancelled)


def test_a_server_that_recovers_is_asked_again(
    store: S3Store, faulty_server: Any, reply: Reply, tmp_path: Path
) -> None:
    faulty_server.answers = [reply(500), reply(503, b"<Error><Code>SlowDown</Code></Error>"), reply(200, b"12345")]
    download(store, tmp_path / "f", 5)
    assert (tmp_path / "f").read_bytes() == b"12345"


def test_a_server_that_does_not_recover_is_reported_and_leaves_no_file(
    store: S3Store, faulty_server: Any, tmp_path: Path
) -> None:
    with pytest.raises(StoreUnreachable, match="s3://bucket/key"):
        download(store, tmp_path / "f", 5)
    assert len(faulty_server.requests) == 5
    assert list(tmp_path.iterdir()) == []


def test_a_broken_download_is_never_taken_for_a_whole_file(
    store: S3Store, faulty_server: Any, reply: Reply, tmp_path: Path
) -> None:
    faulty_server.answers = [reply(200, b"123456789", announced=20), reply(200, b"abc")]
    download(store, tmp_path / "f", 20)
    assert (tmp_path / "f").read_bytes() == b"abc"


def test_a_broken_range_goes_on_where_it_was_with_the_same_version(
    store: S3Store, faulty_server: Any, reply: Reply, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stores.s3.downloads.RANGE", 9)
    faulty_server.answers = [
        reply(200, announced=10, headers={"ETag": '"v1"', "Last-Modified": "Wed, 21 Oct 2015 07:28:00 GMT"}),
    ]

    def answer(handler: Any) -> None:
        first, last = map(int, handler.headers["Range"].removeprefix("bytes=").split("-"))
        content = b"0123456789"[first : last + 1]
        found = {"Content-Range": f"bytes {first}-{last}/10", "ETag": '"v1"'}
        reply(206, content[:4], announced=len(content), headers=found)(handler)

    faulty_server.otherwise = answer
    download(store, tmp_path / "f", 10)
    assert (tmp_path / "f").read_bytes() == b"0123456789"
    ranged = [headers for _, _, headers in faulty_server.requests if "Range" in headers]
    assert {"bytes=0-8", "bytes=4-8", "bytes=8-8", "bytes=9-9"} == {headers["Range"] for headers in ranged}
    assert {headers["If-Match"] for headers in ranged} == {'"v1"'}


def test_a_server_that_ignores_ranges_is_an_error_and_not_a_wrong_file(
    store: S3Store, faulty_server: Any, reply: Reply, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stores.s3.downloads.RANGE", 4)
    faulty_server.answers = [reply(200, announced=10, headers={"ETag": '"v1"'})]
    faulty_server.otherwise = reply(200, b"0123456789")
    with pytest.raises(StoreError, match="ignores Range"):
        download(store, tmp_path / "f", 10)
    assert list(tmp_path.iterdir()) == []


def test_a_reader_goes_on_after_a_broken_connection(store: S3Store, faulty_server: Any, reply: Reply) -> None:
    faulty_server.answers = [
        reply(200, b"01234", announced=10, headers={"ETag": '"v1"'}),
        reply(206, b"56789", headers={"ETag": '"v1"', "Content-Range": "bytes 5-9/10"}),
    ]
    with store.open_reader(URI) as reader:
        assert reader.read() == b"0123456789"
    assert faulty_server.requests[1][2]["Range"] == "bytes=5-"
    assert faulty_server.requests[1][2]["If-Match"] == '"v1"'


@pytest.mark.parametrize(
    ("status", "body", "expected", "words"),
    [
        (403, b"<Error><Code>AccessDenied</Code></Error>", AccessDenied, "AccessDenied"),
        (403, b"<Error><Code>RequestTimeTooSkewed</Code></Error>", AccessDenied, "clock"),
        (400, b"<Error><Code>ExpiredToken</Code></Error>", AccessDenied, "ExpiredToken"),
        (404, b"<Error><Code>NoSuchBucket</Code></Error>", NotFound, "'bucket'"),
        (404, b"", NotFound, "does not exist"),
        (412, b"", StoreError, "replaced"),
        (400, b"<Error><Code>BadDigest</Code></Error>", StoreError, "BadDigest"),
    ],
)
def test_a_refusal_is_typed_named_and_not_tried_again(
    store: S3Store, faulty_server: Any, reply: Reply, status: int, body: bytes, expected: type[Exception], words: str
) -> None:
    faulty_server.otherwise = reply(status, body)
    with pytest.raises(expected) as caught:
        store.put_bytes(URI, b"data")
    assert words in str(caught.value)
    assert "s3://bucket/key" in str(caught.value)
    assert len(faulty_server.requests) == 1


def test_an_upload_that_is_refused_early_tells_why(
    store: S3Store, faulty_server: Any, reply: Reply, tmp_path: Path
) -> None:
    (tmp_path / "f").write_bytes(bytes(20 * 1024 * 1024))
    faulty_server.otherwise = reply(403, b"<Error><Code>AccessDenied</Code></Error>")
    with pytest.raises(AccessDenied):
        store.upload_file(tmp_path / "f", URI)


def test_no_server_at_all_is_reported_with_the_endpoint(aws_environment: str, tmp_path: Path) -> None:
    store = S3Store("us-east-1", "http://127.0.0.1:9")
    with pytest.raises(StoreUnreachable, match=r"http://127\.0\.0\.1:9 .*Connection refused"):
        store.put_bytes(URI, b"")


def test_without_credentials_the_error_says_so(monkeypatch: pytest.MonkeyPatch, aws_environment: str) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    with pytest.raises(AccessDenied, match="no AWS credentials"):
        S3Store("us-east-1", aws_environment).put_bytes(URI, b"")


def test_a_bucket_in_another_region_is_asked_there(store: S3Store, faulty_server: Any, reply: Reply) -> None:
    faulty_server.answers = [
        reply(301, b"<Error><Code>PermanentRedirect</Code></Error>", headers={"x-amz-bucket-region": "eu-west-1"}),
        reply(200),
    ]
    store.put_bytes(URI, b"data")
    assert "/eu-west-1/s3/" in faulty_server.requests[1][2]["Authorization"]


def test_the_checksum_and_the_length_go_with_the_data(store: S3Store, faulty_server: Any, reply: Reply) -> None:
    faulty_server.otherwise = reply(200)
    store.put_bytes(URI, b"123456789")
    headers = {name.lower(): value for name, value in faulty_server.requests[0][2].items()}
    assert headers["x-amz-checksum-crc32"] == "y/Q5Jg=="  # the CRC-32 check value of "123456789"
    assert headers["content-length"] == "9"
    assert faulty_server.bodies == [b"123456789"]


def test_a_connection_is_used_again_and_a_closed_one_is_not(store: S3Store, faulty_server: Any, reply: Reply) -> None:
    peers: list[Any] = []

    def answer(handler: Any) -> None:
        peers.append(handler.client_address)
        reply(200)(handler)
        handler.close_connection = len(peers) == 2  # closes although keep-alive was promised

    faulty_server.otherwise = answer
    for _ in range(3):
        store.put_bytes(URI, b"data")
    assert peers[0] == peers[1] != peers[2]


@pytest.mark.parametrize("direction", ["down", "up"])
def test_a_cancel_ends_a_transfer_that_waits_for_a_silent_server_and_leaves_nothing(
    store: S3Store, faulty_server: Any, tmp_path: Path, direction: str
) -> None:
    release, cancelled = threading.Event(), threading.Event()
    faulty_server.otherwise = lambda handler: release.wait(200)
    (tmp_path / "source").write_bytes(b"x")
    transfer = {
        "down": lambda: download(store, tmp_path / "f", 5, cancelled),
        "up": lambda: store.upload_many([Upload(tmp_path / "source", parse_uri(URI), 1, True)], cancelled),
    }[direction]
    canceller = threading.Thread(target=lambda: (faulty_server.reached.wait(30), cancelled.set()))
    canceller.start()
    with pytest.raises(InterruptedError):
        transfer()
    canceller.join()
    release.set()
    assert [path.name for path in tmp_path.iterdir()] == ["source"]
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("s3_")]


def test_a_disk_that_fills_on_the_way_is_named_and_left_clean(
    store: S3Store, faulty_server: Any, reply: Reply, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    faulty_server.otherwise = reply(200, b"12345")

    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("os.pwrite", full)
    with pytest.raises(DiskFull, match=str(tmp_path / "f")):
        download(store, tmp_path / "f", 5)
    assert list(tmp_path.iterdir()) == []
