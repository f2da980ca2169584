"""What an agent writes before its death is what the next one reads, wherever the death cuts it off."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent.journal.entry import CONTACT_LENGTH, RESERVED, Entry, Record
from agent.journal.journal import Journal, take_lock
from agent.journal.reading import read_entries, read_entry
from agent.processes.leftovers import ChildRecord
from agent.source import Verdict

RECORD = Record("task-1", "df-1", "@Work_Attempt=1", "Work", "SqlActivity", "etl", "/logs/é", "s3://b/logs")
VERDICT = Verdict(False, "CommandFailed", 'exit 7\n"quoted" é 🚀', "trace")


@pytest.fixture
def journal(tmp_path):
    made = Journal(tmp_path / "journal", "feedbeef", "http://service")
    yield made
    made.close()


def written(tmp_path):
    [path] = [path for path in (tmp_path / "journal" / "feedbeef").iterdir() if "-" in path.name]
    return path


def fill(path):
    """Write until the disk is full."""
    with path.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(b"x" * 4096)


def test_an_interrupted_attempt_is_read_back_with_its_processes(journal, tmp_path):
    entry = journal.begin(RECORD)
    entry.child({"pid": 7, "started": 9, "boot_id": "b", "of a later release": 1})
    left = read_entry(written(tmp_path))
    assert (left.record, left.owed, left.children) == (RECORD, None, [ChildRecord(7, 9, "b")])
    assert 0 <= left.silent < 60


def test_of_processes_in_place_of_one_another_the_last_counts_and_the_file_does_not_grow(journal, tmp_path):
    entry = journal.begin(RECORD)
    sizes = []
    for pid in range(1, 2000):
        entry.child({"pid": pid, "started": 9, "boot_id": "b" * 36}, in_place=True)
        if pid == 1:
            entry.handle("task-2")
        sizes.append(len(written(tmp_path).read_bytes().rstrip(b"\0")) if pid < 20 else sizes[-1])
    left = read_entry(written(tmp_path))
    assert left.children == [ChildRecord(1999, 9, "b" * 36)]
    assert left.record.task_id == "task-2"
    assert len(set(sizes)) == 1
    assert written(tmp_path).stat().st_size == RESERVED


def test_an_end_that_is_false_is_read_back_as_such(journal, tmp_path):
    entry = journal.begin(RECORD)
    entry.owe(replace(VERDICT, untrue=True))
    assert read_entry(written(tmp_path)).owed.status == "FALSE"


def test_an_end_that_is_owed_is_read_back_as_it_was(journal, tmp_path):
    entry = journal.begin(RECORD)
    entry.owe(VERDICT)
    assert read_entry(written(tmp_path)).owed == VERDICT


def test_a_new_handle_replaces_the_former(journal, tmp_path):
    entry = journal.begin(RECORD)
    entry.handle("task-2")
    assert read_entry(written(tmp_path)).record == replace(RECORD, task_id="task-2")


def test_what_is_settled_leaves_nothing_and_takes_nothing(journal, tmp_path):
    entry = journal.begin(RECORD)
    entry.settle()
    entry.settle()
    entry.heard()
    entry.owe(VERDICT)
    assert read_entries(tmp_path / "journal" / "feedbeef") == []


def test_silence_is_counted_from_the_last_contact_and_not_by_the_wall_clock(journal, tmp_path, monkeypatch):
    entry = journal.begin(RECORD)
    entry.heard()
    monkeypatch.setattr("time.time", lambda: 0.0)
    monkeypatch.setattr("agent.journal.reading.uptime", lambda: 1e9)
    assert read_entry(written(tmp_path)).silent > 1e8


def test_after_a_boot_the_wall_clock_counts(journal, tmp_path, monkeypatch):
    journal.begin(RECORD)
    monkeypatch.setattr("agent.journal.reading.boot_id", lambda: "another")
    assert 0 <= read_entry(written(tmp_path)).silent < 60


@settings(deadline=None, max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cut=st.integers(0, 1500))
def test_a_line_that_the_death_cut_off_does_not_count(tmp_path, cut):
    path = tmp_path / f"{os.urandom(4).hex()}-0"
    entry = Entry(path, RECORD)
    entry.child({"pid": 7, "started": 9, "boot_id": "b"})
    entry.owe(VERDICT)
    whole = path.read_bytes().rstrip(b"\0")
    entry.settle()
    path.write_bytes(whole[:cut] + b"\0" * (RESERVED - cut))
    left = read_entry(path)
    if cut >= len(whole):
        assert left.owed == VERDICT
    elif left is not None:
        assert (left.record, left.owed) == (RECORD, None)
    else:
        assert cut < CONTACT_LENGTH + 400


def test_a_damaged_file_is_left_alone_and_the_others_are_read(journal, tmp_path):
    journal.begin(RECORD)
    damaged = tmp_path / "journal" / "feedbeef" / "damaged-9"
    damaged.write_bytes(b"x" * 200 + b"\n{]\n")
    [left] = read_entries(damaged.parent)
    assert left.record == RECORD
    assert damaged.exists()


def test_the_directory_of_a_living_agent_cannot_be_locked_and_goes_with_it(tmp_path):
    journal = Journal(tmp_path, "feedbeef", "http://service")
    assert take_lock(tmp_path / "feedbeef") is None
    journal.close()
    assert not (tmp_path / "feedbeef").exists()


def test_a_directory_in_which_something_is_owed_stays(tmp_path):
    journal = Journal(tmp_path, "feedbeef", "http://service")
    journal.begin(RECORD).owe(VERDICT)
    journal.close()
    lock = take_lock(tmp_path / "feedbeef")
    assert lock is not None
    os.close(lock)
    assert len(read_entries(tmp_path / "feedbeef")) == 1


def test_only_the_owner_can_read_the_files(journal, tmp_path):
    journal.begin(RECORD)
    assert written(tmp_path).stat().st_mode & 0o077 == 0
    assert written(tmp_path).parent.stat().st_mode & 0o077 == 0


def test_a_disk_that_fills_up_meanwhile_does_not_take_the_room_for_the_end(mount_disk, tmp_path):
    small_disk = mount_disk(tmp_path / "disk", "size=256k")
    journal = Journal(small_disk / "journal", "feedbeef", "http://service")
    entry = journal.begin(RECORD)
    fill(small_disk / "filler")
    entry.owe(replace(VERDICT, error_message="é" * 2048, stack_trace="\n" * 1000))
    [left] = read_entries(small_disk / "journal" / "feedbeef")
    assert left.owed.error_message == "é" * 2048
    with pytest.raises(OSError):
        journal.begin(replace(RECORD, task_id="another"))
    assert len(read_entries(small_disk / "journal" / "feedbeef")) == 1
    entry.settle()
    journal.close()
