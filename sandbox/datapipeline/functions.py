"""The functions of the expression language.

Source: AWS Data Pipeline Developer Guide, *Date and time functions*: 25 functions; ``inTimeZone`` of an earlier
edition; ``plusPeriod`` of the SqlActivity page. ``firstOfMonth``, ``sunday`` and ``yesterday`` keep the time of day;
the Sunday of a Sunday is itself. Months and years that are added end in the last day of a shorter month.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from zoneinfo import ZoneInfo

from core.periods import add_months
from sandbox.datapipeline.joda import format_joda

Scalar = str | int | float | datetime
_DATETIME = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)(?:[T ](\d{1,2}):(\d\d)(?::(\d\d)(?:\.(\d{1,6}))?)?)?(?: ?(?:Z|UTC))?", re.I
)
_PERIOD = re.compile(r"\s*(\d{1,9})\s+(minute|hour|day|week|month|year)s?\s*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Function:
    """A function with the types of its arguments, as they are converted before the call."""

    arguments: tuple[Callable[[Scalar], Scalar], ...]
    run: Callable[..., Scalar]


def to_datetime(value: Scalar) -> datetime:
    """Return a date-time; text is read as ``YYYY-MM-DDTHH:MM:SS`` in UTC, a date alone as its midnight.

    Raises:
        ValueError: it is neither a date-time nor such a text.
    """
    if isinstance(value, datetime):
        return value
    match = _DATETIME.fullmatch(value.strip()) if isinstance(value, str) else None
    if not match:
        raise ValueError("a date-time of the form YYYY-MM-DDTHH:MM:SS is needed")
    year, month, day, hour, minute, second = (int(part or 0) for part in match.groups()[:6])
    return datetime(year, month, day, hour, minute, second, int((match[7] or "0").ljust(6, "0")), tzinfo=UTC)


def to_number(value: Scalar) -> int | float:
    """Return a number; text is read as a whole or decimal number.

    Raises:
        ValueError: it is neither a number nor such a text.
    """
    if isinstance(value, int | float):
        return value
    match = re.fullmatch(r"\s*[+-]?(\d{1,18})(\.\d{1,18})?\s*", value, re.ASCII) if isinstance(value, str) else None
    if not match or not isinstance(value, str):
        raise ValueError("a number is needed")
    return float(value) if match[2] else int(value)


def to_text(value: Scalar) -> str:
    """Return a value as the service writes it; a date-time as ``YYYY-MM-DDTHH:MM:SS``."""
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%dT%H:%M:%S}".rjust(19, "0")
    return str(value)


def _whole(value: Scalar) -> int:
    number = to_number(value)
    if isinstance(number, float):
        raise ValueError("a whole number is needed")  # noqa: TRY004 - one kind of error for all conversions
    return number


def _shift(moment: datetime, **amount: int) -> datetime:
    return moment + timedelta(**amount)


def _shift_time(moment: datetime, **amount: int) -> datetime:
    """Shift by elapsed time, which differs from clock time where a time zone changes its offset."""
    return (moment.astimezone(UTC) + timedelta(**amount)).astimezone(moment.tzinfo)


_SHIFTS: dict[str, Callable[[datetime, int], datetime]] = {
    "Minutes": lambda moment, count: _shift_time(moment, minutes=count),
    "Hours": lambda moment, count: _shift_time(moment, hours=count),
    "Days": lambda moment, count: _shift(moment, days=count),
    "Weeks": lambda moment, count: _shift(moment, weeks=count),
    "Months": add_months,
    "Years": lambda moment, count: add_months(moment, 12 * count),
}


def _add(unit: str, sign: int, moment: datetime, count: int) -> datetime:
    return _SHIFTS[unit](moment, sign * count)


def _plus_period(moment: datetime, period: str) -> datetime:
    match = _PERIOD.fullmatch(period)
    if not match:
        raise ValueError("a period such as '1 day' is needed")
    return _SHIFTS[f"{match[2].capitalize()}s"](moment, int(match[1]))


def _sunday(moment: datetime) -> datetime:
    return moment - timedelta(days=moment.isoweekday() % 7)


def _make(year: int, month: int, day: int, hour: int = 0, minute: int = 0) -> datetime:
    return datetime(year, month, day, hour, minute, tzinfo=UTC)


def _in_time_zone(moment: datetime, zone: str) -> datetime:
    try:
        return moment.astimezone(ZoneInfo(zone))
    except (KeyError, OSError, ValueError) as error:
        raise ValueError("a time zone such as 'America/Los_Angeles' is needed") from error


def _of(run: Callable[..., Scalar], *arguments: Callable[[Scalar], Scalar]) -> Function:
    return Function((to_datetime, *arguments), run)


#: Every function by its name.
FUNCTIONS: dict[str, Function] = {
    "day": _of(lambda moment: moment.day),
    "dayOfYear": _of(lambda moment: moment.timetuple().tm_yday),
    "firstOfMonth": _of(lambda moment: moment.replace(day=1)),
    "format": _of(format_joda, to_text),
    "hour": _of(lambda moment: moment.hour),
    "inTimeZone": _of(_in_time_zone, to_text),
    "makeDate": Function((_whole,) * 3, _make),
    "makeDateTime": Function((_whole,) * 5, _make),
    "midnight": _of(lambda moment: moment.replace(hour=0, minute=0, second=0, microsecond=0)),
    "minute": _of(lambda moment: moment.minute),
    "month": _of(lambda moment: moment.month),
    "plusPeriod": _of(_plus_period, to_text),
    "sunday": _of(_sunday),
    "year": _of(lambda moment: moment.year),
    "yesterday": _of(lambda moment: moment - timedelta(days=1)),
    **{f"plus{unit}": _of(partial(_add, unit, 1), _whole) for unit in _SHIFTS},
    **{f"minus{unit}": _of(partial(_add, unit, -1), _whole) for unit in _SHIFTS},
}
