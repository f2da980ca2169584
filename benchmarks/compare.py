"""``compare`` of two equal tables in MySQL and Postgres, beside one scan of each and reladiff.

``python -m benchmarks.compare [--rows N] [--repeat N] [--workers N] [--no-peers] [--redshift]``; servers make the rows.
Three scans are measured, since "one full scan" can mean three things: ``greatest`` takes MAX of every column, ``as
text`` the length of every value as text (which no comparison across engines can do without), and ``delivered`` sends
every row to the engine's own client, which throws it away (what a comparison by fetching would cost at least).
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import psycopg2
import pymysql
import yaml

from sandbox.parts.database import DatabaseAddress
from sandbox.parts.mariadb import MariaDbPart
from sandbox.parts.moto import MotoPart
from sandbox.parts.postgres import PostgresPart
from sandbox.parts.redshift import RedshiftPart

ROOT = Path(__file__).resolve().parents[1]
RELADIFF = ROOT / ".venv-bench" / "bin" / "reladiff"
COLUMNS = ("user_id", "course", "grade", "note", "updated_at")
NAMES = ", ".join(("id", *COLUMNS))
TABLE = "id BIGINT PRIMARY KEY, user_id INT NOT NULL, course VARCHAR(32), grade DECIMAL(6,2), note VARCHAR(200), "
MYSQL_ROWS = """INSERT INTO enrollments SELECT seq, seq * 7919 % 1000003, CONCAT('course-', seq % 997),
  (seq % 10000) / 100, IF(seq % 10 = 0, NULL, CONCAT('note about enrolment number ', seq, ' of this term')),
  TIMESTAMPADD(SECOND, seq % 31536000, '2024-01-01') + INTERVAL (seq % 1000) * 1000 MICROSECOND
  FROM seq_{first}_to_{last}"""
POSTGRES_ROWS = """INSERT INTO enrollments SELECT seq, seq * 7919 % 1000003, 'course-' || seq % 997,
  (seq % 10000) / 100.0, CASE WHEN seq % 10 <> 0 THEN 'note about enrolment number ' || seq || ' of this term' END,
  timestamp '2024-01-01' + (seq % 31536000) * interval '1 second' + (seq % 1000) * interval '1 millisecond'
  FROM generate_series({first}::bigint, {last}) AS seq"""
PIECE = 1_000_000
#: What one scan computes of each column, in MySQL's words and in Postgres'.
SCANS = {
    "greatest": ("MAX({})", "MAX({})"),
    "as text": ("SUM(CHAR_LENGTH({}))", "SUM(CHAR_LENGTH({}::text))"),
}


@dataclass
class Bench:
    """The servers, the table in each, and where the configuration lies."""

    mysql: DatabaseAddress
    postgres: DatabaseAddress
    config: Path
    taken: dict[str, list[float]] = field(default_factory=dict)
    resident: dict[str, int] = field(default_factory=dict)

    def time(self, name: str, work: Callable[[], int]) -> None:
        """Run something once more; ``work`` returns its peak memory in MB, 0 where that is a server's."""
        began = time.perf_counter()
        self.resident[name] = max(work(), self.resident.get(name, 0))
        self.taken.setdefault(name, []).append(time.perf_counter() - began)


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--workers", type=int, help="Postgres' parallel workers for a query; default: the server's")
    parser.add_argument("--no-peers", action="store_true", help="without reladiff")
    parser.add_argument("--redshift", action="store_true", help="compare with the sandbox's Redshift front too")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-compare-") as name:
        parts = _parts(Path(name))
        try:
            for part in parts:
                part.start()
            bench = _fill(Path(name), parts, given.rows)
            if given.workers is not None:
                words = f"ALTER ROLE CURRENT_USER SET max_parallel_workers_per_gather = {given.workers}"
                _on_postgres(bench.postgres, words)
            _measure(bench, given)
        finally:
            for part in reversed(parts):
                part.stop()


def _parts(folder: Path) -> tuple[MariaDbPart, PostgresPart, MotoPart, RedshiftPart]:
    postgres, aws = PostgresPart(folder / "postgres"), MotoPart(folder / "aws")
    return MariaDbPart(folder / "mariadb"), postgres, aws, RedshiftPart(folder / "redshift", postgres, aws)


def _fill(folder: Path, parts: tuple[MariaDbPart, PostgresPart, MotoPart, RedshiftPart], rows: int) -> Bench:
    mysql, postgres, _, front = parts
    my, pg = mysql.ensure_database("bench", "bench"), postgres.ensure_database("bench", "bench")
    login = {"host": pg.host, "username": pg.username, "password": pg.password, "database_name": pg.database}
    source = {
        "host": my.host,
        "port": my.port,
        "username": my.username,
        "password": my.password,
        "database": my.database,
    }
    config = folder / "ductrunner.yaml"
    sections = {"mysql": {"source": source}, "postgres": {**login, "port": pg.port}}
    config.write_text(yaml.safe_dump({**sections, "redshift": {**login, "port": front.port}}))
    _on_mysql(my, f"CREATE TABLE enrollments ({TABLE} updated_at DATETIME(6)) CHARACTER SET utf8mb4")
    _on_postgres(pg, f"CREATE TABLE enrollments ({TABLE} updated_at TIMESTAMP)")
    for first in range(1, rows + 1, PIECE):
        piece = {"first": first, "last": min(first + PIECE - 1, rows)}
        _on_mysql(my, MYSQL_ROWS.format(**piece))
        _on_postgres(pg, POSTGRES_ROWS.format(**piece))
    _on_postgres(pg, "VACUUM ANALYZE enrollments")
    return Bench(my, pg, config)


