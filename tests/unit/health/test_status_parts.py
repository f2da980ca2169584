"""Addresses, the files that lead to them, and how spans and sizes read."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, replace

import pytest

from agent.health import proc
from agent.health.address_file import Entry, announced, living
from agent.health.listen import find_place
from core.errors import SettingsError
from core.units import size, span


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("127.0.0.1:8717", ("127.0.0.1", 8717)),
        ("localhost:0", ("127.0.0.1", 0)),
        ("[::1]:8717", ("::1", 8717)),
        ("127.9.9.9:1", ("127.9.9.9", 1)),
        ("OFF", None),
    ],
)
def test_loopback_addresses_are_taken(text, place):
    assert find_place(text) == place


@pytest.mark.parametrize("text", ["0.0.0.0:1", "[::]:1", "8.8.8.8:1", "example.org:1", "127.0.0.1", "127.0.0.1:99999"])
def test_others_are_refused_with_an_example(text):
    with pytest.raises(SettingsError, match=r"must be a loopback address and a port, such as 127\.0\.0\.1:8717"):
        find_place(text)


@pytest.fixture
def entry():
    return Entry(os.getpid(), proc.started(os.getpid()), "127.0.0.1:1", "etl")


def test_an_agent_is_found_while_it_runs_and_not_afterwards(tmp_path, entry):
    environment = {"RUNTIME_DIRECTORY": str(tmp_path / "run")}
    with announced(entry, tmp_path / "output", environment):
        assert living([tmp_path / "output"]) == [entry]
        assert living([tmp_path / "output", tmp_path / "run"]) == [entry]
        [file] = (tmp_path / "run").iterdir()
        assert file.stat().st_mode & 0o777 == 0o644
    assert list((tmp_path / "run").iterdir()) == list((tmp_path / "output").iterdir()) == []


def test_what_a_killed_agent_has_left_is_not_believed_and_goes_with_the_next(tmp_path, entry):
    left = replace(entry, started=entry.started - 1)  # its pid has come again
    (tmp_path / f"agent-{left.pid + 1}.json").write_text(json.dumps(asdict(left)))
    (tmp_path / "agent-7.json").write_text("{")
    assert living([tmp_path]) == []
    with announced(entry, tmp_path, {"RUNTIME_DIRECTORY": str(tmp_path)}):
        assert [path.name for path in tmp_path.iterdir()] == [f"agent-{entry.pid}.json"]


def test_a_file_that_cannot_be_written_stops_nobody(tmp_path, entry):
    (tmp_path / "file").write_text("")
    with announced(entry, tmp_path / "file", {"RUNTIME_DIRECTORY": str(tmp_path / "run")}):
        assert living([tmp_path / "run"]) == [entry]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 s"), (59.4, "59 s"), (60, "1 min"), (245, "4 min 5 s"), (7800, "2 h 10 min"), (273_600, "3 d 4 h")],
)
def test_spans_read_well(seconds, text):
    assert span(seconds) == text


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0 B"), (812, "812 B"), (5.4 * 1024**2, "5.4 MiB"), (31 * 1024**3, "31 GiB")]
)
def test_sizes_read_well(count, text):
    assert size(count) == text
