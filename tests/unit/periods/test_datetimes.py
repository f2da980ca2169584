from __future__ import annotations

import pytest

from core.periods import format_datetime, parse_datetime


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("2012-09-25T17:00:00", "2012-09-25T17:00:00"),
        (" 2012-9-5T1:02:03 ", "2012-09-05T01:02:03"),
        ("2022-02-07T21:18:20.737+00:00", "2022-02-07T21:18:20"),
        ("2022-02-07T21:18:20Z", "2022-02-07T21:18:20"),
        ("2022-02-07T21:18:20+02:30", "2022-02-07T18:48:20"),
        ("2022-02-07T21:18:20-0230", "2022-02-07T23:48:20"),
    ],
)
def test_what_the_console_exports_is_read_as_utc(text: str, utc: str) -> None:
    assert format_datetime(parse_datetime(text)) == utc


@pytest.mark.parametrize(
    "text",
    [
        *("", "bad-time", "2012-09-25", "2012-09-25 17:00:00", "2012-13-25T17:00:00", "2012-02-30T17:00:00"),
        *("2012-09-25T17:00:00+1", "2012-09-25T17:00:00.", "２012-09-25T17:00:00", "0001-01-01T00:00:00+01:00"),
        "0000-01-01T00:00:00",
    ],
)
def test_what_is_no_date_time_is_refused(text: str) -> None:
    with pytest.raises((ValueError, OverflowError)):
        parse_datetime(text)
