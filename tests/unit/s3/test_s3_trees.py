from __future__ import annotations

import os
import socket
from pathlib import Path, PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import DiskFull, StagingFailed
from stores.s3 import DirectoryPlan, ObjectInfo, parse_uri, require_room, walk

PREFIX = parse_uri("s3://b/dir/")


def plan(*keys: str, size: int = 1) -> DirectoryPlan:
    made = DirectoryPlan(PREFIX, Path("/stage"))
    for key in keys:
        made.add(ObjectInfo(f"s3://b/{key}", 0 if key.endswith("/") else size))
    return made


def files(made: DirectoryPlan) -> list[str]:
    return [str(item.path) for item in made.downloads]


def test_keys_become_paths_below_the_directory() -> None:
    assert files(plan("dir/a", "dir/b/c d", "dir/ü/…")) == ["/stage/a", "/stage/b/c d", "/stage/ü/…"]


def test_a_marker_makes_an_empty_directory_and_no_file() -> None:
    made = plan("dir/", "dir/empty/")
    assert files(made) == []
    assert PurePosixPath("empty") in made.directories


@pytest.mark.parametrize("key", ["dir/../x", "dir/a/../../x", "dir/..", "dir/a/./b", "dir/a\0b", "dir/" + "n" * 256])
def test_a_key_that_is_no_path_is_refused_by_name(key: str) -> None:
    with pytest.raises(StagingFailed, match="cannot be staged"):
        plan(key)


@given(st.lists(st.text(alphabet=st.sampled_from("a./ \0\\"), max_size=8).map(lambda text: "dir/" + text), max_size=6))
def test_no_key_ever_leaves_the_directory(keys: list[str]) -> None:
    try:
        made = plan(*keys)
    except StagingFailed:
        return
    for path in files(made):
        assert Path(os.path.normpath(path)).is_relative_to("/stage")
    assert len(set(files(made))) == len({key for key in keys if not key.endswith("/")})


@pytest.mark.parametrize(
    "keys", [("dir/a", "dir/a/b"), ("dir/a/b", "dir/a"), ("dir/a", "dir/a/"), ("dir/a//b", "dir/a/b")]
)
def test_keys_that_would_share_a_file_are_refused_by_both_names(keys: tuple[str, str]) -> None:
    with pytest.raises(StagingFailed) as caught:
        plan(*keys)
    assert all(f"s3://b/{key} " in str(caught.value) for key in keys)


def test_a_double_slash_counts_once_when_nothing_is_lost() -> None:
    assert files(plan("dir//a//b")) == ["/stage/a/b"]


def test_a_marker_that_holds_data_is_refused() -> None:
    made = DirectoryPlan(PREFIX, Path("/stage"))
    with pytest.raises(StagingFailed, match="holds data"):
        made.add(ObjectInfo("s3://b/dir/x/", 5))


def test_a_walk_finds_every_file_with_its_key(tmp_path: Path) -> None:
    (tmp_path / "deep" / "er").mkdir(parents=True)
    (tmp_path / "deep" / "er" / "ü b").write_bytes(b"123")
    (tmp_path / "empty").touch()
    (tmp_path / ".hidden").write_bytes(b"1")
    found = {str(upload.location): upload.size for upload in walk(tmp_path, parse_uri("s3://b//out"), sse=True)}
    assert found == {"s3://b//out/deep/er/ü b": 3, "s3://b//out/empty": 0, "s3://b//out/.hidden": 1}


def test_a_link_inside_the_directory_is_followed(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"12345")
    (tmp_path / "link").symlink_to("file")
    assert [upload.size for upload in walk(tmp_path, PREFIX, sse=True)] == [5, 5]


@pytest.mark.parametrize("target", ["/etc/hostname", "../outside", "loop", "nowhere", "directory"])
def test_other_links_are_refused_by_name(tmp_path: Path, target: str) -> None:
    inside = tmp_path / "inside"
    (inside / "directory").mkdir(parents=True)
    (tmp_path / "outside").touch()
    (inside / "loop").symlink_to(target)
    with pytest.raises(StagingFailed, match="loop"):
        list(walk(inside, PREFIX, sse=True))


def test_pipes_and_sockets_are_refused_by_name(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(StagingFailed, match="pipe"):
        list(walk(tmp_path, PREFIX, sse=True))
    (tmp_path / "pipe").unlink()
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "socket"))
        with pytest.raises(StagingFailed, match="socket"):
            list(walk(tmp_path, PREFIX, sse=True))


def test_names_that_cannot_be_keys_are_refused(tmp_path: Path) -> None:
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff")).touch()
    with pytest.raises(StagingFailed, match="not UTF-8"):
        list(walk(tmp_path, PREFIX, sse=True))


def test_a_key_longer_than_s3_allows_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StagingFailed, match="1024 bytes"):
        list(walk(tmp_path, parse_uri("s3://b/" + "x" * 1020), sse=True))


def test_room_is_asked_for_before_anything_is_written(tmp_path: Path) -> None:
    require_room([1000], 1, tmp_path, reserve=0)
    free = os.statvfs(tmp_path)
    with pytest.raises(DiskFull, match=str(tmp_path)):
        require_room([1], 1, tmp_path, reserve=free.f_bavail * free.f_frsize + 10 * 2**30)
    with pytest.raises(DiskFull, match="more files"):
        require_room([], free.f_favail + 2**30, tmp_path, reserve=0)
