"""Dates and times as COPY reads them (Developer Guide, "DATEFORMAT and TIMEFORMAT strings").

A format of the command becomes one of ``strptime``; ``'auto'`` tries the forms that AWS lists for it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Final

from sandbox.redshift.copy.faults import BadValue
from sandbox.redshift.errors import unknown

_DATE: Final = re.compile(r"([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})(?: .*)?")
_CLOCK: Final = r"([01]?[0-9]|2[0-3]):([0-5][0-9])(?::([0-5][0-9])(\.[0-9]{1,6})?)?"
_ZONE: Final = r"(Z|UTC|[-+][0-9]{2}(?::?[0-9]{2})?)"
_TIMESTAMP: Final = re.compile(rf"([0-9]{{4}}-[0-9]{{1,2}}-[0-9]{{1,2}})(?:( |T){_CLOCK} ?{_ZONE}?)?")
_TIME: Final = re.compile(rf"{_CLOCK} ?{_ZONE}?")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_AUTO_DATES: Final = (
    "%Y%m%d",
    "%Y/%m/%d",
    "%Y.%m.%d",
    "%Y.%j",
    "%m/%d/%Y",
    "%m-%d-%Y",
    "%m.%d.%Y",
    "%d-%b-%Y",
    "%d %b %Y",
    "%b %d, %Y",
    "%b %d %Y",
    "%b-%d-%Y",
    "%B %d, %Y",
    "%B %d %Y",
    "%d %B %Y",
)
_AUTO_CLOCKS: Final = ("%H:%M:%S", "%H:%M:%S.%f", "%H:%M", "%H%M%S", "%I:%M:%S %p", "%I:%M %p")
#: The longest first: ``MONTH`` before ``MON`` before ``MM``.
_PARTS: Final = (
    ("YYYY", "%Y"),
    ("MONTH", "%B"),
    ("HH24", "%H"),
    ("HH12", "%I"),
    ("DDD", "%j"),
    ("MON", "%b"),
    ("YY", "%y"),
    ("MM", "%m"),
    ("DD", "%d"),
    ("HH", "%H"),
    ("MI", "%M"),
    ("SS", "%S"),
    ("AM", "%p"),
    ("PM", "%p"),
)


@lru_cache
def strptime_format(text: str) -> str:
    """Return a DATEFORMAT or TIMEFORMAT as a format of ``strptime``.

    Raises:
        SqlError: it holds a part that is not known here.
    """
    pieces, at, upper = [], 0, text.upper()
    while at < len(text):
        part, code = next(((p, c) for p, c in _PARTS if upper.startswith(p, at)), (text[at], text[at]))
        if part.isalpha() and len(part) == 1 and part.upper() != "T":
            raise unknown(f"the DATEFORMAT or TIMEFORMAT {text!r}")
        pieces.append("%%" if code == "%" else code)
        at += len(part)
    return "".join(pieces)


def date_reader(form: str) -> Callable[[str], str]:
    """Return what reads the fields of a DATE column; ``form`` is that of the command, or nothing."""
    if form not in ("", "auto"):
        return lambda text: _formatted(text, form, 1205, "Date").date().isoformat()
    return lambda text: _date(text, form == "auto")


def timestamp_reader(zoned: bool, form: str) -> Callable[[str], str]:
    """Return what reads the fields of a TIMESTAMP or TIMESTAMPTZ column."""
    if form.startswith("epoch"):
        return lambda text: _epoch(text, 1000 if form == "epochmillisecs" else 1)
    if form not in ("", "auto"):
        return lambda text: _formatted(text, form, 1206, "timestamp").isoformat(sep=" ")
    return lambda text: _timestamp(text, zoned, form == "auto")


def read_time(text: str) -> str:
    """Read a field of a TIME or TIMETZ column."""
    if not _TIME.fullmatch(text):
        raise BadValue(1206, "Invalid time format or value [HH:MI:SS]")
    return text


def _date(text: str, any_form: bool) -> str:
    match = _DATE.fullmatch(text)
    if match:
        return _calendar(match[1], match[2], match[3])
    if any_form:
        found = _first(text, _AUTO_DATES) or _auto_moment(text)
        if found is None:
            raise BadValue(1205, "Invalid Date Format - not recognized by 'auto'")
        return found.date().isoformat()
    reason = "length must be 10 or more" if len(text) < 10 else "expected YYYY-MM-DD"
    raise BadValue(1205, f"Invalid Date Format - {reason}")


def _calendar(year: str, month: str, day: str) -> str:
    try:
        return date(int(year), int(month), int(day)).isoformat()
    except ValueError as error:
        raise BadValue(1205, "Invalid Date Format - no such day") from error


def _timestamp(text: str, zoned: bool, any_form: bool) -> str:
    match = _TIMESTAMP.fullmatch(text)
    if match is None and any_form and (found := _auto_moment(text)):
        return found.isoformat(sep=" ")
    bad = match is None or (not any_form and (match[2] == "T" or (match[7] and not zoned)))
    if match is None or bad:
        shape = "YYYY-MM-DD HH24:MI:SS" + ("OF" if zoned else "")
        raise BadValue(1206, f"Invalid timestamp format or value [{shape}]")
    day = _calendar(*match[1].split("-"))
    clock = f" {match[3]}:{match[4]}:{match[5] or '00'}{match[6] or ''}" if match[3] else ""
    return f"{day}{clock}{match[7] or ''}" if zoned else f"{day}{clock}"


def _auto_moment(text: str) -> datetime | None:
    """Read a day in one of the forms of ``'auto'``, with or without a time of day behind it."""
    return _first(text, (*_AUTO_DATES, *(f"{day} {clock}" for day in _AUTO_DATES for clock in _AUTO_CLOCKS)))


def _first(text: str, forms: tuple[str, ...]) -> datetime | None:
    for form in forms:
        try:
            return datetime.strptime(text, form)  # noqa: DTZ007 - a moment without a zone is what it is
        except ValueError:
            continue
    return None


def _formatted(text: str, form: str, code: int, kind: str) -> datetime:
    layout = strptime_format(form)
    found = _first(text, (layout, f"{layout}.%f") if layout.endswith("%S") else (layout,))
    if found is None:
        raise BadValue(code, f"Invalid {kind} format or value [{form}]")
    return found


def _epoch(text: str, per_second: int) -> str:
    if not re.fullmatch(r"-?[0-9]{1,15}(?:\.[0-9]{1,6})?", text):
        raise BadValue(1206, "Invalid timestamp format or value [epoch]")
    try:
        moment = _EPOCH + timedelta(seconds=float(Decimal(text) / per_second))
    except OverflowError as error:
        raise BadValue(1206, "Invalid timestamp format or value [epoch]") from error
    return moment.isoformat(sep=" ")
