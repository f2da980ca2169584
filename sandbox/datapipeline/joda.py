"""Formatting of date-times by Joda patterns, taken literally.

Source: Joda-Time, *DateTimeFormat*; AWS Data Pipeline Developer Guide, *Date and time functions*. ``Y`` is the year
of era, ``D`` the day of the year, ``hh`` the hour of a 12-hour clock, ``HH`` of a 24-hour clock, ``MM`` the month and
``mm`` the minute: ``YYYY-MM-DD`` therefore ends in the day of the year. Text is in English.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import lru_cache

_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_SHORT = 3
_TOKEN = re.compile(r"''|'(?:[^']|'')*'|([A-Za-z])\1*|[^A-Za-z']+")


def format_joda(moment: datetime, pattern: str) -> str:
    """Return ``moment`` as the pattern says.

    Raises:
        ValueError: the pattern has a letter that Joda does not know, or a quote that is not closed.
    """
    return "".join(item if isinstance(item, str) else item(moment) for item in _compile(pattern))


@lru_cache(maxsize=512)
def _compile(pattern: str) -> tuple[str | Callable[[datetime], str], ...]:
    items: list[str | Callable[[datetime], str]] = []
    position = 0
    while position < len(pattern):
        match = _TOKEN.match(pattern, position)
        if not match:
            raise ValueError("a quote of the pattern is not closed")
        items.append(_item(match[0]))
        position = match.end()
    return tuple(items)


def _item(run: str) -> str | Callable[[datetime], str]:
    if run.startswith("'"):
        return "'" if run == "''" else run[1:-1].replace("''", "'")
    if not run[0].isalpha():
        return run
    letter, width = run[0], len(run)
    if letter in _NUMBERS:
        number = _NUMBERS[letter]
        return lambda moment: str(number(moment)).zfill(width)
    if letter in _TEXTS:
        text = _TEXTS[letter]
        return lambda moment: text(moment, width)
    raise ValueError(f"{letter!r} is not a letter of a Joda pattern")


def _year(moment: datetime, width: int) -> str:
    return f"{moment.year % 100:02d}" if width == 2 else str(moment.year).zfill(width)


def _week_year(moment: datetime, width: int) -> str:
    year = moment.isocalendar().year
    return f"{year % 100:02d}" if width == 2 else str(year).zfill(width)


def _name(name: str, width: int) -> str:
    return name if width > _SHORT else name[:_SHORT]


def _month(moment: datetime, width: int) -> str:
    if width <= 2:
        return str(moment.month).zfill(width)
    return _name(_MONTHS[moment.month - 1], width)


def _weekday(moment: datetime, width: int) -> str:
    return _name(_WEEKDAYS[moment.weekday()], width)


def _fraction(moment: datetime, width: int) -> str:
    return f"{moment.microsecond:06d}".ljust(width, "0")[:width]


def _zone_name(moment: datetime, width: int) -> str:
    name = moment.tzname() or "UTC"
    return "Coordinated Universal Time" if width > 3 and name == "UTC" else name


def _offset(moment: datetime, width: int) -> str:
    if width > 2:
        return getattr(moment.tzinfo, "key", None) or moment.tzname() or "UTC"
    minutes = (moment.utcoffset() or timedelta()) // timedelta(minutes=1)
    sign, colon = "-" if minutes < 0 else "+", ":" if width == 2 else ""
    return f"{sign}{abs(minutes) // 60:02d}{colon}{abs(minutes) % 60:02d}"


_NUMBERS: dict[str, Callable[[datetime], int]] = {
    "C": lambda moment: moment.year // 100,
    "D": lambda moment: moment.timetuple().tm_yday,
    "H": lambda moment: moment.hour,
    "K": lambda moment: moment.hour % 12,
    "d": lambda moment: moment.day,
    "e": lambda moment: moment.isoweekday(),
    "h": lambda moment: moment.hour % 12 or 12,
    "k": lambda moment: moment.hour or 24,
    "m": lambda moment: moment.minute,
    "s": lambda moment: moment.second,
    "w": lambda moment: moment.isocalendar().week,
}
_TEXTS: dict[str, Callable[[datetime, int], str]] = {
    "E": _weekday,
    "G": lambda _moment, _width: "AD",
    "M": _month,
    "S": _fraction,
    "Y": _year,
    "Z": _offset,
    "a": lambda moment, _width: "AM" if moment.hour < 12 else "PM",
    "x": _week_year,
    "y": _year,
    "z": _zone_name,
}
