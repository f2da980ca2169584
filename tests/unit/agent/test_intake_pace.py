"""How fast the intake may poll, and what slows it down."""

from __future__ import annotations

import threading
import time

import agent.intake as intake_module
from agent.backoff import Backoff
from agent.gate import Gate
from agent.group import Group
from agent.intake import Intake, Pace
from agent.observer import Observer
from agent.source import Handed
from core.errors import StoreUnreachable, Throttled


def test_polls_keep_their_distance():
    pace, never = Pace(per_second=50.0), threading.Event()
    started = time.monotonic()
    for _ in range(6):
        pace.wait(never)
    assert time.monotonic() - started >= 5 / 50


def test_delays_grow_to_the_longest_and_start_again():
    backoff = Backoff(first=1.0, longest=8.0)
    delays = [backoff.delay() for _ in range(6)]
    assert [low <= delay <= 2 * low for low, delay in zip([0.5, 1, 2, 4, 4, 4], delays, strict=True)] == [True] * 6
    backoff.reset()
    assert backoff.delay() <= 1.0


class Script:
    """A source that answers polls from a list, then waits until it is stopped."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.stopped = threading.Event()
        self.drained = threading.Event()
        self.polls = 0

    def poll(self):
        self.polls += 1
        if not self.answers:
            self.drained.set()
            self.stopped.wait(20)
            return None
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def stop_polling(self):
        self.stopped.set()


def run_intake(source, work, slots=1):
    intake = Intake(Group("etl", source, slots), Pace(1000.0), work, lambda: None, Gate(), Observer())
    threads = [threading.Thread(target=intake.poll), *(threading.Thread(target=intake.serve) for _ in range(slots))]
    for thread in threads:
        thread.start()
    return intake, threads


def end(intake, threads):
    intake.stop()
    intake.end_slots()
    for thread in threads:
        thread.join(10)
        assert not thread.is_alive()


def test_errors_and_throttling_do_not_end_the_loop():
    done = threading.Event()
    source = Script(Throttled("slow down"), StoreUnreachable("gone"), None, Handed("t", {}))
    intake, threads = run_intake(source, lambda handed: done.set())
    assert done.wait(20)
    end(intake, threads)
    assert source.polls >= 4


def test_a_worker_that_never_gets_a_task_says_so_once(monkeypatch):
    said = []
    monkeypatch.setattr(intake_module, "FIRST_TASK", 0.0)
    monkeypatch.setattr(intake_module.log, "event", lambda action, **fields: said.append((action, fields["group"])))
    source = Script(None, None, None)
    intake, threads = run_intake(source, lambda handed: None)
    assert source.drained.wait(20)
    end(intake, threads)
    assert said == [("no_task_yet", "etl")]


def test_no_poll_goes_out_while_every_slot_is_taken():
    started, go_on = threading.Event(), threading.Event()

    def work(handed):
        started.set()
        go_on.wait(20)

    source = Script(Handed("1", {}), Handed("2", {}))
    intake, threads = run_intake(source, work)
    assert started.wait(20)
    assert source.polls == 1
    assert intake.busy == 1
    go_on.set()
    assert source.drained.wait(20)
    end(intake, threads)
    assert source.polls == 3


def test_a_task_that_arrives_while_stopping_is_not_started():
    begun = []
    source = Script()
    intake, threads = run_intake(source, begun.append)
    assert source.drained.wait(20)
    source.answers.append(Handed("late", {}))
    source.poll = lambda: Handed("late", {})
    end(intake, threads)
    assert begun == []
    assert intake.busy == 0
