"""Alive, ready, and the sentence that says why not."""

from __future__ import annotations

import pytest

from core.errors import AccessDenied, StoreUnreachable, Throttled


@pytest.fixture
def ready(observed):
    observed.contact.answered("PollForTask")
    assert observed.readiness.reasons() == []
    return observed


def test_before_the_service_was_reached_the_agent_is_starting(observed):
    assert observed.readiness.state() == "starting"
    assert observed.readiness.reasons() == ["the service has not been reached yet"]


def test_an_agent_that_polls_is_idle_and_one_with_a_task_works(ready):
    assert ready.readiness.state() == "idle"
    ready.watcher.occupied("etl", 1, 2)
    assert ready.readiness.state() == "working"
    assert ready.readiness.reasons() == []


def test_a_loop_that_is_late_is_stuck_and_named(ready):
    ready.turns.mark(-61.0)
    assert ready.readiness.state() == "stuck"
    assert ready.readiness.reasons() == ["the loop MainThread is 1 min 1 s late"]


def test_a_loop_that_waits_for_others_is_not_stuck(ready):
    ready.turns.mark(-1.0)
    ready.turns.mark(None)
    assert ready.readiness.stuck() == {}


def test_a_closed_gate_says_what_closed_it(ready):
    ready.gate.hold("disk", "12 MiB free")
    assert ready.readiness.state() == "held"
    assert ready.readiness.reasons() == ["held by disk: 12 MiB free"]


def test_a_draining_agent_is_not_ready(ready):
    ready.watcher.draining("signal")
    assert ready.readiness.state() == "draining"
    assert ready.readiness.reasons() == ["draining: signal"]


def test_polls_that_are_not_answered_are_a_reason_until_the_next_answer(ready):
    error = StoreUnreachable("no answer from there")
    ready.contact.failed("PollForTask", error)
    ready.watcher.polled("etl", taken=False, error=error)
    assert ready.readiness.state() == "unreachable"
    [reason] = ready.readiness.reasons()
    assert reason.startswith("no poll for etl was answered since ")
    assert reason.endswith("StoreUnreachable: no answer from there")
    ready.watcher.polled("etl", taken=False, error=None)
    assert ready.readiness.reasons() == []


def test_a_new_open_poll_after_a_refused_connection_is_reason_enough_to_be_ready(ready):
    error = StoreUnreachable("refused")
    ready.contact.failed("PollForTask", error)
    ready.watcher.polled("etl", taken=False, error=error)
    ready.contact.sent()
    assert ready.readiness.reasons() == []


def test_refused_keys_stay_a_reason_while_the_next_poll_is_open(ready):
    error = AccessDenied("no")
    ready.contact.failed("PollForTask", error)
    ready.watcher.polled("reports", taken=False, error=error)
    ready.contact.sent()
    [reason] = ready.readiness.reasons()
    assert "AccessDenied" in reason


def test_a_throttled_poll_is_no_reason(ready):
    ready.watcher.polled("etl", taken=False, error=Throttled("slow down"))
    assert ready.readiness.reasons() == []


def test_silence_is_a_reason_but_not_while_no_call_is_due(ready):
    ready.contact._last -= 200
    assert ready.readiness.reasons() == ["the service was not reached for 3 min 20 s"]
    assert not ready.readiness.reached_within(150)
    ready.gate.hold("disk", "full")
    assert ready.readiness.reached_within(150)
    ready.watcher.occupied("etl", 1, 2)
    assert not ready.readiness.reached_within(150)
