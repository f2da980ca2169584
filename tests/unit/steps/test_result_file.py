"""The result file is written by whatever command runs: nothing in its place can harm the reader."""

from __future__ import annotations

import os
import socket

import pytest

from steps_impl.contract import read_result, write_result


def test_what_was_written_is_read(tmp_path):
    write_result(tmp_path / "result.json", {"status": "finished", "rows": 7})
    assert read_result(tmp_path / "result.json") == {"status": "finished", "rows": 7}


@pytest.mark.parametrize(
    "content",
    [b"", b"[1]", b"null", b"{", b"\xff\xfe", b"[" * 100_000, b'{"a": "' + b"x" * (1 << 20) + b'"}', b"\0" * 100],
)
def test_what_is_no_object_is_none(tmp_path, content):
    (tmp_path / "result.json").write_bytes(content)
    assert read_result(tmp_path / "result.json") is None


def test_a_pipe_does_not_make_the_reader_wait(tmp_path):
    os.mkfifo(tmp_path / "result.json")
    assert read_result(tmp_path / "result.json") is None


def test_a_link_leads_nowhere(tmp_path):
    write_result(tmp_path / "elsewhere", {"status": "finished"})
    (tmp_path / "result.json").symlink_to(tmp_path / "elsewhere")
    assert read_result(tmp_path / "result.json") is None


def test_a_directory_and_a_socket_are_none(tmp_path, monkeypatch):
    (tmp_path / "result.json").mkdir()
    assert read_result(tmp_path / "result.json") is None
    monkeypatch.chdir(tmp_path)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("socket")
        assert read_result(tmp_path / "socket") is None
