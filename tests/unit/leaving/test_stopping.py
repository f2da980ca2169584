from __future__ import annotations

import os
import signal
import time

import pytest

from agent.control import Control
from agent.leaving.mailbox import Heard, Mailbox
from agent.leaving.stopping import Limits, Stopping


@pytest.fixture
def control() -> Control:
    return Control(Mailbox())


def test_the_earliest_end_of_several_reasons_counts(control: Control) -> None:
    control.drain("lifecycle", 50.0, "Auto Scaling")
    control.drain("spot", 20.0, "EC2")
    control.drain("rebalance")
    assert control.reason == "lifecycle"
    assert control.end == (20.0, "EC2")


def test_a_reason_that_says_more_time_gets_it(control: Control) -> None:
    control.drain("lifecycle", 50.0, "first")
    control.drain("lifecycle", 80.0, "later")
    assert control.end == (80.0, "later")


def test_a_withdrawn_end_is_gone_and_the_drain_is_not(control: Control) -> None:
    control.drain("spot", 20.0)
    control.drain("spot")
    assert control.end is None
    assert control.reason == "spot"


def test_a_moment_that_has_passed_ends_the_attempts_and_says_why(control: Control) -> None:
    stopping = Stopping(control, Limits(), drain_timeout=None)
    control.drain("spot", time.monotonic() - 1, "EC2 reclaims it")
    assert stopping.begin(None, broken=False) == "spot"
    assert stopping.hurry(broken=False) == "EC2 reclaims it"


def test_a_moment_to_come_is_waited_for(control: Control) -> None:
    stopping = Stopping(control, Limits(), drain_timeout=None)
    control.drain("spot", time.monotonic() + 100)
    stopping.begin(None, broken=False)
    assert stopping.hurry(broken=False) is None
    assert stopping.patience(None) == pytest.approx(100, abs=1)


def test_the_drain_time_out_counts_from_the_beginning_of_the_drain(control: Control) -> None:
    stopping = Stopping(control, Limits(), drain_timeout=10)
    stopping.hear(Heard(stops=1))
    assert stopping.begin(None, broken=False) == "signal"
    assert stopping.patience(None) == pytest.approx(10, abs=1)


def test_an_agent_without_limits_sleeps_until_it_is_woken(control: Control) -> None:
    assert Stopping(control, Limits(), drain_timeout=10).patience(time.monotonic()) is None


def test_a_busy_agent_is_not_idle(control: Control) -> None:
    stopping = Stopping(control, Limits(idle_exit=5), drain_timeout=None)
    assert stopping.begin(None, broken=False) is None
    assert stopping.patience(None) == pytest.approx(5, abs=1)
    assert stopping.begin(time.monotonic() - 6, broken=False) == "idle"


def test_the_uptime_ends_whatever_runs(control: Control) -> None:
    stopping = Stopping(control, Limits(max_uptime=0), drain_timeout=None)
    assert stopping.begin(None, broken=False) == "max_uptime"
    assert stopping.begin(None, broken=False) is None


def test_quit_and_term_are_counted_apart(control: Control) -> None:
    stopping = Stopping(control, Limits(), drain_timeout=None)
    stopping.hear(Heard(quit=True))
    assert stopping.hurry(broken=False)
    stopping.hear(Heard(stops=2))
    assert not stopping.at_once
    stopping.hear(Heard(stops=1))
    assert stopping.at_once


def test_nudges_never_crowd_out_a_signal() -> None:
    mailbox = Mailbox()
    before = {
        number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT, signal.SIGHUP)
    }
    try:
        mailbox.catch_signals()
        for _ in range(100_000):
            mailbox.nudge()
        os.kill(os.getpid(), signal.SIGTERM)
        os.kill(os.getpid(), signal.SIGHUP)
        assert mailbox.wait(0) == Heard(stops=1)
        assert mailbox.wait(0) == Heard()
    finally:
        signal.set_wakeup_fd(-1)
        for number, handler in before.items():
            signal.signal(number, handler)
