"""Files of S3 and of the machine as the output of a step: named, copied, counted; twice, killed and missing."""

from __future__ import annotations

import gzip
import json
import os
import signal
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from core.errors import NotFound, ObjectReplaced, ParameterError, StagingFailed, UnsupportedValue
from steps_impl.extract.files.flow import FileExtract
from stores.s3 import S3Store, store

#: What text tools like to change, in no encoding at all.
BYTES = b"\xff\xfe\x00a\r\n\xe9\r\n" + bytes(range(256))
TREE = {"a.tsv": b"1\tx\n2\ty\\\nz\n", "deep/b c+%.tsv": b"3\tx", "bytes.bin": BYTES}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    base = tmp_path / "source"
    for name, content in TREE.items():
        (base / name).parent.mkdir(parents=True, exist_ok=True)
        (base / name).write_bytes(content)
    return base


def put_tree(bench: Any, place: str = "in/") -> str:
    for name, content in {**TREE, "_SUCCESS": b"", "deep/": b""}.items():
        bench.put(place + name, content)
    return bench.uri(place)


def content(bench: Any, place: str) -> dict[str, bytes]:
    """What the manifest names, by the files' own names."""
    return {url.split("/part-")[-1].partition("/")[2] or url: bench.get(url) for url in bench.urls(place)}


def test_the_manifest_names_exactly_the_files_with_sizes_and_versions(bench: Any) -> None:
    source, place = put_tree(bench), bench.uri("out/")
    done = bench.run("extract-s3", directory_uri=source, output=place, columns=["id", "t"], input_format="tsv")
    manifest = bench.manifest(place)
    found = {entry["url"]: entry["meta"] for entry in manifest["entries"]}
    assert found == {source + name: {"content_length": len(data)} for name, data in TREE.items()}
    heads = [bench.s3.head_object(Bucket=bench.bucket, Key=url.split("/", 3)[3])["ETag"] for url in bench.urls(place)]
    assert manifest["source"]["etags"] == heads
    assert manifest["schema"]["elements"] == [{"name": "id"}, {"name": "t"}]
    assert (done.rows, done.bytes) == (None, sum(map(len, TREE.values())))
    assert bench.keys("out/") == ["manifest"]


def test_a_copy_has_the_same_bytes_and_a_second_one_takes_its_place(bench: Any) -> None:
    source, place = put_tree(bench), bench.uri("out/")
    for _ in range(2):
        bench.run("extract-s3", directory_uri=source, output=place, copy=True)
        assert content(bench, place) == TREE
        assert len(bench.keys("out/")) == len(TREE) + 1
    bench.run("extract-s3", file_uri=source + "a.tsv", output=place)
    assert bench.keys("out/") == ["manifest"]
    assert bench.urls(place) == [source + "a.tsv"]


def test_local_files_arrive_as_they_are_and_a_second_run_takes_their_place(bench: Any, folder: Path) -> None:
    place = bench.uri("out/")
    for _ in range(2):
        bench.run("extract-local", path=folder, output=place)
        assert content(bench, place) == TREE
        assert len(bench.keys("out/")) == len(TREE) + 1


@pytest.mark.parametrize("step", ["extract-s3", "extract-local"])
def test_files_can_go_to_a_directory_too(bench: Any, folder: Path, tmp_path: Path, step: str) -> None:
    given = {"path": folder} if step == "extract-local" else {"directory_uri": put_tree(bench), "copy": True}
    for _ in range(2):
        bench.run(step, output=str(tmp_path / "out"), **given)
        entries = json.loads((tmp_path / "out/manifest").read_text())["entries"]
        found = {url.partition("/")[2]: (tmp_path / "out" / url).read_bytes() for url in (e["url"] for e in entries)}
        assert found == TREE
        assert len([path for path in (tmp_path / "out").rglob("*") if path.is_file()]) == len(TREE) + 1


def test_rows_are_counted_on_demand_as_the_loading_step_will_read_them(bench: Any) -> None:
    place = bench.uri("out/")
    bench.put("in/a.tsv", b"h\n1\\\n1\n2\n")
    bench.put("in/b.tsv.gz", gzip.compress(b"h\n" + b"x\ty\n" * 500_000 + b"last"))
    counted = {"input_format": "tsv", "count_rows": True, "header": True}
    done = bench.run("extract-s3", directory_uri=bench.uri("in/"), output=place, **counted)
    assert [entry["meta"]["record_count"] for entry in bench.manifest(place)["entries"]] == [2, 500_001]
    assert done.rows == bench.manifest(place)["source"]["rows"] == 500_003


