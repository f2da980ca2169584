"""Calls are let through up to the rate, and to a lower one while the service throttles."""

from __future__ import annotations

import pytest

from agent import budget
from agent.budget import Budget


class Time:
    """Stands still but for those who wait."""

    def __init__(self, monkeypatch):
        self.now = 0.0
        monkeypatch.setattr(budget.time, "monotonic", lambda: self.now)

    def wait(self, seconds):
        self.now += seconds


@pytest.fixture
def clock(monkeypatch):
    return Time(monkeypatch)


def seconds_for(calls, allowance, clock):
    begin = clock.now
    for _ in range(calls):
        allowance.take(clock)
    return clock.now - begin


def test_a_burst_goes_at_once_and_then_the_rate_holds(clock):
    allowance = Budget(8.0, burst=100)
    assert seconds_for(100, allowance, clock) == 0
    assert seconds_for(80, allowance, clock) == pytest.approx(10)


def test_a_quiet_time_gives_the_burst_back_and_no_more(clock):
    allowance = Budget(8.0, burst=10)
    seconds_for(10, allowance, clock)
    clock.now += 3600
    assert seconds_for(10, allowance, clock) == 0
    assert seconds_for(8, allowance, clock) == pytest.approx(1)


def test_throttling_slows_everybody_down_and_passes(clock):
    allowance = Budget(8.0, burst=10)
    allowance.throttled()
    slow = seconds_for(8, allowance, clock)
    assert slow > 1.8
    clock.now += 10 * budget.RECOVERY
    seconds_for(10, allowance, clock)
    assert seconds_for(8, allowance, clock) == pytest.approx(1)


def test_however_often_it_throttles_calls_still_go_out(clock):
    allowance = Budget(8.0)
    for _ in range(100):
        allowance.throttled()
    assert seconds_for(1, allowance, clock) <= 1 / (8.0 * budget.SMALLEST)
