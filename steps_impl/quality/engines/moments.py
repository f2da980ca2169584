"""Conditions on a column's time that every engine takes."""

from __future__ import annotations

from datetime import UTC, datetime

from core.errors import ParameterError
from core.periods import parse_datetime, parse_period
from steps_impl.quality.engines.end import End


def since_condition(end: End, text: str | None, relation: str) -> str | None:
    """Return the condition of ``COLUMN=MOMENT`` (UTC, or a period back from now), ``None`` for ``None``.

    Raises:
        ParameterError: it is not of this form, or what stands behind FROM has no such date or time.
    """
    if text is None:
        return None
    name, found, moment = (part.strip() for part in text.partition("="))
    if not found or not name:
        raise ParameterError(f"--since {text!r}: write COLUMN=2026-01-31T00:00:00 or COLUMN=2 days")
    since = f"TIMESTAMP '{_moment(moment):%Y-%m-%d %H:%M:%S}'"
    column = next((column for column in end.columns(relation) if column.name.lower() == name.lower()), None)
    if column is None or column.kind not in {"date", "timestamp", "timestamptz"}:
        raise ParameterError(f"--since: {name} is {column.type if column else 'no column'} in {end.where}; name a date")
    return f"{end.quote(column.name)} >= {since}"


def _moment(text: str) -> datetime:
    try:
        return parse_datetime(text)
    except ValueError:
        try:
            return datetime.now(UTC) - parse_period(text)
        except (ValueError, OverflowError):
            raise ParameterError(f"--since: {text!r} is no moment; write 2026-01-31T00:00:00 or '2 days'") from None
