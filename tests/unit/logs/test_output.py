"""No secret passes from a child's pipe to a file, wherever the chunks are cut."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from agent import log
from agent.logs.output import TAIL_LIMIT, OutputFile
from agent.logs.redactor import StreamRedactor
from core.errors import DiskFull
from core.redaction import Matcher

SECRETS = ["hunter2-hunter2", "hunter2", "päßwörd-ü"]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 16, 1000])
def test_secrets_are_removed_across_chunk_borders(size):
    text = "a hunter2-hunter2 b hunter2 c hunter päßwörd-ü d hunter2-hunter".encode()
    redactor = StreamRedactor(Matcher(SECRETS))
    out = b"".join(redactor.feed(text[at : at + size]) for at in range(0, len(text), size)) + redactor.finish()
    shown = out.decode()
    assert "hunter2" not in shown
    assert "päßwörd" not in shown
    assert shown.startswith("a [redacted] b [redacted] c hunter [redacted] d [redacted]-hunter")


@pytest.mark.parametrize("size", [1, 2, 3, 100])
def test_the_rest_of_a_longer_secret_does_not_follow_a_shorter_one(size):
    redactor = StreamRedactor(Matcher(["abcdef", "abcdefXYZ123"]))
    text = b"abcdefXYZ123 abcdefXYZ"
    out = b"".join(redactor.feed(text[at : at + size]) for at in range(0, len(text), size)) + redactor.finish()
    assert out == b"[redacted] [redacted]XYZ"


def test_what_cannot_be_a_secret_is_not_held_back():
    assert StreamRedactor(Matcher(SECRETS)).feed(b"progress 50%") == b"progress 50%"


def test_without_secrets_bytes_pass_unchanged(tmp_path):
    data = os.urandom(200_000)
    file = OutputFile(tmp_path / "out", Matcher())
    file.feed(data)
    file.close()
    assert file.path.read_bytes() == data


def test_the_tail_is_the_last_whole_lines(tmp_path):
    file = OutputFile(tmp_path / "out", Matcher())
    for number in range(2000):
        file.feed(f"line {number}\n".encode())
    file.close()
    assert file.tail().endswith("line 1998\nline 1999")
    assert file.tail().startswith("line ")
    assert len(file.tail()) <= TAIL_LIMIT


def test_a_full_disk_is_named(tmp_path):
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full here")
    full = tmp_path / "full"
    full.symlink_to("/dev/full")
    file = OutputFile(full, Matcher())
    with pytest.raises(DiskFull, match="no space left"):
        file.feed(b"x")
    file.close()


def test_of_too_much_output_the_beginning_and_the_last_lines_are_kept(tmp_path):
    file = OutputFile(tmp_path / "out", Matcher(), limit=100)
    for number in range(2000):
        file.feed(f"line {number}\n".encode())
    file.close()
    text = file.path.read_text()
    assert text.startswith("line 0\n")
    assert text.endswith("line 1999\n")
    assert "beyond logging.attempt_limit" in text
    assert "bytes are left out here" in text
    assert len(text) < 5000


def test_the_agents_lines_are_no_reason_to_stop_when_neither_disk_nor_stdout_take_them(tmp_path, monkeypatch):
    class Full:
        def write(self, text):
            raise OSError(28, "No space left on device")

        flush = write

    monkeypatch.setattr("sys.stdout", Full())
    monkeypatch.setattr("sys.stderr", Full())
    (tmp_path / "logs").write_text("a file where the directory should be")
    before = list(log._LOGGER.handlers)
    try:
        log.set_up(tmp_path / "logs", "INFO")
        log.event("agent_started")
    finally:
        log._LOGGER.handlers = before


def test_what_goes_on_beyond_the_limit_does_not_grow_any_more(tmp_path):
    sizes = []
    for number in range(5):
        file = OutputFile(tmp_path / "out", Matcher(), limit=100, go_on=True)
        file.feed(b"x" * 60 + b"\n")
        file.feed(f"evaluation {number}\n".encode())
        file.close()
        assert file.tail().endswith(f"evaluation {number}")
        sizes.append((tmp_path / "out").stat().st_size)
    assert sizes[0] < sizes[1]
    assert len(set(sizes[2:])) == 1


def test_a_file_that_goes_on_tells_where_it_began(tmp_path):
    for begin, fresh in ((0, True), (4, False)):
        file = OutputFile(tmp_path / "out", Matcher(), go_on=True)
        file.feed(b"one\n")
        file.close()
        assert (file.begin, file.fresh, file.size) == (begin, fresh, begin + 4)


def test_what_may_begin_a_secret_is_in_the_tail_once_its_writer_has_ended(tmp_path):
    file = OutputFile(tmp_path / "out", Matcher(["terrible-secret"]))
    file.feed(b"last")
    assert file.tail() == "las"
    file.settle()
    assert file.tail() == "last"
    file.feed(b" words")
    file.close()
    assert (tmp_path / "out").read_bytes() == b"last words"
