"""Models published in S3: whole for every reader, once for the same content, with a way back."""

from __future__ import annotations

import hashlib
import json
import signal
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from core.errors import NotFound, ParameterError, StoreError, UnsupportedValue
from steps_impl.load.versions import shelf
from steps_impl.load.versions.pointer import PointerFile

ONE, TWO, THREE = b"\x00one\xff", b"two" * 1000, b""


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "model.bin"
    path.write_bytes(ONE)
    return path


def pointer(bench: Any, name: str = "current.json") -> dict[str, Any]:
    return json.loads(bench.get(bench.uri(f"m/{name}")))


def read(bench: Any) -> dict[str, bytes]:
    """What a reader gets who follows the pointer."""
    return {file["name"]: bench.get(file["url"]) for file in pointer(bench)["current"]["files"]}


def publish(bench: Any, path: Path, content: bytes | None = None, **parameters: Any) -> Any:
    if content is not None:
        path.write_bytes(content)
    return bench.run("load-s3", path=str(path), target=bench.uri("m"), **parameters).details


def test_a_reader_who_follows_the_pointer_gets_the_model_and_its_sum(bench: Any, model: Path, tmp_path: Path) -> None:
    done = bench.run("load-s3", path=str(model), target=bench.uri("m/"))
    current = pointer(bench)["current"]
    sha256 = hashlib.sha256(ONE).hexdigest()
    assert read(bench) == {"model.bin": ONE}
    assert (current["sha256"], current["bytes"], done.bytes) == (sha256, len(ONE), len(ONE))
    assert bench.get(current["files"][0]["url"] + ".sha256") == f"{sha256}  model.bin\n".encode()
    assert done.details["version"] == current["version"]


def test_a_directory_is_published_whole_with_sums_that_the_tool_checks(bench: Any, tmp_path: Path) -> None:
    files = {"weights/a b.bin": ONE, "vocabulary.txt": TWO, ".hidden": THREE}
    for name, content in files.items():
        (tmp_path / "model" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "model" / name).write_bytes(content)
    publish(bench, tmp_path / "model")
    assert read(bench) == files
    version = pointer(bench)["current"]["version"]
    (tmp_path / "model/SHA256SUMS").write_bytes(bench.get(bench.uri(f"m/versions/{version}/SHA256SUMS")))
    subprocess.run(["sha256sum", "--check", "--strict", "SHA256SUMS"], cwd=tmp_path / "model", check=True)
    bench.run("load-s3", path=bench.uri(f"m/versions/{version}/weights/"), target=bench.uri("copy"))
    assert json.loads(bench.get(bench.uri("copy/current.json")))["current"]["files"][0]["name"] == "a b.bin"


def test_the_same_content_again_changes_nothing(bench: Any, model: Path) -> None:
    assert publish(bench, model)["changed"]
    former = {key: bench.get(bench.uri(key)) for key in bench.keys("")}
    assert not publish(bench, model)["changed"]
    assert {key: bench.get(bench.uri(key)) for key in bench.keys("")} == former


def test_a_version_that_is_kept_is_pointed_to_and_not_sent_again(bench: Any, model: Path) -> None:
    first = publish(bench, model, ONE)["version"]
    publish(bench, model, TWO)
    keys = bench.keys("m/versions/")
    assert publish(bench, model, ONE)["version"] == first
    assert bench.keys("m/versions/") == keys
    assert read(bench) == {"model.bin": ONE}


def test_going_back_takes_a_name_or_a_sum_and_may_be_done_twice(bench: Any, model: Path) -> None:
    first, second = publish(bench, model, ONE)["version"], publish(bench, model, TWO)["sha256"]
    for _ in range(2):
        bench.run("load-s3", target=bench.uri("m"), rollback_to=first)
        assert read(bench) == {"model.bin": ONE}
    bench.run("load-s3", target=bench.uri("m"), rollback_to=second)
    assert read(bench) == {"model.bin": TWO}
    with pytest.raises(NotFound, match=first):
        bench.run("load-s3", target=bench.uri("m"), rollback_to="never")


def test_old_versions_go_and_the_current_one_never(bench: Any, model: Path) -> None:
    names = [publish(bench, model, b"%d" % number, keep=2)["version"] for number in range(4)]
    assert {key.partition("/")[0] for key in bench.keys("m/versions/")} == set(names[2:])
    bench.run("load-s3", target=bench.uri("m"), rollback_to=names[2], keep=2)
    done = publish(bench, model, b"new", keep=1)
    assert done["removed_versions"] == [names[3], names[2]] or set(done["removed_versions"]) == {names[2], names[3]}
    assert read(bench) == {"model.bin": b"new"}


def test_publishers_at_the_same_time_take_turns(bench: Any, tmp_path: Path) -> None:
    contents = [b"model %d" % number for number in range(6)]

    def one(number: int) -> str:
        path = tmp_path / f"{number}" / "model.bin"
        path.parent.mkdir()
        return str(publish(bench, path, contents[number], keep=10)["version"])

    with ThreadPoolExecutor(6) as pool:
        made = list(pool.map(one, range(6)))
    found = pointer(bench)
    assert {version["version"] for version in found["versions"]} == set(made)
    assert {bench.get(version["files"][0]["url"]) for version in found["versions"]} == set(contents)
    assert {key.partition("/")[0] for key in bench.keys("m/versions/")} == set(made)


