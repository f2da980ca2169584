from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agent.staging import StagedNode, stage_in, stage_out
from core.errors import AccessDenied, DiskFull, NotFound, StagingFailed
from stores.s3 import S3Store, TransferTotals


@pytest.fixture
def store(aws_environment: str) -> Iterator[S3Store]:
    made = S3Store(concurrency=8)
    yield made
    made.close()


def into(store: S3Store, *nodes: StagedNode, reserve: int = 0) -> TransferTotals:
    return stage_in(store, nodes, reserve, threading.Event())


def tree(directory: Path) -> dict[str, bytes]:
    return {
        path.relative_to(directory).as_posix(): path.read_bytes() for path in directory.rglob("*") if path.is_file()
    }


def test_a_file_lies_under_its_name_in_the_staging_directory(store: S3Store, s3_bucket: str, tmp_path: Path) -> None:
    store.put_bytes(f"s3://{s3_bucket}/a//b/part 1.csv", b"rows")
    store.put_bytes(f"s3://{s3_bucket}/a//b/part 1.csv.bak", b"other")
    node = StagedNode(f"s3://{s3_bucket}/a//b/part 1.csv", False, tmp_path / "in")
    assert into(store, node) == TransferTotals(1, 4)
    assert tree(tmp_path / "in") == {"part 1.csv": b"rows"}


@pytest.mark.parametrize("slash", ["", "/"])
def test_a_directory_is_staged_without_its_neighbours(
    store: S3Store, s3_bucket: str, tmp_path: Path, slash: str
) -> None:
    for key in ("dir/a", "dir/sub/b", "dir/empty-dir/", "dir/", "dir2/c", "dir.txt"):
        store.put_bytes(f"s3://{s3_bucket}/{key}", b"" if key.endswith("/") else key.encode())
    assert into(store, StagedNode(f"s3://{s3_bucket}/dir{slash}", True, tmp_path)) == TransferTotals(2, 14)
    assert tree(tmp_path) == {"a": b"dir/a", "sub/b": b"dir/sub/b"}
    assert (tmp_path / "empty-dir").is_dir()


def test_a_directory_path_with_a_double_slash_is_taken_literally(
    store: S3Store, s3_bucket: str, tmp_path: Path
) -> None:
    store.put_bytes(f"s3://{s3_bucket}//dir/a", b"double")
    store.put_bytes(f"s3://{s3_bucket}/dir/a", b"single")
    into(store, StagedNode(f"s3://{s3_bucket}//dir", True, tmp_path))
    assert tree(tmp_path) == {"a": b"double"}


def test_several_inputs_are_staged_together(store: S3Store, s3_bucket: str, tmp_path: Path) -> None:
    for number in range(3):
        store.put_bytes(f"s3://{s3_bucket}/in{number}/f", str(number).encode())
    nodes = [StagedNode(f"s3://{s3_bucket}/in{number}", True, tmp_path / str(number)) for number in range(3)]
    assert into(store, *nodes) == TransferTotals(3, 3)
    assert tree(tmp_path) == {"0/f": b"0", "1/f": b"1", "2/f": b"2"}


@pytest.mark.parametrize(("key", "is_directory"), [("nothing", False), ("nothing", True), ("nothing/", True)])
def test_an_input_that_is_not_there_is_named(
    store: S3Store, s3_bucket: str, tmp_path: Path, key: str, is_directory: bool
) -> None:
    with pytest.raises(NotFound, match=f"s3://{s3_bucket}/nothing"):
        into(store, StagedNode(f"s3://{s3_bucket}/{key}", is_directory, tmp_path))


def test_an_input_directory_of_a_marker_alone_is_empty(store: S3Store, s3_bucket: str, tmp_path: Path) -> None:
    store.put_bytes(f"s3://{s3_bucket}/dir/", b"")
    assert into(store, StagedNode(f"s3://{s3_bucket}/dir", True, tmp_path / "in")) == TransferTotals()
    assert list((tmp_path / "in").iterdir()) == []


