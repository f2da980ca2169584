"""Fills the source, and changes it between the two runs."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from pathlib import Path

import rows
from databases import Database

#: All rows of the first load are older, all that changes afterwards is newer.
CHANGED_SINCE = "2024-01-01 00:00:00"
_YEAR = 2024  # a leap year: every day of the other years is in it

_TABLES = {
    "users": "user_id BIGINT NOT NULL PRIMARY KEY, email VARCHAR(80) NOT NULL, display_name VARCHAR(400), bio TEXT, "
    "country CHAR(2), is_instructor BOOLEAN, birth_date DATE, credit DECIMAL(12,2), updated_at {moment} NOT NULL",
    "courses": "course_id INTEGER NOT NULL PRIMARY KEY, slug VARCHAR(120) NOT NULL, title VARCHAR(400), "
    "description TEXT, price DECIMAL(8,2), is_free BOOLEAN, published_on DATE, updated_at {moment} NOT NULL",
    "enrollments": "event_id BIGINT NOT NULL PRIMARY KEY, user_id BIGINT NOT NULL, course_id INTEGER NOT NULL, "
    "status VARCHAR(16) NOT NULL, progress DECIMAL(5,2), grade DECIMAL(8,3), is_paid BOOLEAN, note TEXT, "
    "enrolled_on DATE, completed_at {moment}, updated_at {moment} NOT NULL",
}
_CHANGES = (
    (
        "UPDATE users SET display_name = CONCAT(COALESCE(display_name, ''), ' \U0001f393'), "
        "updated_at = '2024-02-03 04:05:06.000007' WHERE user_id % 50 = 7"
    ),
    "UPDATE courses SET price = price + 1, title = NULL, updated_at = '2024-02-03 04:05:06' WHERE course_id % 10 = 3",
    "DELETE FROM courses WHERE course_id % 40 = 0",
    (
        "UPDATE enrollments SET status = 'completed', progress = 100, note = '', "
        "updated_at = '2024-06-07 08:09:10.111213' WHERE event_id % 20 = 3"
    ),
)


def first_load(source: Database, count: int) -> None:
    """Create the tables anew and fill them: ``count`` enrollments, and 1 % more that are duplicates."""
    people = people_of(count)
    for table, columns in _TABLES.items():
        moment, options = ("DATETIME(6)", "CHARACTER SET utf8mb4 COLLATE utf8mb4_bin")
        if source.engine == "postgres":
            moment, options = ("TIMESTAMP", "")
        source.run(f"DROP TABLE IF EXISTS {table}")
        source.run(f"CREATE TABLE {table} ({columns.format(moment=moment)}) {options}")
    _load(source, "users", rows.users(1, people))
    _load(source, "courses", rows.courses(1, rows.COURSES))
    _load(source, "enrollments", rows.enrollments(range(count), 1, people))
    _load(source, "enrollments", rows.enrollments(range(0, count, 100), count + 1, people))
    source.run("CREATE INDEX enrollments_of_user ON enrollments (user_id, course_id, updated_at)")


def change(source: Database, count: int) -> None:
    """Change rows, add 5 % new ones and 4 % duplicates of both; some courses go away."""
    people, new = people_of(count), max(count // 20, 1)
    for statement in _CHANGES:
        source.run(statement)
    _load(source, "users", rows.users(people + 1, people + people // 50 + 1, _YEAR))
    _load(source, "courses", rows.courses(rows.COURSES + 1, rows.COURSES + 20, _YEAR))
    next_event = 2 * count
    for events in (range(count, count + new), range(0, count + new, 50), range(0, count + new, 50)):
        _load(source, "enrollments", rows.enrollments(events, next_event, people, _YEAR))
        next_event += len(events)


def people_of(count: int) -> int:
    """Return how many users have ``count`` enrollments."""
    return max(count // 20, 1)


def _load(source: Database, table: str, lines: Iterable[str]) -> None:
    with tempfile.NamedTemporaryFile("w", encoding="utf-8", newline="") as file:
        file.writelines(lines)
        file.flush()
        if source.engine == "mysql":
            source.run(f"LOAD DATA LOCAL INFILE '{file.name}' INTO TABLE {table} CHARACTER SET utf8mb4")
            return
        with Path(file.name).open("rb") as text, source.link.cursor() as cursor:
            cursor.copy_expert(f"COPY {table} FROM STDIN", text)