def test_an_answer_that_is_lost_after_the_pointer_was_moved_is_no_failure(
    bench: Any, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    replace = PointerFile.replace

    def twice(self: PointerFile, *arguments: Any) -> None:
        replace(self, *arguments)
        replace(self, *arguments)  # as a client does whose first request was answered to nobody

    monkeypatch.setattr(PointerFile, "replace", twice)
    publish(bench, model)
    assert read(bench) == {"model.bin": ONE}
    assert len(bench.keys("m/versions/")) == 2


@pytest.mark.parametrize(
    "moment",
    [
        "steps_impl.load.versions.shelf:Shelf.demand",
        "steps_impl.load.versions.pointer:PointerFile.replace",
        "steps_impl.load.versions.publication:Publication._tidy",
    ],
)
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_publisher_that_dies_leaves_one_whole_version_to_readers(
    bench: Any, model: Path, number: signal.Signals, moment: str
) -> None:
    publish(bench, model, ONE)
    model.write_bytes(TWO)
    words = ("load-s3", "--path", str(model), "--target", bench.uri("m"))
    ended = bench.dying(number, moment, *words)
    assert ended.returncode in (-signal.SIGKILL, 143, 0), ended.stderr
    assert read(bench) == {"model.bin": TWO if "_tidy" in moment or ended.returncode == 0 else ONE}
    if ended.returncode == 143:
        assert len(bench.keys("m/versions/")) == 2
    publish(bench, model)
    assert read(bench) == {"model.bin": TWO}


def test_what_a_killed_publisher_left_goes_after_a_day(
    bench: Any, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("20240101T000000Z-0123456789ab-00000000", "29990101T000000Z-0123456789ab-00000000", "of-somebody"):
        bench.put(f"m/versions/{name}/model.bin", b"half")
    done = publish(bench, model)
    assert done["removed_versions"] == ["20240101T000000Z-0123456789ab-00000000"]
    assert {key.partition("/")[0] for key in bench.keys("m/versions/")} == {
        "29990101T000000Z-0123456789ab-00000000",
        "of-somebody",
        done["version"],
    }


def test_what_arrives_otherwise_than_it_was_read_is_not_published(
    bench: Any, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(bench, model, ONE)
    former = bench.keys("")
    put = shelf.Shelf.put

    def changed(self: Any, source: Any, content: Any) -> Any:
        model.write_bytes(b"\x00onE\xff")
        return put(self, source, content)

    monkeypatch.setattr(shelf.Shelf, "put", changed)
    with pytest.raises(StoreError, match="changed in between"):
        publish(bench, model, b"\x00onX\xff")
    assert bench.keys("") == former
    assert read(bench) == {"model.bin": ONE}


def test_a_version_that_has_lost_a_file_is_neither_gone_back_to_nor_pointed_to_again(bench: Any, model: Path) -> None:
    first = publish(bench, model, ONE)
    publish(bench, model, TWO)
    bench.s3.delete_object(Bucket=bench.bucket, Key=f"m/versions/{first['version']}/model.bin")
    with pytest.raises(StoreError, match="not there as it was published"):
        bench.run("load-s3", target=bench.uri("m"), rollback_to=first["version"])
    assert read(bench) == {"model.bin": TWO}
    assert publish(bench, model, ONE)["version"] != first["version"]
    assert read(bench) == {"model.bin": ONE}


def test_what_cannot_be_published_is_refused(bench: Any, model: Path, tmp_path: Path) -> None:
    (tmp_path / "none").mkdir()
    (tmp_path / "sums").mkdir()
    (tmp_path / "sums/SHA256SUMS").write_text("x")
    for path, error in (("none", NotFound), ("absent", NotFound), ("sums", ParameterError)):
        with pytest.raises(error):
            publish(bench, tmp_path / path)
    with pytest.raises(ParameterError, match="--path"):
        bench.run("load-s3", target=bench.uri("m"))
    with pytest.raises(NotFound):
        bench.run("load-s3", path=str(model), target="s3://no-such-bucket-here/m")
    bench.put("m/current.json", b"{}")
    with pytest.raises(UnsupportedValue, match="is no pointer"):
        publish(bench, model)
    assert bench.keys("m/versions/") == []
    for wrong in ({"target": "/tmp/x"}, {"keep": 0}, {"pointer": "a/b"}, {"path": "x", "rollback_to": "y"}):
        with pytest.raises(ValidationError):
            bench.run("load-s3", **{"target": bench.uri("m"), **wrong})


def test_the_command_takes_the_staged_input(bench: Any, model: Path, tmp_path: Path) -> None:
    bench.extra = {"INPUT1_STAGING_DIR": str(model)}
    done = bench.command("load-s3", "--target", bench.uri("m"), "--pointer", "latest.json")
    assert done.returncode == 0, done.stderr
    assert pointer(bench, "latest.json")["current"]["version"] == json.loads(done.stdout)["details"]["version"]
