from __future__ import annotations

import threading

import pytest

from core.errors import StoreError
from stores.s3.crew import Countdown, Crew


def test_jobs_may_submit_jobs_and_all_are_awaited() -> None:
    done: list[int] = []
    crew = Crew(3)

    def parent(number: int) -> None:
        for child in range(5):
            crew.submit(lambda child=child: done.append(number * 10 + child))  # type: ignore[misc]

    for number in range(4):
        crew.submit(lambda number=number: parent(number))  # type: ignore[misc]
    crew.finish()
    assert sorted(done) == [number * 10 + child for number in range(4) for child in range(5)]


def test_the_first_failure_ends_the_others_and_undoes_what_they_began() -> None:
    crew = Crew(2)
    undone, waiting = threading.Event(), threading.Event()
    crew.on_failure(undone.set)
    settled = crew.on_failure(lambda: pytest.fail("was settled"))
    settled()

    def wait() -> None:
        waiting.set()
        crew.guard.wait(60)

    def fail() -> None:
        waiting.wait(10)
        raise StoreError("refused")

    crew.submit(wait)
    crew.submit(fail)
    with pytest.raises(StoreError, match="refused"):
        crew.finish()
    assert undone.is_set()


def test_a_cancel_raises_interrupted_and_starts_nothing_more() -> None:
    cancelled, ran = threading.Event(), []
    crew = Crew(1, cancelled)
    crew.submit(lambda: (cancelled.set(), crew.guard.wait(60))[1])
    crew.submit(lambda: ran.append(1))
    with pytest.raises(InterruptedError):
        crew.finish()
    assert not ran


def test_only_one_thread_is_the_last() -> None:
    countdown = Countdown(50)
    last: list[bool] = []
    crew = Crew(8)
    for _ in range(50):
        crew.submit(lambda: last.append(countdown.last()))
    crew.finish()
    assert last.count(True) == 1
