"""How often failures are told."""

from __future__ import annotations

from agent.alerts.limits import HOUR, REMEMBERED, Kind, Limits

LOAD = Kind("df-1", "Load", "StatementFailed")
COPY = Kind("df-1", "Copy", "StatementFailed")


def test_the_same_failure_is_told_once_in_a_while_and_then_with_how_many_were_left_out():
    limits = Limits(per_hour=60, repeat_after=900)
    assert limits.admit(LOAD, 0.0) == 0
    assert [limits.admit(LOAD, at) for at in (1.0, 500.0, 899.9)] == [None] * 3
    assert limits.admit(LOAD, 900.0) == 3
    assert limits.admit(LOAD, 1800.0) == 0


def test_another_step_or_another_error_is_another_failure():
    limits = Limits(per_hour=60, repeat_after=900)
    kinds = (LOAD, COPY, Kind("df-2", "Load", "StatementFailed"), Kind("df-1", "Load", "Throttled"))
    assert [limits.admit(kind, 0.0) for kind in kinds] == [0] * 4


def test_beyond_the_cap_of_the_hour_failures_are_counted_and_told_together_at_its_end():
    limits = Limits(per_hour=2, repeat_after=0)
    assert [limits.admit(LOAD, float(at)) for at in range(5)] == [0, 0, None, None, None]
    assert limits.summary_due == HOUR
    assert limits.take_untold() == {LOAD: 3}
    assert limits.summary_due is None
    assert limits.admit(LOAD, HOUR) == 0


def test_without_a_failure_beyond_the_cap_no_summary_is_due():
    limits = Limits(per_hour=60, repeat_after=900)
    limits.admit(LOAD, 0.0)
    limits.admit(LOAD, 1.0)
    assert limits.summary_due is None
    assert limits.take_untold() == {LOAD: 1}


def test_what_is_remembered_is_bounded_and_nothing_goes_uncounted():
    limits = Limits(per_hour=1, repeat_after=900)
    many = 3 * REMEMBERED
    for number in range(many):
        limits.admit(Kind("df", f"Step{number}", "CommandFailed"), float(number) / many)
    untold = limits.take_untold()
    assert sum(untold.values()) == many - 1
    assert len(untold) <= REMEMBERED + 1
