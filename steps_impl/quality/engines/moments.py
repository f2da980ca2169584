"""Conditions on a column's time that every engine takes."""

from __future__ import annotations

from datetime import UTC, datetime

from core.errors import ParameterError
from core.periods import parse_datetime, parse_period
from steps_impl.quality.engines.end import End


def since_condition(end: End, text: str | None) -> str | None:
    """Return the condition of ``COLUMN=MOMENT`` (UTC, or a period back from now), ``None`` for ``None``.

    Raises:
        ParameterError: it is not of this form.
    """
    if text is None:
        return None
    column, found, moment = (part.strip() for part in text.partition("="))
    if not found or not column:
        raise ParameterError(f"--since {text!r}: write COLUMN=2026-01-31T00:00:00 or COLUMN=2 days")
    return f"{end.quote(column)} >= TIMESTAMP '{_moment(moment):%Y-%m-%d %H:%M:%S}'"


def _moment(text: str) -> datetime:
    try:
        return parse_datetime(text)
    except ValueError:
        try:
            return datetime.now(UTC) - parse_period(text)
        except (ValueError, OverflowError):
            raise ParameterError(f"--since: {text!r} is no moment; write 2026-01-31T00:00:00 or '2 days'") from None