def test_an_extract_is_what_its_manifest_says_with_its_rows(bench: Any, folder: Path) -> None:
    counted = {"input_format": "tsv", "count_rows": True, "pattern": "*.tsv"}
    bench.run("extract-local", path=folder, output=bench.uri("in/"), **counted)
    bench.put("in/left.tsv", b"of somebody\n")
    done = bench.run("extract-s3", directory_uri=bench.uri("in/"), output=bench.uri("out/"))
    assert bench.urls(bench.uri("out/")) == bench.urls(bench.uri("in/"))
    assert (done.rows, bench.manifest(bench.uri("out/"))["source"]["format"]) == (3, "tsv")


def test_a_file_that_the_new_manifest_names_is_never_taken_for_a_leftover(bench: Any, folder: Path) -> None:
    place = bench.uri("out/")
    bench.run("extract-local", path=folder, output=place)
    urls, keys = bench.urls(place), bench.keys("out/")
    bench.run("extract-s3", file_uri=place + "manifest", output=place)
    assert (bench.urls(place), bench.keys("out/")) == (urls, keys)
    bench.run("extract-s3", file_uri=urls[0], output=place)
    assert (bench.urls(place), len(bench.keys("out/"))) == (urls[:1], 2)


def test_a_listing_of_many_pages_is_named_whole(bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "listing", partial(store.listing, page=2))
    keys = [bench.put(f"in/{number:05}", b"") for number in range(7)]
    done = bench.run("extract-s3", directory_uri=bench.uri("in/"), output=bench.uri("out/"))
    assert (bench.urls(bench.uri("out/")), done.details["files"]) == (keys, 7)


def test_no_file_is_a_failure_or_one_empty_file(bench: Any, tmp_path: Path) -> None:
    bench.put("in/_SUCCESS", b"")
    for step, given in (
        ("extract-s3", {"directory_uri": bench.uri("in/")}),
        ("extract-s3", {"file_uri": bench.uri("in/none")}),
        ("extract-local", {"path": tmp_path / "none"}),
    ):
        place = bench.uri("out/")
        with pytest.raises(NotFound, match="--when-missing"):
            bench.run(step, output=place, **given)
        assert bench.keys("out/") == []
        done = bench.run(step, output=place, when_missing="empty", **given)
        [url] = bench.urls(place)
        assert (bench.get(url), done.rows) == (b"", 0)
        bench.s3.delete_object(Bucket=bench.bucket, Key="out/manifest")
        bench.s3.delete_object(Bucket=bench.bucket, Key=url.split("/", 3)[3])
    with pytest.raises(NotFound):
        bench.run("extract-s3", file_uri="s3://no-such-bucket-here/a", output=place, when_missing="empty")


def test_empty_files_are_kept_left_out_or_refused(bench: Any) -> None:
    given = {"directory_uri": bench.uri("in/"), "output": bench.uri("out/")}
    bench.put("in/a", b"")
    bench.put("in/b", b"x")
    assert bench.run("extract-s3", **given).details["files"] == 2
    with pytest.raises(UnsupportedValue, match="in/a is empty"):
        bench.run("extract-s3", **given, empty_files="fail")
    assert len(bench.urls(bench.uri("out/"))) == 2
    done = bench.run("extract-s3", **given, empty_files="skip")
    assert (bench.urls(bench.uri("out/")), done.details["skipped"]) == ([bench.uri("in/b")], 1)


@pytest.mark.parametrize("step", ["extract-s3", "extract-local"])
@pytest.mark.parametrize("change", ["came", "changed", "went"])
def test_a_change_in_between_is_a_failure_and_the_former_manifest_stays(
    bench: Any, folder: Path, monkeypatch: pytest.MonkeyPatch, step: str, change: str
) -> None:
    local = step == "extract-local"
    given: dict[str, Any] = {"path": folder} if local else {"directory_uri": put_tree(bench)}
    place, entries = bench.uri("out/"), FileExtract._entries
    bench.run(step, output=place, **given)
    former = bench.get(place + "manifest")

    def changed(self: FileExtract, *arguments: Any) -> Any:
        name = "new.tsv" if change == "came" else "a.tsv"
        if local:
            (folder / name).unlink() if change == "went" else (folder / name).write_bytes(b"other")
        elif change == "went":
            bench.s3.delete_object(Bucket=bench.bucket, Key=f"in/{name}")
        else:
            bench.put(f"in/{name}", b"other")
        return entries(self, *arguments)

    monkeypatch.setattr(FileExtract, "_entries", changed)
    with pytest.raises(ObjectReplaced, match="came, went or changed"):
        bench.run(step, output=place, **given)
    assert bench.get(place + "manifest") == former
    assert set(bench.urls(place)) <= {bench.uri(key) for key in bench.keys("")} or change == "went"


