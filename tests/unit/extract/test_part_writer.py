from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from core.errors import UnsupportedValue
from steps_impl.extract.codecs import FileKind, Unsupported, file_kind
from steps_impl.extract.outputs import LocalOutput
from steps_impl.extract.parts import PartWriter, even_sizes


def text_kind() -> FileKind:
    return file_kind("tsv", "none", (), Unsupported(null=False))


class Refusing:
    """A codec that takes nothing."""

    def feed(self, pieces: Any) -> bytes:
        raise UnsupportedValue("no")

    def finish(self) -> bytes:
        raise UnsupportedValue("no")


@pytest.mark.parametrize(("rows", "files"), [(10, 3), (1003, 7), (64, 64), (5000, 20), (1, 5)])
def test_files_take_rows_that_differ_by_one_at_the_most(tmp_path: Path, rows: int, files: int) -> None:
    with PartWriter(LocalOutput(tmp_path), "run", text_kind(), even_sizes(rows, files)) as writer:
        share, left = writer.share(), rows
        while left:
            count = min(share.room(), left)
            share.write(b"x\n" * count, count, 2 * count)
            left -= count
        parts = writer.finish()
    counts = [part.rows for part in parts]
    assert (sum(counts), len(counts)) == (rows, min(rows, files))
    assert max(counts) - min(counts) <= 1
    assert [(tmp_path / part.name).stat().st_size for part in parts] == [2 * part.rows for part in parts]


def test_more_rows_than_were_counted_have_a_place_too(tmp_path: Path) -> None:
    with PartWriter(LocalOutput(tmp_path), "run", text_kind(), even_sizes(4, 2)) as writer:
        share = writer.share()
        for _ in range(9):
            assert share.room() >= 1
            share.write(b"x\n", 1, 2)
        assert sum(part.rows for part in writer.finish()) == 9


def test_a_reader_that_fails_does_not_keep_the_others_waiting_for_its_room(tmp_path: Path) -> None:
    kind = FileKind("tsv", "none", "tsv", lambda _: Refusing())

    def write_while_another_waits() -> None:
        with PartWriter(LocalOutput(tmp_path), "run", kind, [1, 1]) as writer:
            shares = [writer.share() for _ in range(3)]
            assert [share.room() for share in shares[:2]] == [1, 1]
            waiting = threading.Thread(target=shares[2].room, daemon=True)
            waiting.start()
            try:
                shares[0].write(b"x\n", 1, 1 << 20)
            finally:
                shares[1].close()
                waiting.join(30)
                assert not waiting.is_alive()

    with pytest.raises(UnsupportedValue):
        write_while_another_waits()
    assert not list(tmp_path.iterdir())
