"""The lease thread reports what is due and sleeps otherwise."""

from __future__ import annotations

import threading
import time

import pytest

from agent.group import Group
from agent.lease import Lease
from agent.observer import Observer
from agent.running import Held, Running
from agent.stop import StopReason
from core.clock import uptime
from core.errors import OwnershipLost, RequestRefused


class Reports:
    """Takes reports; answers from a list."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.taken = []
        self.changed = threading.Event()

    def report_progress(self, task_id, fields):
        self.taken.append((task_id, dict(fields)))
        self.changed.set()
        answer = self.answers.pop(0) if self.answers else False
        if isinstance(answer, Exception):
            raise answer
        return answer


def held_by(source, task_id="task", interval=60.0):
    return Held(Group("etl", source, 1), task_id, ("df", "@A"), interval)


def lease_over(held, window=60.0):
    running = Running()
    assert running.claim(held)
    lease = Lease(running, window, Observer())
    thread = threading.Thread(target=lease.run)
    thread.start()
    lease.watch(held)
    return lease, thread


def ended(lease, thread, held):
    lease.close()
    thread.join(10)
    held.stop.close()
    return not thread.is_alive()


def test_canceled_stops_the_attempt_and_the_thread_sleeps_meanwhile():
    source = Reports(True)
    held = held_by(source, interval=0.05)
    lease, thread = lease_over(held)
    assert held.stop.event.wait(10)
    assert held.stop.reason is StopReason.CANCELED
    spent = time.process_time()
    thread.join(0.3)
    assert time.process_time() - spent < 0.1
    assert ended(lease, thread, held)
    assert len(source.taken) == 1


def test_a_lost_task_stops_the_attempt():
    held = held_by(Reports(OwnershipLost("gone")), interval=0.05)
    lease, thread = lease_over(held)
    assert held.stop.event.wait(10)
    assert held.stop.reason is StopReason.LOST
    assert ended(lease, thread, held)


def test_a_task_whose_status_was_just_taken_does_not_count_as_lost():
    source = Reports(OwnershipLost("gone"))
    held = held_by(source, interval=0.05)
    held.ending = True
    lease, thread = lease_over(held)
    assert source.changed.wait(10)
    assert ended(lease, thread, held)
    assert held.stop.reason is None


def test_a_task_that_is_ending_is_not_asked_about_again_at_once():
    source = Reports(*(OwnershipLost("gone") for _ in range(1000)))
    held = held_by(source, interval=60.0)
    held.ending, held.next_report = True, uptime()
    lease, thread = lease_over(held)
    give_up = time.monotonic() + 10
    while held.next_report < uptime() + 30 and time.monotonic() < give_up:
        thread.join(0.01)
    assert ended(lease, thread, held)
    assert len(source.taken) == 1


def test_an_attempt_that_was_silent_for_too_long_is_lost_without_asking():
    """The machine slept: the task is somebody else's by now, perhaps under the same handle."""
    source = Reports()
    held = held_by(source, interval=0.05)
    held.last_contact -= 61
    lease, thread = lease_over(held)
    assert held.stop.event.wait(10)
    assert held.stop.reason is StopReason.LOST
    assert source.taken == []
    assert ended(lease, thread, held)


def test_a_task_with_a_shorter_window_of_its_own_is_lost_sooner():
    source = Reports()
    held = held_by(source, interval=0.05)
    held.window, held.last_contact = 5.0, held.last_contact - 6
    lease, thread = lease_over(held)
    assert held.stop.event.wait(10)
    assert held.stop.reason is StopReason.LOST
    assert ended(lease, thread, held)


def test_a_slow_answer_does_not_make_the_other_reports_late():
    answer, others = threading.Event(), Reports()

    class Slow(Reports):
        def report_progress(self, task_id, fields):
            assert answer.wait(20)
            return False

    slow, quick = held_by(Slow(), "slow", 0.01), held_by(others, "quick", 0.01)
    slow.key, quick.key = ("df", "@S"), ("df", "@Q")
    running = Running()
    assert running.claim(slow)
    assert running.claim(quick)
    lease = Lease(running, 60.0, Observer())
    thread = threading.Thread(target=lease.run)
    thread.start()
    for _ in range(3):
        assert others.changed.wait(10)
        others.changed.clear()
    answer.set()
    assert ended(lease, thread, slow)
    quick.stop.close()


def test_fields_that_the_service_refuses_are_left_out():
    source = Reports(RequestRefused("unknown field rows"))
    held = held_by(source, interval=0.05)
    held.progress = lambda: {"hostname": "h", "rows": "7", "attemptStatus": "copy"}
    lease, thread = lease_over(held)
    assert source.changed.wait(10)
    source.changed.clear()
    assert source.changed.wait(10)
    assert ended(lease, thread, held)
    assert source.taken[1] == ("task", {"hostname": "h", "attemptStatus": "copy"})
    assert held.stop.reason is None


def test_a_fault_of_ours_in_a_report_ends_the_loop_loudly():
    held = held_by(Reports(ZeroDivisionError("ours")), interval=0.01)
    running = Running()
    assert running.claim(held)
    lease = Lease(running, 60.0, Observer())
    with pytest.raises(ZeroDivisionError):
        lease.run()
    lease.close()
    held.stop.close()


def test_the_same_attempt_under_a_new_handle_goes_on():
    running = Running()
    first, second = held_by(Reports(), "old"), held_by(Reports(), "new")
    assert running.claim(first)
    assert not running.claim(second)
    assert first.task_id == "new"
    assert running.all() == [first]


def test_a_new_delivery_waits_for_the_end_of_the_lost_one():
    running = Running()
    first, second = held_by(Reports(), "old"), held_by(Reports(), "new")
    assert running.claim(first)
    first.stop.set(StopReason.LOST)
    claimed = []
    thread = threading.Thread(target=lambda: claimed.append(running.claim(second)))
    thread.start()
    thread.join(0.1)
    assert claimed == []
    running.release(first)
    thread.join(10)
    assert claimed == [True]
