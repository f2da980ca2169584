"""Data Pipeline's periods (``15 minutes``, ``2 Hours``) and date-times (``YYYY-MM-DDTHH:MM:SS``, UTC).

Source: AWS Data Pipeline Developer Guide, *Simple data types*. Months and years have no fixed length; as a
time-out they count as 30 and 365 days, a schedule counts them by the calendar.
"""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Self

SECONDS_PER_UNIT = {
    "second": 1,
    "minute": 60,
    "hour": 3600,
    "day": 86_400,
    "week": 7 * 86_400,
    "month": 30 * 86_400,
    "year": 365 * 86_400,
}
#: The longest period; a timedelta holds 2.7 million years, a wait of the operating system far less.
LONGEST = timedelta(days=365 * 1000)
_MONTHS_PER_UNIT = {"month": 1, "year": 12}
_PERIOD = re.compile(r"\s*(\d{1,9})\s+(second|minute|hour|day|week|month|year)s?\s*", re.IGNORECASE)
_DATETIME = re.compile(
    r"(\d{4})-(\d\d?)-(\d\d?)T(\d\d?):(\d\d?):(\d\d?)(?:\.\d{1,9})?(?:Z|([+-]\d\d):?(\d\d))?", re.ASCII
)


def parse_period(text: str) -> timedelta:
    """Return the length of a period such as ``2 Hours``.

    Raises:
        ValueError: the text is not a period.
    """
    match = _PERIOD.fullmatch(text)
    if not match:
        raise ValueError(f"{text!r} is not a period; write a number and a unit, for example '15 minutes'")
    seconds = int(match[1]) * SECONDS_PER_UNIT[match[2].lower()]
    if seconds > LONGEST.total_seconds():
        raise ValueError(f"{text!r} is longer than anything can wait; write at most '1000 years'")
    return timedelta(seconds=seconds)


@dataclass(frozen=True, slots=True)
class CalendarPeriod:
    """A period by the calendar: whole months, or a fixed length; one of the two is nothing."""

    months: int
    length: timedelta

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a period such as ``15 minutes`` or ``2 Months``.

        Raises:
            ValueError: the text is not a period.
        """
        length = parse_period(text)
        number, unit = text.split()
        months = int(number) * _MONTHS_PER_UNIT.get(unit.lower().removesuffix("s"), 0)
        return cls(months, timedelta() if months else length)

    def after(self, moment: datetime, times: int) -> datetime:
        """Return the moment that lies so many periods later, or earlier.

        Raises:
            OverflowError: it lies outside the years 1 to 9999.
        """
        return add_months(moment, self.months * times) if self.months else moment + self.length * times


def add_months(moment: datetime, months: int) -> datetime:
    """Return the same day and time some months later or earlier; the last day of a shorter month.

    Raises:
        OverflowError: the result lies outside the years 1 to 9999.
    """
    year, month = divmod(moment.year * 12 + moment.month - 1 + months, 12)
    if not 1 <= year <= 9999:
        raise OverflowError("the result lies outside the years 1 to 9999")
    last_day = calendar.monthrange(year, month + 1)[1]
    return moment.replace(year=year, month=month + 1, day=min(moment.day, last_day))


def parse_datetime(text: str) -> datetime:
    """Return the UTC time of ``YYYY-MM-DDTHH:MM:SS``; a fraction is left out, ``Z`` or an offset counts.

    The console's exports have both: ``2022-02-07T21:18:20.737+00:00``.

    Raises:
        ValueError: the text has another form.
        OverflowError: in UTC it lies outside the years 1 to 9999.
    """
    matched = _DATETIME.fullmatch(text.strip())
    if matched is None:
        raise ValueError("a date-time of the form YYYY-MM-DDTHH:MM:SS is needed")
    *parts, hours, minutes = matched.groups(default="0")
    year, month, day, hour, minute, second = map(int, parts)
    ahead = timedelta(hours=int(hours), minutes=int(f"{hours[0]}{minutes}") if hours[0] in "+-" else 0)
    return datetime(year, month, day, hour, minute, second, tzinfo=UTC) - ahead


def format_datetime(moment: datetime) -> str:
    """Return ``YYYY-MM-DDTHH:MM:SS`` in UTC, as the service writes it."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")