@pytest.mark.parametrize("moment", ["steps_impl.extract.runs:Run.publish", "steps_impl.extract.runs:remove_former"])
@pytest.mark.parametrize("step", ["extract-s3", "extract-local"])
def test_a_run_that_is_killed_leaves_a_whole_output_and_the_next_one_clears_up(
    bench: Any, folder: Path, step: str, moment: str
) -> None:
    source, place = put_tree(bench), bench.uri("out/")
    words = ["--path", str(folder)] if step == "extract-local" else ["--directory-uri", source, "--copy"]
    given = {"path": folder} if step == "extract-local" else {"directory_uri": source, "copy": True}
    bench.run(step, output=place, **given)
    former = bench.urls(place)
    ended = bench.dying(signal.SIGKILL, moment, step, *words, "--output", place)
    assert ended.returncode == -signal.SIGKILL, ended.stderr
    assert content(bench, place) == TREE
    assert (bench.urls(place) == former) == ("publish" in moment)
    bench.run(step, output=place, **given)
    assert content(bench, place) == TREE
    assert len(bench.keys("out/")) == len(TREE) + 1


def test_a_run_that_is_cancelled_removes_its_files(bench: Any, folder: Path) -> None:
    words = ("extract-local", "--path", str(folder), "--output", bench.uri("out/"))
    ended = bench.dying(signal.SIGTERM, "steps_impl.extract.runs:Run.publish", *words)
    assert (ended.returncode, bench.keys("out/")) == (143, []), ended.stderr


def test_what_cannot_be_taken_is_refused_by_name(bench: Any, folder: Path, tmp_path: Path) -> None:
    place = bench.uri("out/")
    (tmp_path / "secret").write_text("x")
    (folder / "link").symlink_to(tmp_path / "secret")
    with pytest.raises(StagingFailed, match="leads out"):
        bench.run("extract-local", path=folder, output=place)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(UnsupportedValue, match="not a regular file"):
        bench.run("extract-local", path=tmp_path / "pipe", output=place)
    bench.put("in/broken.gz", gzip.compress(b"x\n" * 1000)[:-9])
    with pytest.raises(UnsupportedValue, match="broken"):
        bench.run("extract-s3", directory_uri=bench.uri("in/"), output=place, input_format="tsv", count_rows=True)
    bench.put("bad/../x", b"x")
    with pytest.raises(UnsupportedValue, match="cannot become a file"):
        bench.run("extract-s3", directory_uri=bench.uri("bad/"), output=str(tmp_path / "out"), copy=True)
    with pytest.raises(ParameterError, match="lies in"):
        bench.run("extract-s3", directory_uri=bench.uri("in/"), output=bench.uri("in/out/"))
    with pytest.raises(NotFound):
        bench.run("extract-local", path=tmp_path / "secret", output="s3://no-such-bucket-here/x")
    assert bench.keys("out/") == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"file_uri": "s3://b/a", "directory_uri": "s3://b/"},
        {},
        {"file_uri": "/tmp/a"},
        {"file_uri": "s3://b/a/"},
        {"file_uri": "s3://b/a", "count_rows": True},
    ],
)
def test_parameters_that_do_not_go_together_are_refused(bench: Any, wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        bench.run("extract-s3", output=bench.uri("out/"), **wrong)


def test_a_large_file_is_sent_in_parts_and_arrives_whole(bench: Any, tmp_path: Path) -> None:
    large = tmp_path / "large"
    with large.open("wb") as file:
        file.truncate(40 << 20)
        file.seek(35 << 20)
        file.write(b"middle")
    words = ("extract-local", "--path", str(large), "--output", bench.uri("out/"))
    done = bench.command(*words)
    assert done.returncode == 0, done.stderr
    [url] = bench.urls(bench.uri("out/"))
    assert S3Store().size(url) == 40 << 20
