"""Data Pipeline's periods (``15 minutes``, ``2 Hours``) and date-times (``YYYY-MM-DDTHH:MM:SS``, UTC).

Source: AWS Data Pipeline Developer Guide, *Simple data types*. Months and years have no fixed length; as a
time-out they count as 30 and 365 days.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

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
_PERIOD = re.compile(r"\s*(\d{1,9})\s+(second|minute|hour|day|week|month|year)s?\s*", re.IGNORECASE)


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


def parse_datetime(text: str) -> datetime:
    """Return the UTC time of ``YYYY-MM-DDTHH:MM:SS``.

    Raises:
        ValueError: the text has another form.
    """
    return datetime.strptime(text.strip(), "%Y-%m-%dT%H:%M:%S").replace(tzinfo=UTC)


def format_datetime(moment: datetime) -> str:
    """Return ``YYYY-MM-DDTHH:MM:SS`` in UTC, as the service writes it."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")
