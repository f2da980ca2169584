"""Retention looks into the journals while other threads and agents remove theirs."""

from __future__ import annotations

import threading

from agent.logs.leftovers import in_journals


def test_a_journal_that_goes_while_it_is_looked_at_is_no_error(tmp_path):
    stop, broken = threading.Event(), []

    def come_and_go():
        try:
            while not stop.is_set():
                directories = [tmp_path / "journal" / f"agent{number}" for number in range(20)]
                for directory in directories:
                    directory.mkdir(parents=True)
                for directory in directories:
                    directory.rmdir()
        except OSError as error:
            broken.append(error)

    thread = threading.Thread(target=come_and_go)
    thread.start()
    try:
        assert [in_journals(tmp_path) for _ in range(3000)] == [set()] * 3000
    finally:
        stop.set()
        thread.join()
    assert broken == []
