from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from core.errors import DiskFull, NotFound, ParameterError, StagingFailed, StoreError
from core.redaction import REDACTOR
from stores.s3 import S3Store, TransferTotals

ODD_KEYS = [
    "plain",
    "//leading/and//double",
    "trailing//x",
    "a b+c&d=e",
    "ü/…/日本",
    "%41%2F",
    "../up",
    "./here",
    "~!@$^*()_-{}[]|\\:;\"'<>,?#`",
    "tab\there",
]


@pytest.mark.parametrize("key", ODD_KEYS)
def test_keys_are_literal_for_every_operation(
    store: S3Store, s3_client: Any, s3_bucket: str, tmp_path: Path, key: str
) -> None:
    uri = f"s3://{s3_bucket}/{key}"
    store.put_bytes(uri, b"content")
    assert [entry["Key"] for entry in s3_client.list_objects_v2(Bucket=s3_bucket)["Contents"]] == [key]
    assert [found.uri for found in store.list(f"s3://{s3_bucket}/")] == [uri]
    assert store.exists(uri)
    assert store.size(uri) == 7
    store.download_file(uri, tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == b"content"
    store.delete([uri])
    assert not store.exists(uri)


def test_a_directory_goes_up_and_comes_down_the_same(store: S3Store, s3_bucket: str, tmp_path: Path) -> None:
    source = tmp_path / "source"
    (source / "deep" / "er").mkdir(parents=True)
    content = {f"deep/er/{number:03}": os.urandom(number * 100) for number in range(40)} | {"empty": b"", "ü b": b"x"}
    for name, data in content.items():
        (source / name).write_bytes(data)
    uri = f"s3://{s3_bucket}/some/dir"
    total = TransferTotals(len(content), sum(map(len, content.values())))
    assert store.upload_directory(source, uri) == total
    store.put_bytes(f"{uri}2/other", b"neighbour")
    assert store.download_prefix(uri, tmp_path / "target") == total
    found = {
        path.relative_to(tmp_path / "target").as_posix(): path.read_bytes()
        for path in (tmp_path / "target").rglob("*")
        if path.is_file()
    }
    assert found == content


def test_a_file_of_many_parts_arrives_exactly(
    store: S3Store, s3_client: Any, s3_bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stores.s3.uploads.PART", 5 * 1024 * 1024)
    monkeypatch.setattr("stores.s3.downloads.RANGE", 3 * 1024 * 1024)
    (tmp_path / "big").write_bytes(content := os.urandom(12 * 1024 * 1024 + 17))
    uri = f"s3://{s3_bucket}/big"
    store.upload_file(tmp_path / "big", uri)
    assert s3_client.get_object(Bucket=s3_bucket, Key="big")["Body"].read() == content
    assert s3_client.head_object(Bucket=s3_bucket, Key="big")["ETag"].endswith('-3"')
    store.download_file(uri, tmp_path / "back")
    assert (tmp_path / "back").read_bytes() == content


@pytest.mark.parametrize(("sse", "expected"), [(True, "AES256"), (False, None)])
def test_uploads_ask_for_encryption_unless_told_otherwise(
    store: S3Store, s3_client: Any, s3_bucket: str, tmp_path: Path, sse: bool, expected: str | None
) -> None:
    (tmp_path / "file").write_bytes(b"x")
    store.upload_file(tmp_path / "file", f"s3://{s3_bucket}/file", sse=sse)
    store.put_bytes(f"s3://{s3_bucket}/bytes", b"x", sse=sse)
    with store.open_writer(f"s3://{s3_bucket}/stream", sse=sse) as writer:
        for _ in range(9):
            writer.write(bytes(1024 * 1024))
    for key in ("file", "bytes", "stream"):
        assert s3_client.head_object(Bucket=s3_bucket, Key=key).get("ServerSideEncryption") == expected


def test_the_content_type_is_kept(store: S3Store, s3_client: Any, s3_bucket: str) -> None:
    store.put_bytes(f"s3://{s3_bucket}/page", b"{}", content_type="application/json")
    assert s3_client.head_object(Bucket=s3_bucket, Key="page")["ContentType"] == "application/json"


@pytest.mark.parametrize("size", [0, 1, 8 * 1024 * 1024, 20 * 1024 * 1024 + 3])
def test_a_stream_is_written_and_read_back(store: S3Store, s3_bucket: str, size: int) -> None:
    uri, content = f"s3://{s3_bucket}/stream", os.urandom(size)
    with store.open_writer(uri) as writer:
        for start in range(0, size, 700_001):
            writer.write(memoryview(content)[start : start + 700_001])
    with store.open_reader(uri) as reader:
        assert reader.read() == content


def test_a_stream_that_fails_leaves_no_object_and_no_parts(store: S3Store, s3_client: Any, s3_bucket: str) -> None:
    def write_and_fail() -> None:
        with store.open_writer(f"s3://{s3_bucket}/stream") as writer:
            writer.write(bytes(9 * 1024 * 1024))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write_and_fail()
    assert list(store.list(f"s3://{s3_bucket}/")) == []
    assert not s3_client.list_multipart_uploads(Bucket=s3_bucket).get("Uploads")


def test_a_small_object_is_read_only_up_to_the_limit(store: S3Store, s3_bucket: str) -> None:
    store.put_bytes(f"s3://{s3_bucket}/o", b"12345")
    assert store.get_bytes(f"s3://{s3_bucket}/o", limit=5) == b"12345"
    with pytest.raises(StoreError, match="larger than the 4 bytes"):
        store.get_bytes(f"s3://{s3_bucket}/o", limit=4)


def test_what_is_missing_is_named(store: S3Store, s3_bucket: str, tmp_path: Path) -> None:
    for missing in (f"s3://{s3_bucket}/nothing", "s3://no-such-bucket-anywhere/x"):
        for attempt in (
            lambda uri: store.download_file(uri, tmp_path / "x"),
            lambda uri: store.get_bytes(uri, 10),
            lambda uri: store.download_prefix(uri, tmp_path / "y"),
        ):
            with pytest.raises(NotFound) as caught:
                attempt(missing)
            assert missing.rstrip("/") in str(caught.value)
    with pytest.raises(NotFound, match="no-such-bucket-anywhere"):
        store.put_bytes("s3://no-such-bucket-anywhere/x", b"")
    assert list(tmp_path.iterdir()) == []


def test_a_bucket_name_that_cannot_be_is_refused(store: S3Store) -> None:
    with pytest.raises(ParameterError):
        store.size("s3://no bucket/x")


def test_objects_are_listed_in_order_and_deleted_in_batches(
    store: S3Store, s3_bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stores.s3.store._DELETE_BATCH", 2)
    uris = [f"s3://{s3_bucket}/many/{number:04}" for number in range(5)]
    for uri in uris:
        store.put_bytes(uri, b"")
    assert [found.uri for found in store.list(f"s3://{s3_bucket}/many/")] == uris
    store.delete([*uris, f"s3://{s3_bucket}/many/was-never-there"])
    assert list(store.list(f"s3://{s3_bucket}/many/")) == []


def test_nothing_is_written_when_the_disk_cannot_hold_it(store: S3Store, s3_bucket: str, tmp_path: Path) -> None:
    store.put_bytes(f"s3://{s3_bucket}/d/o", b"12345")
    free = os.statvfs(tmp_path)
    target = tmp_path / "target"
    with pytest.raises(DiskFull, match="minimum_free_disk"):
        store.download_prefix(f"s3://{s3_bucket}/d", target, reserve=free.f_bavail * free.f_frsize + 10 * 2**30)
    assert list(target.iterdir()) == []


def test_a_file_that_cannot_be_written_or_read_is_named(store: S3Store, s3_bucket: str, tmp_path: Path) -> None:
    store.put_bytes(f"s3://{s3_bucket}/o", b"12345")
    with pytest.raises(StagingFailed, match="nowhere"):
        store.download_file(f"s3://{s3_bucket}/o", tmp_path / "nowhere" / "file")
    with pytest.raises(StagingFailed, match="nothing"):
        store.upload_file(tmp_path / "nothing", f"s3://{s3_bucket}/o")


def test_the_secret_key_is_registered_for_redaction(
    store: S3Store, s3_bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "a-key-nobody-may-see")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "a-token-nobody-may-see")
    S3Store().put_bytes(f"s3://{s3_bucket}/o", b"")
    assert "nobody" not in REDACTOR.redact("a-key-nobody-may-see a-token-nobody-may-see")
