"""How old the newest value of a column is, by the database's own clock."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from core.errors import ParameterError
from steps_impl.quality.report import CheckReport

#: A newest value that lies further in the future says that clock or time zone are wrong.
AHEAD = timedelta(minutes=5)
_MOMENT = re.compile(
    r"(\d{4,6})-(\d\d)-(\d\d)(?:[ T](\d\d):(\d\d):(\d\d)(?:\.(\d{1,6})\d*)?)?(Z|[+-]\d\d(?::?\d\d)?)?( BC)?"
)
#: What stands for moments that lie outside of the years 1 to 9999, such as Postgres' ``infinity``.
_FIRST, _LAST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
_ENDLESS = {"-infinity": _FIRST, "infinity": _LAST}
_NO_TIME = "the newest value of the column is no date or time; name a date or timestamp column"


@dataclass(frozen=True)
class Age:
    """The newest value and the database's clock, both in UTC; ``newest`` is ``None`` where there is no value."""

    newest: datetime | None
    now: datetime

    @property
    def seconds(self) -> float | None:
        """How old the newest value is."""
        return (self.now - self.newest).total_seconds() if self.newest else None


def read_moment(text: str, zone: ZoneInfo) -> datetime:
    """Return a database's text of a date or a time as UTC; one without a zone is a time of day in ``zone``.

    Of an hour that a change of clocks repeats the earlier one is taken: the age is never told too small. What lies
    outside of the years 1 to 9999 is the first or last moment of them.

    Raises:
        ParameterError: it is neither.
    """
    if endless := _ENDLESS.get(text.strip()):
        return endless
    match = _MOMENT.fullmatch(text.strip())
    if match is None:
        raise ParameterError(_NO_TIME)
    year, month, day, hour, minute, second = (int(part or 0) for part in match.groups()[:6])
    if match[9] or year > _LAST.year:
        return _FIRST if match[9] else _LAST
    fraction = int((match[7] or "0").ljust(6, "0"))
    try:
        moment = datetime(year, month, day, hour, minute, second, fraction, UTC)
    except ValueError:
        raise ParameterError(_NO_TIME) from None
    try:
        return moment - _offset(match[8]) if match[8] else moment.replace(tzinfo=zone).astimezone(UTC)
    except OverflowError:
        return _FIRST if year == _FIRST.year else _LAST


def _offset(text: str) -> timedelta:
    if text == "Z":
        return timedelta(0)
    digits = text[1:].replace(":", "").ljust(4, "0")
    length = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return -length if text[0] == "-" else length


def age_report(place: tuple[str, str], what: str, age: Age, limit: timedelta, ahead: timedelta = AHEAD) -> CheckReport:
    """Return the report on an age; no value at all, and one of the future, have no rate and fail."""
    seconds = age.seconds
    finding = f"there is no value in {what}"
    if seconds is not None:
        finding = f"the newest {what} is {timedelta(seconds=round(seconds))} old; allowed are {limit}"
    if seconds is not None and seconds < -ahead.total_seconds():
        finding = f"the newest {what} is {timedelta(seconds=round(-seconds))} in the future; check clock and time zone"
        seconds = None
    return CheckReport(
        check=f"freshness of {what}",
        schema=place[0],
        table=place[1],
        tolerance=limit.total_seconds(),
        error_rate=None if seconds is None else max(seconds, 0.0),
        counts={"newest": age.newest.isoformat() if age.newest else None, "clock": age.now.isoformat()},
        finding=finding,
        unit="s",
    )
