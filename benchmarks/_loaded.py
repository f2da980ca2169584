"""The table that the loading benchmarks fill, on either engine, and its rows."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from benchmarks._processes import Run
from sandbox.parts.database import DatabaseAddress

COLUMNS = (
    "id BIGINT PRIMARY KEY, amount INT, code VARCHAR(32), price DECIMAL(12,2), email VARCHAR(80), name VARCHAR(60), "
    "note TEXT, day TIMESTAMP NULL"
)
_CHECKSUM = "SELECT count(*), sum(amount), sum(length(note)), sum(price), max(day) FROM loaded"


def login(engine: str, a: DatabaseAddress) -> dict[str, Any]:
    """Return what the engine's driver takes."""
    database = "database" if engine == "mysql" else "dbname"
    return {"host": a.host, "port": a.port, "user": a.username, "password": a.password, database: a.database}


def sql(engine: str, address: DatabaseAddress, *statements: str) -> list[tuple[Any, ...]]:
    """Run statements and return the rows of the last."""
    if engine == "mysql":
        import pymysql

        link: Any = pymysql.connect(autocommit=True, **login(engine, address))
    else:
        import psycopg2

        link = psycopg2.connect(**login(engine, address))
        link.autocommit = True
    with link.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
        found = list(cursor.fetchall()) if cursor.description else []
    link.close()
    return found


def make_anew(engine: str, address: DatabaseAddress) -> None:
    """Leave the table, empty, and no record of loads."""
    dropped = [f"DROP TABLE IF EXISTS {table}" for table in ("loaded", "ductrunner_loads")]
    sql(engine, address, *dropped, f"CREATE TABLE loaded ({COLUMNS})")


def checksum(engine: str, address: DatabaseAddress) -> tuple[Any, ...]:
    """Return what tells one content of the table from another."""
    return sql(engine, address, _CHECKSUM)[0]


def lines(rows: int, separator: str, null: str) -> Iterator[str]:
    """Rows of text; some values are NULL, some hold an escaped separator."""
    for number in range(1, rows + 1):
        note = f"a note\\{separator} of some length about row {number} " + "lorem ipsum " * (number % 4)
        values = (
            f"{number}", f"{number * 7919 % 100000 - 50000}", f"code-{number:012x}",
            f"{number * 37 % 10000000 / 100:.2f}", f"user{number}@example.org", f"Zoë {number % 1000}",
            note if number % 7 else null, f"2024-01-01 00:{number % 60:02}:00",
        )  # fmt: skip
        yield separator.join(values) + "\n"


def print_runs(head: str, runs: Mapping[str, Sequence[Run]], last: str, ratios: Mapping[str, float]) -> None:
    """Print medians, all seconds, CPU and memory; ``last`` says what the ratios are."""
    print(f"\n{head:36} median s   all s             CPU s    MB   {last}", flush=True)
    for name, measured in runs.items():
        every = " ".join(f"{run.seconds:.1f}" for run in measured)
        cpu, memory = statistics.median(run.cpu for run in measured), max(run.resident for run in measured)
        middle = statistics.median(run.seconds for run in measured)
        print(f"{name:36} {middle:8.1f}   {every:16} {cpu:6.1f} {memory:5.0f} {ratios[name]:10.2f}", flush=True)