def _measure(bench: Bench, given: argparse.Namespace) -> None:
    for _ in range(given.repeat):
        for how in SCANS:
            bench.time(f"scan of MySQL, {how}", partial(_on_mysql, bench.mysql, _scan(SCANS[how][0])))
            bench.time(f"scan of Postgres, {how}", partial(_on_postgres, bench.postgres, _scan(SCANS[how][1])))
        bench.time("scan of MySQL, delivered", partial(_deliver_mysql, bench.mysql))
        bench.time("scan of Postgres, delivered", partial(_deliver_postgres, bench.postgres))
        for target in ("postgres", *(["redshift"] if given.redshift else [])):
            words = ["--source-host", "source", "--source-table", "enrollments", "--target-host", target]
            bench.time(f"compare MySQL and {target}", partial(_ours, bench, words))
            if target == "postgres":
                bench.time("compare --checksum strong", partial(_ours, bench, [*words, "--checksum", "strong"]))
        if not given.no_peers:
            bench.time("reladiff", partial(_reladiff, bench))
    _print(bench, given.rows)


def _scan(aggregate: str) -> str:
    columns = ", ".join(aggregate.format(name) for name in NAMES.split(", "))
    return f"SELECT COUNT(*), {columns} FROM enrollments"


def _deliver_mysql(address: DatabaseAddress) -> int:
    a = address
    place = [f"--host={a.host}", f"--port={a.port}", f"--user={a.username}", a.database]
    command = ["mariadb", *place, "--quick", "--batch", "--raw", f"--execute=SELECT {NAMES} FROM enrollments"]
    return _throw_away(command, {"MYSQL_PWD": a.password})


def _deliver_postgres(address: DatabaseAddress) -> int:
    a = address
    place = ["-h", a.host, "-p", str(a.port), "-U", a.username, "-d", a.database]
    return _throw_away(
        ["psql", *place, "-c", f"COPY (SELECT {NAMES} FROM enrollments) TO STDOUT"], {"PGPASSWORD": a.password}
    )


def _throw_away(command: list[str], secret: dict[str, str]) -> int:
    subprocess.run(command, env={**os.environ, **secret}, stdout=subprocess.DEVNULL, check=True)
    return 0


def _ours(bench: Bench, words: list[str]) -> int:
    environment = {**os.environ, "DUCTRUNNER_CONFIG": str(bench.config), "PYTHONPATH": str(ROOT)}
    return _process([sys.executable, "-m", "ductrunner", "step", "compare", *words], environment)


def _reladiff(bench: Bench) -> int:
    one, other = bench.mysql, bench.postgres
    uris = [
        f"{scheme}://{a.username}:{a.password}@{a.host}:{a.port}/{a.database}"
        for scheme, a in (("mysql", one), ("postgresql", other))
    ]
    words = [word for name in COLUMNS for word in ("-c", name)]
    return _process(
        [str(RELADIFF), uris[0], "enrollments", uris[1], "enrollments", "-k", "id", "-s", *words], dict(os.environ)
    )


def _process(command: list[str], environment: dict[str, str]) -> int:
    """Run a command that must find both tables equal; return its peak resident MB."""
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as child:
        assert child.stdout is not None
        said = child.stdout.read()
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode or "Traceback" in said:
        sys.exit(f"{command[0]} ended with {child.returncode}: {said[-2000:]}")
    if "reladiff" in command[0] and "0.00% difference" not in said:
        sys.exit(f"reladiff found the tables different: {said[-2000:]}")
    return usage.ru_maxrss // 1024


def _on_mysql(address: DatabaseAddress, statement: str) -> int:
    a = address
    link: Any = pymysql.connect(**a.mysql_login, autocommit=True)
    with link, link.cursor() as cursor:
        cursor.execute(statement)
        cursor.fetchall()
    return 0


def _on_postgres(address: DatabaseAddress, statement: str) -> int:
    a = address
    link: Any = psycopg2.connect(**a.postgres_login)
    link.autocommit = True
    with link.cursor() as cursor:
        cursor.execute(statement)
        if cursor.description:
            cursor.fetchall()
    link.close()
    return 0


def _print(bench: Bench, rows: int) -> None:
    median = {name: statistics.median(times) for name, times in bench.taken.items()}
    slower = {
        how: max(median[f"scan of {side}, {how}"] for side in ("MySQL", "Postgres")) for how in (*SCANS, "delivered")
    }
    what = f"{rows:,} equal rows x {len(COLUMNS) + 1} columns"
    print(f"\n| {what} | median s | all s | MB client | {' | '.join(f'x {how}' for how in slower)} |")
    print("| --- | ---: | --- | ---: | ---: | ---: | ---: |")
    for name, seconds in median.items():
        times = " ".join(f"{taken:.1f}" for taken in bench.taken[name])
        ratios = " | ".join(f"{seconds / slower[how]:.2f}" for how in slower)
        print(f"| {name} | {seconds:.1f} | {times} | {bench.resident[name] or ''} | {ratios} |")
    if "reladiff" in median:
        print(f"\ncompare is {median['reladiff'] / median['compare MySQL and postgres']:.1f} times as fast as reladiff")


if __name__ == "__main__":
    main()
