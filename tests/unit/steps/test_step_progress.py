from __future__ import annotations

import io
import json
import os
import signal
import threading
from datetime import date
from decimal import Decimal

import pytest

from core.cancelling import on_cancel
from core.redaction import REDACTOR
from steps_impl.contract import read_result
from steps_impl.progress import ProgressReporter, human_bytes, progress_line, redacted
from steps_impl.signals import cancel_on_signal


class Ticking:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


def test_progress_is_written_at_most_once_a_second(tmp_path):
    clock, errors, path = Ticking(), io.StringIO(), tmp_path / "result"
    reporter = ProgressReporter("copy", errors, path, clock)
    for tenths in range(25):
        clock.now = tenths / 10
        reporter.progress("read", rows=tenths)
    assert errors.getvalue().count("\n") == 3
    assert read_result(path) == {"status": "running", "progress": {"rows": 20, "phase": "read"}}


def test_a_secret_is_in_neither_file_nor_line(tmp_path):
    secret = 'pass"word\\9'
    REDACTOR.register(secret)
    errors, path = io.StringIO(), tmp_path / "result"
    ProgressReporter("copy", errors, path).progress(f"reads {secret}")
    assert "word" not in errors.getvalue()
    assert "word" not in path.read_text()
    json.loads(path.read_text())


def test_a_progress_line_reads_like_a_sentence():
    assert progress_line("extract-rds", "copy", 1200000, 45_000_000).endswith(
        " extract-rds  1,200,000 rows  45 MB  copy"
    )


@pytest.mark.parametrize(
    ("size", "text"), [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (45_000_000, "45 MB"), (1.2e9, "1.2 GB")]
)
def test_sizes_are_in_decimal_units(size, text):
    assert human_bytes(size) == text


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_sets_the_event_and_the_former_handler_is_back_afterwards(number):
    before, cancelled = signal.getsignal(number), threading.Event()
    with cancel_on_signal(cancelled):
        os.kill(os.getpid(), number)
        assert cancelled.wait(30)
    assert signal.getsignal(number) is before


def test_the_action_on_cancel_runs_once_and_only_when_cancelled():
    called, cancelled = [], threading.Event()
    with on_cancel(cancelled, lambda: called.append(1)):
        pass
    cancelled.set()
    assert called == []
    done = threading.Event()
    with on_cancel(cancelled, lambda: (called.append(1), done.set())):
        assert done.wait(30)
    assert called == [1]


def test_a_result_file_that_cannot_be_written_is_told_and_ends_nothing(tmp_path):
    errors = io.StringIO()
    ProgressReporter("copy", errors, tmp_path / "missing" / "result").progress("read")
    assert "cannot write the result file" in errors.getvalue()


def test_values_that_json_does_not_know_become_text():
    assert redacted({"a": [Decimal("1.10"), None, 2, True], "b": date(2024, 1, 2)}) == {
        "a": ["1.10", None, 2, True],
        "b": "2024-01-02",
    }
