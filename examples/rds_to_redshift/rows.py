"""The rows of a learning platform: computed from their numbers, the same on every machine and in every run.

All texts are in the form that both MySQL's LOAD DATA and Postgres' COPY read by default: tabs between values,
backslash escapes, ``\\N`` for NULL.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

COURSES = 400
#: Every one of these must arrive as it is; ``None``, '', 'NULL' and '\N' are four different things.
TEXTS: tuple[str | None, ...] = (
    "plain",
    None,
    "",
    "NULL",
    "\\N",
    "tab\there",
    "two\nlines",
    "carriage\rreturn",
    "both\r\nof them",
    "back\\slash, and one at the end\\",
    'it\'s "quoted"',
    "emoji \U0001f600 \U0001f9d1\u200d\U0001f3eb",
    "日本語 Ελληνικά עברית",
    "composed \u00e9, combined e\u0301",
    "  blanks around  ",
    "comma, semicolon; pipe| caret^",
    "separators \x1d\x1e\x1f\x01",
    "'; DROP TABLE users; --",
    "%s %(name)s {0} $1 :name ?",
    "x" * 300,
)
#: Control characters are for the smaller tables: an extract writes the rows around them one by one.
_NOTES = tuple(text for text in TEXTS if text is None or "\x1d" not in text)
_DATES = ("0001-01-01", "9999-12-31", "1970-01-01", "2000-02-29", "1582-10-15", None)
_STATUSES = ("active", "completed", "paused", "refunded")
_PERIOD = 997  # prime, so that the values of a row hang together with no other number
_DAYS = tuple(str(date(2018, 1, 1) + timedelta(days=day)) for day in range(2000))
_TIMES = tuple(f"{n % 24:02d}:{n * 7 % 60:02d}:{n * 11 % 60:02d}.{n * 104_729 % 1_000_000:06d}" for n in range(_PERIOD))


def users(first: int, last: int, year: int = 0) -> Iterator[str]:
    """Yield the lines of users ``first`` (from 1) to ``last``; ``year`` replaces that of ``updated_at``."""
    for n in range(first, last + 1):
        values = (
            n,
            f"user{n}@example.org",
            _text(TEXTS[n % 20]) if n % 3 == 0 else f"Læner № {n}",
            _text(TEXTS[n // 20 % 20]),
            _or_null(n % 7, ("DE", "US", "JP", "BR")[n % 4]),
            _or_null(n % 5, n % 2),
            _text(_DATES[n % 6]),
            _or_null(n % 9, f"{(n * 7919 - 4_000_000) / 100:.2f}"),
            _moment(n, year),
        )
        yield "\t".join(map(str, values)) + "\n"


def courses(first: int, last: int, year: int = 0) -> Iterator[str]:
    """Yield the lines of courses ``first`` (from 1) to ``last``."""
    for n in range(first, last + 1):
        values = (
            n,
            f"course-{n}",
            _text(TEXTS[n % 20]),
            _text(TEXTS[(n + 7) % 20]),
            _or_null(n % 8, f"{n * 1.25:.2f}"),
            _or_null(n % 6, n % 2),
            _text(_DATES[n % 6]),
            _moment(n, year),
        )
        yield "\t".join(map(str, values)) + "\n"


def enrollments(events: range, first_event: int, people: int, year: int = 0) -> Iterator[str]:
    """Yield the lines of events; number ``i`` is always the enrollment of the same person in the same course.

    Two events with the same number are duplicates: they have the same (user_id, course_id). The event ids count on
    from ``first_event``.
    """
    tails = [_tail(k) for k in range(_PERIOD)]
    for event_id, i in enumerate(events, first_event):
        round_number, person = divmod(i, people)
        course = (person * 7 + round_number * 13) % COURSES + 1
        yield f"{event_id}\t{person + 1}\t{course}\t{tails[(i + event_id) % _PERIOD]}\t{_moment(event_id, year)}\n"


def _tail(k: int) -> str:
    """Return what depends on neither person nor course: all between ``course_id`` and ``updated_at``."""
    values = (
        _STATUSES[k % 4],
        _or_null(k % 5, f"{k % 101:.2f}"),
        _or_null(k % 3, f"{(k - 500) / 8:.3f}"),
        _or_null(k % 11, k % 2),
        _text(_NOTES[k // 2 % len(_NOTES)]) if k % 2 else "\\N",
        _text(_DATES[k % 6]),
        _or_null(k % 4, _moment(k * 31, 0)),
    )
    return "\t".join(map(str, values))


def _moment(n: int, year: int) -> str:
    """Return a time with microseconds; many events share one, so that the event id must decide."""
    day = _DAYS[n * 17 % len(_DAYS)]
    return f"{f'{year}{day[4:]}' if year else day} {_TIMES[n // 2 % _PERIOD]}"


def _or_null(present: int, value: object) -> object:
    return value if present else "\\N"


def _text(value: str | None) -> str:
    if value is None:
        return "\\N"
    return value.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r")
