"""A worker that may write below ``logUri`` and not look: nobody's file is overwritten by it."""

from __future__ import annotations

from agent.logs.backup import Backup
from core.errors import AccessDenied

NAME = "TaskRunner.log.2026-11-26-09"


class WriteOnly:
    """A store of which one may not read."""

    def __init__(self):
        self.written = []

    def size(self, uri):
        raise AccessDenied(f"cannot look at {uri}")

    def upload_file(self, path, uri, cancelled):
        self.written.append((uri, path.read_text()))


def test_its_file_gets_a_name_of_its_own(tmp_path):
    store, path = WriteOnly(), tmp_path / NAME
    backup = Backup("s3://bucket/logs", "i-0123-0", 300.0, lambda: store)
    for text in ("one\n", "one\ntwo\n"):
        path.write_text(text)
        backup.wrote(path, 0, 4)
        backup.copy()
    assert store.written == [(f"s3://bucket/logs/{NAME}.i-0123-0", text) for text in ("one\n", "one\ntwo\n")]
