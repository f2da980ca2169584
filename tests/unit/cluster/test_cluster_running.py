"""Running programs for an activity: their output, what is left when all goes well and when it does not."""

from __future__ import annotations

import errno
import io
import os
from pathlib import Path

import pytest

from core.errors import CommandFailed, CommandKilled, DiskFull
from steps_impl.activities.cluster import Cluster, open_cluster
from steps_impl.activities.cluster.output import Copier
from steps_impl.contract import RESULT_VARIABLE, StepContext
from steps_impl.progress import ProgressReporter


@pytest.fixture
def context(tmp_path: Path) -> StepContext:
    """A step of an attempt whose folder is ``tmp_path``."""
    environment = {"PATH": os.environ["PATH"], RESULT_VARIABLE: str(tmp_path / "result.json")}
    return StepContext(ProgressReporter("emr-activity", io.StringIO(), None), environment=environment)


class Full(io.BytesIO):
    """Takes nothing."""

    def write(self, _: object) -> int:
        raise OSError(errno.EPIPE, os.strerror(errno.EPIPE))


def copied(data: bytes, target: io.BytesIO) -> list[str]:
    reading, writing = os.pipe()
    lines: list[str] = []
    copier = Copier(os.fdopen(reading, "rb"), target, lines.append)
    with os.fdopen(writing, "wb") as pipe:
        pipe.write(data)
    copier.finish()
    return lines


def test_output_is_copied_byte_by_byte_and_read_line_by_line() -> None:
    target = io.BytesIO()
    data = b"one\ntw\xff\n" + b"x" * 100_000 + b"\nlast"
    lines = copied(data, target)
    assert target.getvalue() == data
    assert (lines[0], lines[1], lines[-1]) == ("one", "tw\ufffd", "last")
    assert 0 < len(lines[2]) < 100_000


def test_a_program_is_not_held_up_by_output_that_nobody_takes() -> None:
    assert len(copied(b"line\n" * 100_000, Full())) == 100_000


def test_a_program_sees_the_attempts_environment_but_not_its_result(
    context: StepContext, tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    with open_cluster("Work", context, needs=None) as cluster:
        cluster.run(["sh", "-c", f'echo "${{{RESULT_VARIABLE}-none}}"; test -d "$TMPDIR" && touch here'], "the program")
        assert (cluster.work / "here").exists()
        assert cluster.work.parent == tmp_path
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("script", "error", "words"),
    [
        ("exit 3", CommandFailed, "Work: the program ended with exit status 3"),
        ("kill -9 $$", CommandKilled, "Work: the program was killed by signal 9"),
    ],
)
def test_how_a_program_ended_is_told(context: StepContext, script: str, error: type[Exception], words: str) -> None:
    with open_cluster("Work", context, needs=None) as cluster, pytest.raises(error, match=words):
        cluster.run(["sh", "-c", script], "the program")


def test_a_full_disk_is_named_and_nothing_is_left(context: StepContext, tmp_path: Path) -> None:
    with pytest.raises(DiskFull, match="Work: no space left"), open_cluster("Work", context, needs=None):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("fails", "times"), [(False, 1), (True, 2)])
def test_applications_are_ended_before_the_work_and_after_a_failure(
    context: StepContext, monkeypatch: pytest.MonkeyPatch, fails: bool, times: int
) -> None:
    ended: list[str] = []
    monkeypatch.setattr(Cluster, "end_applications", lambda self: ended.append(self.tag))
    try:
        with open_cluster("Work", context, needs=None) as cluster:
            cluster.run(["false" if fails else "true"], "the program")
    except CommandFailed:
        assert fails
    assert len(ended) == times
