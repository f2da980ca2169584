"""Batches keep every limit of PutLogEvents, whatever a command prints, and no line is lost."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.logs.steady_time import SteadyTime
from agent.logs.tail import Tail, Target

#: As the API Reference gives them, not as the code has them.
EVENTS, BYTES, OVERHEAD, EVENT_SIZE = 10_000, 1_048_576, 26, 256 * 1024
HOUR = 3600 * 1000
SPAN, AGE = 24 * HOUR, 14 * 24 * HOUR
TARGET = Target("/ductrunner/g", "tasks/p/c/a")


def batches(tail):
    """Everything that the log gives; each batch is checked against the limits."""
    found = []
    while batch := tail.next_batch():
        events = json.loads(f"[{batch.events}]")
        assert len(events) == batch.count <= EVENTS
        sizes = [len(event["message"].encode()) + OVERHEAD for event in events]
        assert sum(sizes) <= BYTES
        assert max(sizes) <= EVENT_SIZE
        assert all(event["message"] for event in events)
        times = [event["timestamp"] for event in events]
        assert times == sorted(times)
        assert times[-1] - times[0] <= SPAN
        found.append(events)
        tail.sent(batch)
    return found


def messages(tail):
    return [event["message"] for events in batches(tail) for event in events]


def log_of(directory, chunks, ended=True, files=1):
    """A log into which these ``(file, bytes)`` were written."""
    paths = [directory / f"out{number}" for number in range(files)]
    tail = Tail(TARGET, paths, SteadyTime())
    for path in paths:
        path.write_bytes(b"")
    for file, chunk in chunks:
        with paths[file].open("ab") as stream:
            stream.write(chunk)
        tail.wrote(file, len(chunk))
    if ended:
        tail.end()
    return tail


@given(st.lists(st.text(alphabet=st.characters(exclude_characters="\n\r\0", codec="utf-8"), max_size=20), max_size=30))
@settings(max_examples=150, deadline=None)
def test_every_line_is_one_message(tmp_path_factory, lines):
    content = "".join(f"{line}\n" for line in lines).encode()
    directory = tmp_path_factory.mktemp("lines")
    assert messages(log_of(directory, [(0, content)] if content else [])) == [line or " " for line in lines]


@given(st.binary(max_size=300), st.lists(st.integers(0, 300), max_size=6))
@settings(max_examples=150, deadline=None)
def test_no_bytes_break_a_limit_or_are_left(tmp_path_factory, content, cuts):
    borders = [0, *sorted(cut for cut in cuts if cut < len(content)), len(content)]
    chunks = [(0, content[begin:end]) for begin, end in itertools.pairwise(borders) if end > begin]
    tail = log_of(tmp_path_factory.mktemp("bytes"), chunks)
    batches(tail)
    assert tail.settled


@pytest.mark.parametrize(
    "content",
    [
        b"\n" * 25_000,
        b"x\n" * 25_000,
        b"\xff" * 3_000_000,
        (b"\xff" * 100 + b"\n") * 30_000,
        "ä€😀\n".encode() * 100_000,
        b"\0" * 1_000_000,
        b"y" * 5_000_000,
        (b"z" * 90_000 + b"\n") * 40,
        (b"z" * 255_000 + b"\n") * 10,
        b"a\r\n" * 30_000,
        b"50%\r" * 200_000,
    ],
    ids=["empty", "tiny", "binary", "binary lines", "wide", "NUL", "no end", "long", "longer", "CRLF", "CR"],
)
def test_the_limits_hold_for_extreme_output(tmp_path, content):
    tail = log_of(tmp_path, [(0, content)])
    assert messages(tail)
    assert tail.settled


def test_a_line_of_a_hundred_megabytes_goes_out_in_pieces_that_make_the_line(tmp_path):
    line = ("0123456789ä" * 9_000_000).encode()
    tail = log_of(tmp_path, [(0, line + b"\nnext\n")])
    *pieces, last = messages(tail)
    assert last == "next"
    assert "".join(pieces).encode() == line


def test_what_is_no_text_is_replaced_and_the_rest_stays(tmp_path):
    assert messages(log_of(tmp_path, [(0, b"a\xffb\0c\n")])) == ["a\ufffdb\u2400c"]


def test_a_lone_carriage_return_ends_a_line_and_only_the_last_update_is_sent(tmp_path):
    assert messages(log_of(tmp_path, [(0, b"start\r\n10%\r20%\r30%\n done\r")])) == ["start", "30%", " done"]


def test_a_progress_bar_without_any_newline_is_seen_while_it_grows(tmp_path):
    tail = log_of(tmp_path, [(0, b"10%\r20%\r30")], ended=False)
    assert messages(tail) == ["20%"]


def test_an_unfinished_line_waits_for_its_end(tmp_path):
    tail = log_of(tmp_path, [(0, b"one\ntw")], ended=False)
    assert messages(tail) == ["one"]
    with tail.files[0].open("ab") as file:
        file.write(b"o\n")
    tail.wrote(0, 2)
    assert messages(tail) == ["two"]


def test_both_streams_are_merged_in_the_order_of_writing(tmp_path):
    chunks = [(number % 2, f"line {number}\n".encode()) for number in range(300)]
    assert messages(log_of(tmp_path, chunks, files=2)) == [f"line {number}" for number in range(300)]


def test_an_hour_of_lines_keeps_the_index_small_and_their_times(tmp_path, monkeypatch):
    now = iter(range(10**6, 10**9, 1000))  # one line a second
    monkeypatch.setattr(SteadyTime, "now", lambda self: next(now))
    tail = log_of(tmp_path, [(0, f"{number}\n".encode()) for number in range(3600)])
    assert len(tail.rows(10**6)) <= 1024
    [events] = batches(tail)
    times = [event["timestamp"] for event in events]
    assert len(events) == 3600
    # Line n was written n seconds after the first; thinned out, each time is at most 8 seconds too late.
    assert all(0 <= time - times[0] - 1000 * number + 8000 <= 16_000 for number, time in enumerate(times))


def test_lines_older_than_a_fortnight_are_sent_with_a_time_that_is_taken(tmp_path):
    steady = SteadyTime()
    path = tmp_path / "out"
    path.write_bytes(b"old\nnew\n")
    tail = Tail(TARGET, [path], steady)
    now = steady.now()
    tail.restore([(now - 30 * 24 * 3600 * 1000, [4]), (now, [8])])
    [first], [second] = batches(tail)
    assert first["message"] == "old"
    assert steady.wall(now) - first["timestamp"] < AGE
    assert second["message"] == "new"


def test_times_follow_the_service_when_the_clock_of_this_machine_is_wrong():
    import email.utils
    import time

    steady = SteadyTime()
    before = steady.now()
    steady.heard(email.utils.formatdate(time.time() + 3600, usegmt=True))
    assert abs(steady.wall(before) / 1000 - time.time() - 3600) < 5
    steady.heard(email.utils.formatdate(time.time(), usegmt=True))
    assert abs(steady.wall(before) / 1000 - time.time()) < 5


def test_a_marker_tells_how_much_was_dropped(tmp_path):
    tail = log_of(tmp_path, [(0, b"one\ntwo\nthree\n")])
    assert tail.skip(5, "too much") == 8
    assert messages(tail) == ["[ductrunner: 8 bytes are left out here: too much]", "three"]


def test_path_is_a_file(tmp_path: Path) -> None:
    """A log whose file somebody has removed does not stop the others."""
    tail = log_of(tmp_path, [(0, b"one\n")])
    tail.files[0].unlink()
    with pytest.raises(FileNotFoundError):
        tail.next_batch()
