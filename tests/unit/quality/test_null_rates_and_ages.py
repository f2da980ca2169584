from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from core.errors import ParameterError
from steps_impl.quality.ages import Age, age_report, read_moment
from steps_impl.quality.null_rates import null_query, null_reports, parse_limits
from steps_impl.tables.model import quote

PLACE = ("public", "users")
NOW = datetime(2026, 3, 29, 12, tzinfo=UTC)


def test_a_limit_is_a_share_behind_the_column_or_the_default() -> None:
    assert parse_limits(["email=0.5", "name", " a=b = 7"], 2.0) == {"email": 0.5, "name": 2.0, "a=b": 7.0}


@pytest.mark.parametrize("entry", ["email=x", "=5", "email=101", "email=-1", "email=nan", ""])
def test_a_share_that_is_none_is_refused(entry: str) -> None:
    with pytest.raises(ValueError, match=r"percent|PERCENT"):
        parse_limits([entry], 0.0)


def test_reserved_and_odd_names_are_quoted_in_the_query() -> None:
    assert null_query('"t"', ["order", 'a"b'], quote) == 'SELECT COUNT(*), COUNT("order"), COUNT("a""b") FROM "t"'


def test_each_column_is_judged_by_its_own_limit() -> None:
    passing, failing = null_reports(PLACE, {"a": 50.0, "b": 10.0}, [4, 2, 2])
    assert (passing.success, passing.error_rate) == (True, 50.0)
    assert (failing.success, failing.counts) == (False, {"rows": 4, "nulls": 2})


def test_no_rows_have_no_rate_unless_they_are_allowed() -> None:
    (strict,) = null_reports(PLACE, {"a": 100.0}, [0, 0])
    (mild,) = null_reports(PLACE, {"a": 0.0}, [0, 0], empty=0.0)
    assert (strict.success, mild.success) == (False, True)


@pytest.mark.parametrize(
    ("text", "zone", "expected"),
    [
        ("2026-03-29 11:00:00", "UTC", "2026-03-29T11:00:00+00:00"),
        ("2026-03-29 11:00:00.5", "Europe/Berlin", "2026-03-29T09:00:00.500000+00:00"),
        ("2026-03-29T11:00:00+02", "America/New_York", "2026-03-29T09:00:00+00:00"),
        ("2026-03-29 11:00:00-05:30", "UTC", "2026-03-29T16:30:00+00:00"),
        ("2025-10-26 02:30:00", "Europe/Berlin", "2025-10-26T00:30:00+00:00"),
        ("2026-03-29", "UTC", "2026-03-29T00:00:00+00:00"),
        ("infinity", "UTC", "9999-12-31T23:59:59.999999+00:00"),
        ("20000-01-01 00:00:00+00", "UTC", "9999-12-31T23:59:59.999999+00:00"),
        ("9999-12-31 23:59:59", "America/New_York", "9999-12-31T23:59:59.999999+00:00"),
        ("0001-01-01 00:00:00", "Asia/Tokyo", "0001-01-01T00:00:00+00:00"),
        ("0044-03-15 00:00:00 BC", "UTC", "0001-01-01T00:00:00+00:00"),
    ],
)
def test_a_moment_is_read_in_its_zone(text: str, zone: str, expected: str) -> None:
    assert read_moment(text, ZoneInfo(zone)).isoformat() == expected


@pytest.mark.parametrize("text", ["17", "2026-02-30", "0000-00-00 00:00:00", "2026-03-29 AD"])
def test_what_is_no_moment_is_refused(text: str) -> None:
    with pytest.raises(ParameterError, match="no date or time"):
        read_moment(text, ZoneInfo("UTC"))


def test_an_age_at_the_limit_passes_and_one_above_fails() -> None:
    limit = timedelta(hours=2)
    assert age_report(PLACE, "updated_at", Age(NOW - limit, NOW), limit).success
    assert not age_report(PLACE, "updated_at", Age(NOW - limit - timedelta(seconds=1), NOW), limit).success


def test_no_value_and_a_value_of_the_future_fail_without_a_rate() -> None:
    nothing = age_report(PLACE, "updated_at", Age(None, NOW), timedelta(days=1))
    ahead = age_report(PLACE, "updated_at", Age(NOW + timedelta(hours=1), NOW), timedelta(days=1))
    assert (nothing.error_rate, ahead.error_rate) == (None, None)
    assert "1:00:00 in the future" in ahead.finding


def test_clocks_that_differ_by_seconds_are_no_failure() -> None:
    assert age_report(PLACE, "updated_at", Age(NOW + timedelta(seconds=3), NOW), timedelta(days=1)).success