def test_a_key_that_would_leave_the_directory_stops_everything(
    store: S3Store, s3_client: Any, s3_bucket: str, tmp_path: Path
) -> None:
    store.put_bytes(f"s3://{s3_bucket}/dir/good", b"1")
    store.put_bytes(f"s3://{s3_bucket}/dir/../../evil", b"2")
    with pytest.raises(StagingFailed, match="evil"):
        into(store, StagedNode(f"s3://{s3_bucket}/dir", True, tmp_path / "in"))
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_a_file_path_that_is_a_directory_is_refused(store: S3Store, s3_bucket: str, tmp_path: Path) -> None:
    with pytest.raises(StagingFailed, match="directoryPath"):
        into(store, StagedNode(f"s3://{s3_bucket}/dir/", False, tmp_path))


def test_inputs_that_do_not_fit_are_refused_before_a_byte_is_written(
    store: S3Store, s3_bucket: str, tmp_path: Path
) -> None:
    store.put_bytes(f"s3://{s3_bucket}/dir/a", b"1")
    free = os.statvfs(tmp_path)
    with pytest.raises(DiskFull, match="minimum_free_disk"):
        into(
            store,
            StagedNode(f"s3://{s3_bucket}/dir", True, tmp_path / "in"),
            reserve=free.f_bavail * free.f_frsize + 10 * 2**30,
        )
    assert tree(tmp_path) == {}


def test_a_refused_input_is_typed(
    s3_client: Any, s3_bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    with pytest.raises(AccessDenied, match="no AWS credentials"):
        into(S3Store(), StagedNode(f"s3://{s3_bucket}/dir", True, tmp_path))


def test_outputs_appear_with_their_relative_keys(
    store: S3Store, s3_client: Any, s3_bucket: str, tmp_path: Path
) -> None:
    for number in (1, 2):
        (tmp_path / str(number) / "sub").mkdir(parents=True)
        (tmp_path / str(number) / "sub" / "f").write_bytes(b"x" * number)
        (tmp_path / str(number) / "empty").touch()
    nodes = [
        StagedNode(f"s3://{s3_bucket}//out1/", True, tmp_path / "1"),
        StagedNode(f"s3://{s3_bucket}/out2", True, tmp_path / "2", sse=False),
    ]
    assert stage_out(store, nodes, threading.Event()) == TransferTotals(4, 3)
    found = {entry["Key"]: entry["Size"] for entry in s3_client.list_objects_v2(Bucket=s3_bucket)["Contents"]}
    assert found == {"/out1/empty": 0, "/out1/sub/f": 1, "out2/empty": 0, "out2/sub/f": 2}
    assert s3_client.head_object(Bucket=s3_bucket, Key="/out1/sub/f")["ServerSideEncryption"] == "AES256"
    assert "ServerSideEncryption" not in s3_client.head_object(Bucket=s3_bucket, Key="out2/sub/f")


def test_an_output_that_cannot_be_published_stops_all_before_the_first(
    store: S3Store, s3_bucket: str, tmp_path: Path
) -> None:
    (tmp_path / "a").write_bytes(b"1")
    (tmp_path / "b").symlink_to("/etc/passwd")
    with pytest.raises(StagingFailed, match="b"):
        stage_out(store, [StagedNode(f"s3://{s3_bucket}/out", True, tmp_path)], threading.Event())
    assert list(store.list(f"s3://{s3_bucket}/")) == []


def test_an_output_directory_that_the_command_removed_is_named(store: S3Store, s3_bucket: str, tmp_path: Path) -> None:
    with pytest.raises(StagingFailed, match="gone"):
        stage_out(store, [StagedNode(f"s3://{s3_bucket}/out", True, tmp_path / "gone")], threading.Event())


def test_a_cancelled_staging_moves_nothing(store: S3Store, s3_bucket: str, tmp_path: Path) -> None:
    store.put_bytes(f"s3://{s3_bucket}/dir/a", b"1")
    cancelled = threading.Event()
    cancelled.set()
    with pytest.raises(InterruptedError):
        stage_in(store, [StagedNode(f"s3://{s3_bucket}/dir", True, tmp_path)], 0, cancelled)
    assert tree(tmp_path) == {}
    (tmp_path / "out").write_bytes(b"1")
    with pytest.raises(InterruptedError):
        stage_out(store, [StagedNode(f"s3://{s3_bucket}/out", True, tmp_path)], cancelled)
    assert [found.uri for found in store.list(f"s3://{s3_bucket}/out")] == []
