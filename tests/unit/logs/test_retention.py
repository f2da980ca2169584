"""Old logs go: by age, by number, by share of the disk; what runs, and what lies outside, never does."""

from __future__ import annotations

import os
import time

import pytest

from agent.journal.entry import Record
from agent.journal.journal import Journal
from agent.logs.names import LIMIT, agent_stream, group_name, task_stream
from agent.logs.retention import Retention
from core.sections.telling import LoggingSettings

DAY = 86_400
YOUNG = 60


def attempt(output, number, age, size=10):
    """The logs of an attempt that were written so many seconds ago."""
    directory = output / "logs" / f"df-{number % 3}" / "Work" / f"@Work_{number}" / f"@Work_{number}_Attempt=1"
    directory.mkdir(parents=True)
    (directory / "StdOutput").write_bytes(b"x" * size)
    moment = time.time() - age
    for path in (directory / "StdOutput", directory, *list(directory.parents)[:3]):
        os.utime(path, (moment, moment))
    return directory


def retention(output, minimum_free=0, **settings):
    return Retention(LoggingSettings(**settings), output, minimum_free)


def test_logs_go_when_they_are_older_than_the_days_that_they_are_kept(tmp_path):
    old, new = attempt(tmp_path, 0, 15 * DAY), attempt(tmp_path, 1, 13 * DAY)
    retention(tmp_path).sweep()
    assert not old.exists()
    assert new.exists()
    assert [path.name for path in (tmp_path / "logs").iterdir()] == ["df-1"]  # and what they left empty


@pytest.mark.parametrize("gap", [1, YOUNG, DAY / 10])
def test_exactly_the_newest_are_kept_when_there_are_too_many(tmp_path, gap):
    made = [attempt(tmp_path, number, 10 + number * gap) for number in range(20)]
    retention(tmp_path, keep_attempts=7).sweep()
    assert [path.exists() for path in made] == [True] * 7 + [False] * 13


def test_logs_go_when_they_take_too_much_of_the_disk(tmp_path, monkeypatch):
    made = [attempt(tmp_path, number, 10 + number * 100, size=1000) for number in range(10)]
    usage = type("Usage", (), {"total": 10_000, "free": 10_000})
    monkeypatch.setattr("agent.logs.retention.shutil.disk_usage", lambda _: usage)
    retention(tmp_path, keep_disk_share=0.35).sweep()
    assert [path.exists() for path in made] == [True] * 3 + [False] * 7


def test_when_the_disk_is_short_the_oldest_go_until_there_is_room(tmp_path, monkeypatch):
    made = [attempt(tmp_path, number, 10 + number * 100, size=1000) for number in range(10)]
    usage = type("Usage", (), {"total": 1_000_000, "free": 500})
    monkeypatch.setattr("agent.logs.retention.shutil.disk_usage", lambda _: usage)
    retention(tmp_path, minimum_free=1500).sweep()
    assert [path.exists() for path in made] == [True] * 7 + [False] * 3


def test_what_runs_in_any_living_agent_is_never_touched(tmp_path):
    running, ended = attempt(tmp_path, 0, 100 * DAY), attempt(tmp_path, 1, 100 * DAY)
    journal = Journal(tmp_path / "journal", "0" * 16, "http://127.0.0.1")
    who = ("task", "df-0", "@Work_0_Attempt=1", "Work", "ShellCommandActivity", "group")
    journal.begin(Record(*who, logs=str(running)))
    retention(tmp_path, keep_attempts=0).sweep()
    assert running.exists()
    assert not ended.exists()


def test_symbolic_links_lead_nowhere(tmp_path):
    outside = tmp_path / "outside" / "Work" / "@Work_0" / "@Work_0_Attempt=1"
    outside.mkdir(parents=True)
    (outside / "precious").write_text("x")
    for path in (outside / "precious", outside):
        os.utime(path, (0, 0))
    output = tmp_path / "output"
    own = attempt(output, 1, 100 * DAY)
    (output / "logs" / "df-link").symlink_to(tmp_path / "outside")
    (own / "linked").symlink_to(outside)
    for path in (own / "linked", own):
        os.utime(path, (0, 0), follow_symlinks=False)
    retention(output).sweep()
    assert (outside / "precious").exists()
    assert not own.exists()


def test_staged_files_of_agents_without_a_journal_go_after_an_hour(tmp_path):
    living, dead = "1" * 16, "2" * 16
    (tmp_path / "journal" / living).mkdir(parents=True)
    places = {}
    for token, age in ((living, DAY), (dead, DAY), ("3" * 16, YOUNG)):
        for name in (f"staging/df-1_input1_{token}{'a' * 16}", f"tmp/df-1-{token}{'a' * 16}"):
            path = tmp_path / name
            path.mkdir(parents=True)
            os.utime(path, (time.time() - age,) * 2)
            places[token, name[:3]] = path
    (tmp_path / "tmp" / "somebody-else").mkdir()
    retention(tmp_path).sweep()
    assert {token for (token, _), path in places.items() if path.exists()} == {living, "3" * 16}
    assert (tmp_path / "tmp" / "somebody-else").exists()


def test_old_hourly_files_go(tmp_path):
    (tmp_path / "logs").mkdir()
    for name, age in (
        ("TaskRunner.log.2020-01-01-00", 20 * DAY),
        ("TaskRunner.log.2020-01-20-00", DAY),
        ("notes", 99 * DAY),
    ):
        (tmp_path / "logs" / name).write_text("x")
        os.utime(tmp_path / "logs" / name, (time.time() - age,) * 2)
    retention(tmp_path).sweep()
    assert sorted(path.name for path in (tmp_path / "logs").iterdir()) == ["TaskRunner.log.2020-01-20-00", "notes"]


def test_names_hold_only_what_cloudwatch_takes():
    assert group_name("wg: a*b") == "/ductrunner/wg__a_b"
    assert group_name("wg", "/my/group") == "/my/group"
    assert task_stream("df-1", "Work", "@Work_2026-01-01T00:00:00_Attempt=1") == (
        "tasks/df-1/Work/@Work_2026-01-01T00-00-00_Attempt=1"
    )
    assert agent_stream("host:1") == "agent/host-1"
    long = [task_stream("df-1", "x" * 600, end) for end in "ab"]
    assert [len(name) for name in long] == [LIMIT, LIMIT]
    assert long[0] != long[1]


def test_redacted_vars_are_given_with_commas_in_a_variable():
    given = LoggingSettings.model_validate({"redacted_vars": "*_PIN, MY_*,"})
    assert given.redacted_vars == ("*_PIN", "MY_*")
