"""``copy-activity`` from a CSV file in S3 to MySQL and Postgres, beside inserting the same file row by row.

``python -m benchmarks.copy_activity [--rows N] [--large N] [--repeat N] [--engine mysql|postgres]``. A ``CopyActivity``
is documented to go record by record: each becomes one INSERT. Two such programs run beside ours: ``row by row`` commits
each row, as JDBC does unless told otherwise, and ``in one transaction`` commits at the end. On loopback and without
fsync an INSERT costs them next to no waiting. Memory must not grow with the size.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks import _loaded as loaded
from benchmarks._processes import Run, timed
from sandbox.parts.database import DatabaseAddress
from sandbox.parts.mariadb import MariaDbPart
from sandbox.parts.moto import MotoPart
from sandbox.parts.postgres import PostgresPart

SCHEMES = {"mysql": "mysql", "postgres": "postgresql"}
ROW_BY_ROW = r"""
import csv, io, json, os, boto3
from urllib.parse import urlparse
place = urlparse(os.environ["BENCH_FILE"])
body = boto3.client("s3").get_object(Bucket=place.netloc, Key=place.path[1:])["Body"]
login = json.loads(os.environ["BENCH_LOGIN"])
if os.environ["BENCH_ENGINE"] == "mysql":
    import pymysql
    link = pymysql.connect(charset="utf8mb4", **login)
else:
    import psycopg2
    link = psycopg2.connect(**login)
for_each = link.commit if os.environ["BENCH_EACH"] else int
cursor = link.cursor()
lines = (line.decode() for line in body.iter_lines(1 << 20))
for row in csv.reader(lines, quoting=csv.QUOTE_NONE, escapechar="\\"):
    cursor.execute("INSERT INTO loaded VALUES (%s, %s, %s, %s, %s, %s, %s, %s)", row)
    for_each()
link.commit()
"""


@dataclass(frozen=True)
class Bench:
    """One database, S3, and the file."""

    engine: str
    address: DatabaseAddress
    s3: Any
    environment: dict[str, str]
    folder: Path

    def upload(self, rows: int) -> str:
        path = self.folder / "rows.csv"
        with path.open("w", encoding="utf-8") as file:
            file.writelines(loaded.lines(rows, ",", ""))
        self.s3.upload_file(str(path), "bench", "rows.csv")
        path.unlink()
        return "s3://bench/rows.csv"

    def row_by_row(self, uri: str) -> Run:
        return self.measure([sys.executable, "-c", ROW_BY_ROW], uri, BENCH_EACH="commit")

    def in_one_transaction(self, uri: str) -> Run:
        return self.measure([sys.executable, "-c", ROW_BY_ROW], uri, BENCH_EACH="")

    def ours(self, uri: str) -> Run:
        a = self.address
        address = f"jdbc:{SCHEMES[self.engine]}://{a.host}:{a.port}/{a.database}"
        database = {
            "type": "JdbcDatabase",
            "connectionString": address,
            "username": a.username,
            "*password": a.password,
        }
        source = {"type": "S3DataNode", "filePath": uri, "dataFormat": {"type": "CSV"}}
        target = {"type": "SqlDataNode", "table": "loaded", "database": database}
        path = self.folder / "activity.json"
        path.write_text(json.dumps({"id": "Bench", "type": "CopyActivity", "input": source, "output": target}))
        return self.measure([sys.executable, "-m", "ductrunner", "step", "copy-activity", "--params", str(path)], uri)

    def measure(self, command: list[str], uri: str, **extra: str) -> Run:
        loaded.make_anew(self.engine, self.address)
        login = json.dumps(loaded.login(self.engine, self.address))
        more = {"BENCH_FILE": uri, "BENCH_LOGIN": login, "BENCH_ENGINE": self.engine}
        return timed(command, {**self.environment, **more, **extra}, self.folder / "log")


def main(arguments: list[str] | None = None) -> None:
    """Print seconds, ratio and memory for both sizes."""
    options = _options(sys.argv[1:] if arguments is None and __name__ == "__main__" else arguments or [])
    with tempfile.TemporaryDirectory(prefix="bench-copy-") as name:
        folder = Path(name)
        aws = MotoPart(folder / "aws")
        parts = {"mysql": MariaDbPart(folder / "mariadb"), "postgres": PostgresPart(folder / "postgres")}
        chosen = {engine: part for engine, part in parts.items() if options.engine in (None, engine)}
        running: list[Any] = [aws, *chosen.values()]
        for part in running:
            part.start()
        try:
            environment = aws.client_environment()
            os.environ |= environment
            import boto3

            client = boto3.client("s3")
            client.create_bucket(Bucket="bench")
            for engine, part in chosen.items():
                address = part.ensure_database("bench", "bench")
                _compare(Bench(engine, address, client, environment, folder), options)
        finally:
            for part in reversed(running):
                part.stop()


def _compare(bench: Bench, options: argparse.Namespace) -> None:
    for rows in (options.rows, options.large):
        uri = bench.upload(rows)
        contestants = {"row by row": bench.row_by_row, "in one transaction": bench.in_one_transaction}
        contestants["copy-activity"] = bench.ours
        runs: dict[str, list[Run]] = {name: [] for name in contestants}
        loads = set()
        for _ in range(options.repeat):
            for name, contestant in contestants.items():
                runs[name].append(contestant(uri))
                loads.add(loaded.checksum(bench.engine, bench.address))
        if len(loads) > 1:
            raise RuntimeError(f"{bench.engine}: the loads differ: {loads}")
        _print(bench.engine, rows, runs)


def _print(engine: str, rows: int, runs: dict[str, list[Run]]) -> None:
    medians = {name: statistics.median(run.seconds for run in measured) for name, measured in runs.items()}
    ratios = {name: medians["row by row"] / median for name, median in medians.items()}
    loaded.print_runs(f"{engine}, {rows:,} rows x 8 columns", runs, "times faster", ratios)


def _options(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.copy_activity", description=__doc__)
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--large", type=int, default=1_000_000)
    parser.add_argument("--repeat", type=int, default=1)
    parser.add_argument("--engine", choices=("mysql", "postgres"), default=None)
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main()
