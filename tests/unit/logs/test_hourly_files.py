"""The agents' hourly files: packed after eight hours, gone when they are old, never before CloudWatch has had them."""

from __future__ import annotations

import fcntl
import gzip
import json
import os
import time

import pytest

from agent.logs.hourly_files import pack_agent_files, remove_agent_files
from agent.logs.retention import Retention
from core.sections.telling import LoggingSettings
from tests.unit.logs.test_retention import DAY, attempt

HOUR = 3600.0


@pytest.fixture
def hourly(tmp_path):
    """A maker of hourly files whose last line is so many hours old."""

    def make(name, hours):
        path = tmp_path / "logs" / f"TaskRunner.log.{name}"
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"line of {name}\n" * 100)
        os.utime(path, (time.time() - hours * HOUR,) * 2)
        return path

    return make


def pack(tmp_path, noted=()):
    pack_agent_files(str(tmp_path / "logs"), time.time(), lambda: noted)


def test_a_file_is_packed_when_it_is_eight_hours_old(tmp_path, hourly):
    old, young = hourly("2026-01-01-01", 8.1), hourly("2026-01-01-09", 7.9)
    text, moment = old.read_text(), old.stat().st_mtime
    pack(tmp_path)
    packed = old.with_name(f"{old.name}.gz")
    assert gzip.decompress(packed.read_bytes()).decode() == text
    assert packed.stat().st_mtime == pytest.approx(moment)
    assert sorted(path.name for path in (tmp_path / "logs").iterdir()) == [packed.name, young.name]
    pack(tmp_path)
    assert packed.exists()


def test_a_file_that_is_not_all_sent_or_still_held_stays(tmp_path, hourly):
    waiting, held = hourly("2026-01-01-01", 9), hourly("2026-01-01-02", 9)
    with held.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        pack(tmp_path, {str(waiting)})
    assert waiting.exists()
    assert held.exists()
    assert not list((tmp_path / "logs").glob("*.gz"))


def test_old_ones_are_removed_packed_or_not_but_for_what_waits(tmp_path, hourly):
    paths = [hourly(name, 15 * 24) for name in ("2026-01-01-01", "2026-01-01-02.gz", "2026-01-01-03")]
    remove_agent_files(str(tmp_path / "logs"), time.time() - 14 * DAY, {str(paths[2])})
    assert [path.exists() for path in paths] == [False, False, True]


def test_logs_that_cloudwatch_has_not_had_are_kept(tmp_path):
    waiting, sent = attempt(tmp_path, 0, 20 * DAY), attempt(tmp_path, 1, 20 * DAY)
    note = tmp_path / "shipping" / "0123" / "0.aside"
    note.parent.mkdir(parents=True)
    note.write_text(json.dumps({"files": [os.path.relpath(waiting / "StdOutput", tmp_path)]}))
    (note.parent / "1.json").write_text("{half")
    Retention(LoggingSettings(), tmp_path, 0).sweep()
    assert waiting.exists()
    assert not sent.exists()
