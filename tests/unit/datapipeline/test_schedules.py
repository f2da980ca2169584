from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.periods import CalendarPeriod, add_months
from sandbox.datapipeline.schedules import Timetable

PERIODS = st.one_of(
    st.builds("{} minutes".format, st.integers(15, 10_000)),
    st.builds("{} days".format, st.integers(1, 1096)),
    st.builds("{} Months".format, st.integers(1, 36)),
    st.builds("{} years".format, st.integers(1, 3)),
)
#: 2000 to 2040.
STARTS = st.integers(946_684_800, 2_208_988_800).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))


def table(start: datetime, period: str, count: float = math.inf, *, at_end: bool = False) -> Timetable:
    return Timetable(start, CalendarPeriod.parse(period), count, at_end)


@given(STARTS, PERIODS, st.integers(0, 300))
def test_intervals_follow_one_another_without_gap_or_overlap(start: datetime, period: str, number: int) -> None:
    schedule = table(start, period)
    interval, following = schedule.interval(number), schedule.interval(number + 1)
    assert interval is not None
    assert following is not None
    assert interval.start < interval.end == following.start


@given(STARTS, PERIODS, st.integers(0, 300), st.floats(0, 1, exclude_min=True))
def test_the_number_of_a_moment_is_that_of_its_interval(
    start: datetime, period: str, number: int, share: float
) -> None:
    schedule = table(start, period)
    interval = schedule.interval(number)
    assert interval is not None
    assert schedule.number_from(interval.start) == number
    within = math.floor(interval.start + share * (interval.end - interval.start - 1)) + 1
    assert schedule.number_from(within) == number + 1
    assert schedule.number_over(within - 1) == number
    assert schedule.number_over(interval.end) == number + 1


def test_a_moment_before_the_start_belongs_to_the_first_interval() -> None:
    schedule = table(datetime(2020, 1, 1, tzinfo=UTC), "1 month")
    assert schedule.number_from(0.0) == schedule.number_over(0.0) == 0


@pytest.mark.parametrize(
    ("period", "expected"),
    [
        ("1 month", ["2024-01-31", "2024-02-29", "2024-03-31", "2024-04-30"]),
        ("2 Months", ["2024-01-31", "2024-03-31", "2024-05-31", "2024-07-31"]),
        ("1 year", ["2024-01-31", "2025-01-31", "2026-01-31", "2027-01-31"]),
        ("2 weeks", ["2024-01-31", "2024-02-14", "2024-02-28", "2024-03-13"]),
    ],
)
def test_months_and_years_go_by_the_calendar(period: str, expected: list[str]) -> None:
    schedule = table(datetime(2024, 1, 31, tzinfo=UTC), period)
    intervals = [schedule.interval(number) for number in range(4)]
    starts = [datetime.fromtimestamp(entry.start, UTC).date().isoformat() for entry in intervals if entry]
    assert starts == expected


def test_a_leap_day_recurs_on_the_last_of_february() -> None:
    schedule = table(datetime(2024, 2, 29, tzinfo=UTC), "1 year")
    last = schedule.interval(3)
    assert last is not None
    assert datetime.fromtimestamp(last.start, UTC) == datetime(2027, 2, 28, tzinfo=UTC)
    assert datetime.fromtimestamp(last.end, UTC) == datetime(2028, 2, 29, tzinfo=UTC)


def test_an_interval_may_start_at_its_end_with_timeseries() -> None:
    start = datetime(2024, 1, 1, tzinfo=UTC)
    for at_end, hours in ((False, 1), (True, 2)):
        interval = table(start, "1 hour", at_end=at_end).interval(1)
        assert interval is not None
        assert interval.due == (start + timedelta(hours=hours)).timestamp()


@pytest.mark.parametrize(("period", "number"), [("1 day", 366), ("1 month", 12), ("3 years", 1)])
def test_there_is_no_interval_beyond_the_count_or_the_calendar(period: str, number: int) -> None:
    schedule = table(datetime(9999, 1, 1, tzinfo=UTC), period)
    assert schedule.interval(number) is None
    assert table(datetime(2024, 1, 1, tzinfo=UTC), period, 5).interval(5) is None


@given(STARTS, st.integers(-400, 400))
def test_adding_months_keeps_the_day_or_takes_the_last_of_the_month(start: datetime, months: int) -> None:
    moved = add_months(start, months)
    assert (moved.year * 12 + moved.month) - (start.year * 12 + start.month) == months
    assert moved.day == start.day or (moved.day < start.day and (moved + timedelta(days=1)).day == 1)
