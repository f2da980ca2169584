"""The demo as its users run it, at a small size; and that its verdict can fail."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psutil
import pytest


@pytest.fixture(scope="module")
def green(kept_demo: Any) -> Any:
    """What the demo printed in a run in which nothing was broken."""
    return kept_demo.run()


@pytest.fixture
def warehouse(green: Any, kept_demo: Any, example: SimpleNamespace) -> Iterator[Any]:
    database = example.databases.open_warehouse(example.databases.read_configuration(str(kept_demo.configuration)))
    yield database
    database.close()


def altered(example: SimpleNamespace, place: Path, component: str, old: str, new: str) -> Path:
    """Write a definition in which one step's command is another."""
    document = json.loads((example.folder / "pipeline.json").read_text("utf-8"))
    (step,) = [item for item in document["objects"] if item["id"] == component]
    assert old in step["command"]
    step["command"] = step["command"].replace(old, new)
    place.write_text(json.dumps(document), encoding="utf-8")
    return place


def test_the_demo_loads_twice_and_finds_all_right(green: Any) -> None:
    assert green.returncode == 0, green.stdout + green.stderr
    assert "all is right" in green.stdout
    assert green.stdout.count("11 steps in") == 2
    assert "NOT" not in green.stdout


def test_the_table_shows_rows_and_bytes_of_each_load(green: Any) -> None:
    lines = [line.split() for line in green.stdout.splitlines() if " FINISHED " in line and "UpsertEnrollments" in line]
    assert [line[:3] + line[4:5] for line in lines] == [
        ["UpsertEnrollments", "FINISHED", "1", "2,000"],
        ["UpsertEnrollments", "FINISHED", "1", "240"],
    ]
    assert all(int(line[5].replace(",", "")) > 0 for line in lines)


def test_the_agent_ends_with_the_demo(green: Any, kept_demo: Any) -> None:
    place = str(kept_demo.place / "agent")
    assert not [one for one in psutil.process_iter() if any(place in word for word in _words(one))]


def test_the_closing_check_passes_by_hand(green: Any, kept_demo: Any) -> None:
    done = kept_demo.check()
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("tampering", "finding"),
    [
        ("UPDATE learning.users SET credit = 0.01 WHERE user_id = 5", "users: the checksum"),
        ("UPDATE learning.enrollments SET note = '' WHERE note = 'NULL'", "enrollments: the number of 'NULL' in note"),
        ("INSERT INTO learning.courses SELECT * FROM learning.courses WHERE course_id = 7", "courses: the number of"),
        ("DELETE FROM learning.enrollments WHERE user_id = 3", "enrollments: the number of rows"),
        ("CREATE TABLE learning.stg_left (a INTEGER)", "learning.stg_left is left over"),
    ],
)
def test_the_closing_check_sees_what_was_tampered_with(
    warehouse: Any, kept_demo: Any, example: SimpleNamespace, tampering: str, finding: str
) -> None:
    source = example.databases.open_source(example.databases.read_configuration(str(kept_demo.configuration)))
    warehouse.link.autocommit = False
    warehouse.run(tampering)
    found = example.check.differences(source, warehouse)
    warehouse.link.rollback()
    source.close()
    assert any(sentence.startswith(finding) for sentence in found), found


def test_a_step_that_does_the_wrong_thing_is_found_though_every_step_is_green(
    example: SimpleNamespace, kept_demo: Any, tmp_path: Path
) -> None:
    wrong_winner = altered(example, tmp_path / "wrong.json", "UpsertEnrollments", "updated_at DESC", "updated_at ASC")
    done = kept_demo.run("--definition", str(wrong_winner))
    assert done.returncode == 1, done.stdout + done.stderr
    assert " FAILED " not in done.stdout
    assert "not right: enrollments: the checksum" in done.stdout


def test_a_step_that_fails_is_named_with_its_error_and_published(
    example: SimpleNamespace, kept_demo: Any, tmp_path: Path
) -> None:
    broken = altered(example, tmp_path / "broken.json", "ExtractUsers", "--table users", "--table persons")
    done = kept_demo.run("--definition", str(broken))
    assert done.returncode == 1, done.stdout + done.stderr
    assert "not right: ExtractUsers is FAILED: NotFound" in done.stdout
    assert "not right: UpsertUsers is CASCADE_FAILED" in done.stdout
    assert "not right: a failure was published" in done.stdout
    assert "NOT all is right" in done.stdout


def test_the_demo_takes_a_postgres_source(kept_demo: Any) -> None:
    done = kept_demo.run("--postgres")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "seeding postgres" in done.stdout


def test_an_interrupted_demo_stops_everything(kept_demo: Any) -> None:
    with kept_demo.started() as demo:
        for line in demo.stdout:  # a quick step may be seen as FINISHED only
            if "RUNNING" in line or "FINISHED" in line:
                demo.send_signal(signal.SIGINT)
                break
        demo.stdout.read()
        assert demo.wait() == 130
    assert not [one for one in psutil.process_iter() if any(str(kept_demo.place) in word for word in _words(one))]


def _words(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []
