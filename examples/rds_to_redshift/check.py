"""The closing check: what the warehouse holds against what the source says it must hold.

By SQL of the two engines only: nothing of the steps, their files or their libraries is used. Each table becomes a few
numbers on either side: rows, NULLs, '', 'NULL' and '\\N' in each text column, and a checksum of all values of all
rows: the sum of 60 bits of each row's MD5. The text of a row is the same on both engines and has one reading only:
each value ends with ``|``, texts begin with their length and a colon, NULL is ``N``.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from databases import Database, Engine, open_source, open_warehouse, read_configuration

SCHEMA = "learning"
#: Columns and their kinds, in any order that both sides share.
TABLES = {
    "users": {
        "user_id": "number",
        "email": "text",
        "display_name": "text",
        "bio": "text",
        "country": "text",
        "is_instructor": "truth",
        "birth_date": "date",
        "credit": "number",
        "updated_at": "moment",
    },
    "courses": {
        "course_id": "number",
        "slug": "text",
        "title": "text",
        "description": "text",
        "price": "number",
        "is_free": "truth",
        "published_on": "date",
        "updated_at": "moment",
    },
    "enrollments": {
        "event_id": "number",
        "user_id": "number",
        "course_id": "number",
        "status": "text",
        "progress": "number",
        "grade": "number",
        "is_paid": "truth",
        "note": "text",
        "enrolled_on": "date",
        "completed_at": "moment",
        "updated_at": "moment",
    },
}
#: Of several events of one person in one course the newest counts, of the newest the one with the highest number.
_WINNERS = """(SELECT e.* FROM enrollments AS e WHERE NOT EXISTS (
  SELECT 1 FROM enrollments AS n WHERE n.user_id = e.user_id AND n.course_id = e.course_id
  AND (n.updated_at > e.updated_at OR n.updated_at = e.updated_at AND n.event_id > e.event_id))) AS expected"""


@dataclass(frozen=True)
class Dialect:
    """How one engine writes what the engines do not share."""

    text_of: dict[str, str]
    concatenate: Callable[[list[str]], str]
    #: The number in the first 15 hexadecimal digits of a text's MD5.
    digest: str
    backslash: str


_SHARED = {"text": "{}", "truth": "CASE {} WHEN TRUE THEN '1' WHEN FALSE THEN '0' END"}
_LIKE_POSTGRES = {
    **_SHARED,
    "number": "CAST({} AS VARCHAR(64))",
    "date": "TO_CHAR({}, 'YYYY-MM-DD')",
    "moment": "TO_CHAR({}, 'YYYY-MM-DD HH24:MI:SS.US')",
}
_MYSQL_TEXTS = {**_SHARED, **dict.fromkeys(("number", "date", "moment"), "CAST({} AS CHAR)")}
_DIALECTS: dict[Engine, Dialect] = {
    "mysql": Dialect(
        _MYSQL_TEXTS,
        lambda parts: f"CONCAT({', '.join(parts)})",
        "CAST(CONV(LEFT(MD5({}), 15), 16, 10) AS UNSIGNED)",
        "CHAR(92 USING utf8mb4)",
    ),
    "postgres": Dialect(_LIKE_POSTGRES, " || ".join, "('x0' || LEFT(MD5({}), 15))::bit(64)::bigint", "CHR(92)"),
    "redshift": Dialect(_LIKE_POSTGRES, " || ".join, "STRTOL(LEFT(MD5({}), 15), 16)", "CHR(92)"),
}


def differences(source: Database, warehouse: Database) -> list[str]:
    """Return one sentence for each thing that is not as it must be; none: all is right."""
    found = [f"{name} is left over in the warehouse" for name in leftovers(warehouse)]
    with ThreadPoolExecutor() as pool:  # each server has a processor of its own to work with
        expected = pool.submit(fingerprints, source, {**{name: name for name in TABLES}, "enrollments": _WINNERS})
        actual = pool.submit(fingerprints, warehouse, {name: f"{SCHEMA}.{name}" for name in TABLES})
    for (what, must), (_, is_there) in zip(expected.result(), actual.result(), strict=True):
        if must != is_there:
            found.append(f"{what} must be {must} as in the source, but is {is_there} in the warehouse")
    return found


def fingerprints(database: Database, relations: Mapping[str, str]) -> list[tuple[str, int]]:
    """Return the numbers of all tables, each with what it is."""
    return [
        (f"{table}: {name}", number)
        for table, relation in relations.items()
        for name, number in fingerprint(database, table, relation).items()
    ]


def fingerprint(database: Database, table: str, relation: str) -> dict[str, int]:
    """Return the numbers of a table by name."""
    dialect, columns = _DIALECTS[database.engine], TABLES[table]
    numbers = {"the number of rows": "COUNT(*)"}
    for column in (name for name, kind in columns.items() if kind == "text"):
        for word, condition in _conditions(dialect, column).items():
            numbers[f"the number of {word} in {column}"] = _sum(f"CASE WHEN {condition} THEN 1 ELSE 0 END")
    numbers["the checksum"] = _sum(dialect.digest.format(_row_text(dialect, columns)))
    (row,) = database.rows(f"SELECT {', '.join(numbers.values())} FROM {relation}")
    return {name: int(value) for name, value in zip(numbers, row, strict=True)}


def leftovers(warehouse: Database) -> list[str]:
    """Return the tables that no step should have left behind."""
    known = ", ".join(f"'{name}'" for name in TABLES)
    query = (
        "SELECT schemaname, tablename FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema') "
        f"AND NOT (schemaname = '{SCHEMA}' AND tablename IN ({known}))"
    )
    return [f"{schema}.{table}" for schema, table in warehouse.rows(query)]


def _conditions(dialect: Dialect, column: str) -> dict[str, str]:
    backslash_n = dialect.concatenate([dialect.backslash, "'N'"])
    words = {"''": f"{column} = ''", "'NULL'": f"{column} = 'NULL'", "'\\N'": f"{column} = {backslash_n}"}
    return {"NULLs": f"{column} IS NULL", **words}


def _row_text(dialect: Dialect, columns: dict[str, str]) -> str:
    parts = []
    for column, kind in columns.items():
        value = dialect.text_of[kind].format(column)
        length = [dialect.text_of["number"].format(f"CHAR_LENGTH({value})"), "':'"] if kind == "text" else []
        text = dialect.concatenate([*length, value, "'|'"])
        parts.append(f"COALESCE({text}, 'N|')")
    return dialect.concatenate(parts)


def _sum(expression: str) -> str:
    return f"COALESCE(SUM({expression}), 0)"


def main() -> int:
    """Check by hand: ``python check.py`` with ``DUCTRUNNER_CONFIG`` set; exit status 0 when nothing differs."""
    configuration = read_configuration()
    source, warehouse = open_source(configuration), open_warehouse(configuration)
    found = differences(source, warehouse)
    sys.stdout.writelines(f"{sentence}\n" for sentence in found or ["The warehouse holds what the source says."])
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
