"""The page that ``ductrunner status`` prints."""

from __future__ import annotations

import click
import pytest

from agent.health.status_text import page

DOCUMENT = {
    "version": "0.1.0",
    "worker_group": "etl",
    "region": "us-east-1",
    "taskrunner_id": "runner-1",
    "pid": 7,
    "output": "/var/lib/ductrunner",
    "started": "2026-01-01T00:00:00Z",
    "now": "2026-01-01T03:12:00Z",
    "state": "working",
    "reasons": [],
    "slots": 2,
    "busy": 1,
    "groups": {"etl": {}, "reports": {}},
    "last_poll": "2026-01-01T03:11:57Z",
    "contact_age": 0.0,
    "running": [
        {
            "component": "Load",
            "type": "ShellCommandActivity",
            "pipeline": "df-1",
            "attempt": "@Load_Attempt=1",
            "seconds": 250.0,
            "lease_age": 8.0,
            "progress": {"attemptStatus": "load rows=12", "percentComplete": "40"},
            "stopping": None,
        }
    ],
    "recent": [],
    "counters": {"tasks_finished": 3.0, "tasks_not_taken": 1.0, "polls": 9.0},
    "machine": {
        "cpu": 12.3,
        "load": 0.4,
        "memory_available": 1024**3,
        "memory_total": 2 * 1024**3,
        "disk_free": 1024**3,
        "disk_total": 1024**4,
        "inodes_free": None,
        "clock_offset": -1.25,
    },
    "agent": {"resident": 1024**2, "cpu_seconds": 1.0, "threads": 9, "open_files": 20},
}


def lines(width=None, **changes):
    return click.unstyle(page({**DOCUMENT, **changes}, width)).splitlines()


def test_it_begins_with_who_it_is_and_what_it_does():
    first, second = lines()[:2]
    assert first == "etl, reports  runner-1  pid 7, up 3 h 12 min, release 0.1.0, us-east-1"
    assert second == "working: 1 of 2 slots busy; last poll answered 3 s ago; the service is reached"


def test_an_attempt_is_one_line():
    assert lines()[4].split() == [
        *("Load", "ShellCommandActivity", "4", "min", "10", "s", "8", "s"),
        *("40", "%", "load", "rows=12", "df-1", "@Load_Attempt=1"),
    ]


def test_what_is_counted_and_measured_is_said_in_words():
    text = "\n".join(lines())
    assert "tasks    3 finished, 1 not taken; 9 polls answered, 0 calls failed" in text
    assert "clock -1.2 s against the service's" in text
    assert "1.0 GiB of 1.0 TiB free; /var/lib/ductrunner" in text


def test_reasons_are_sentences_of_their_own():
    shown = lines(state="held", reasons=["held by disk: 1 MiB free"])
    assert shown[2:4] == ["takes no tasks:", "  held by disk: 1 MiB free"]


def test_failures_are_shown_and_good_ends_are_not():
    end = {"component": "Load", "pipeline": "df-1", "attempt": "@A", "ended": "2026-01-01T03:10:00Z", "seconds": 5.0}
    good = {**end, "outcome": "finished", "error_id": None, "error": None, "logs": "good-place"}
    bad = {**end, "outcome": "failed", "error_id": "CommandFailed", "error": "exit status 1", "logs": "s3://bad-place"}
    lost = {**end, "outcome": "lost", "error_id": None, "error": None, "logs": "lost-place"}
    text = "\n".join(lines(recent=[good, bad, lost]))
    assert "good-place" not in text
    assert "CommandFailed" in text
    assert "  exit status 1\n  logs: s3://bad-place" in text
    assert "lost-place" in text


def test_a_narrow_terminal_cuts_lines():
    assert max(map(len, lines(width=40))) == 40


@pytest.mark.parametrize("evil", ["\x1b]0;title\x07", "\x1b[2J", "\r", "\x9b31m", "\u202e"])
def test_what_a_task_says_does_not_steer_the_terminal(evil):
    running = [{**DOCUMENT["running"][0], "progress": {"attemptStatus": f"a{evil}b"}}]
    text = page({**DOCUMENT, "running": running}, None)
    assert evil not in text
