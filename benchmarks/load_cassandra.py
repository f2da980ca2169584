"""``load-cassandra`` beside the driver's own ``execute_concurrent_with_args``, with the same file.

``python -m benchmarks.load_cassandra [--rows N] [--repeat N]``. By hand: a program that reads the file, converts each
value and has the driver send as many rows at the same time as ours. Ours reads the file twice: first all values are
checked, so that a bad one changes nothing; and each row has its own time of writing.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

import yaml

from benchmarks import _loaded as loaded
from benchmarks._processes import Run, timed
from sandbox.parts.cassandra import CassandraPart
from sandbox.parts.database import DatabaseAddress

COLUMNS = {
    "id": "bigint PRIMARY KEY", "amount": "int", "code": "text", "price": "decimal", "email": "text", "name": "text",
    "note": "text", "day": "timestamp",
}  # fmt: skip
BY_HAND = r"""
import datetime, decimal, json, os, re
from cassandra.auth import PlainTextAuthProvider
from cassandra.cluster import Cluster
from cassandra.concurrent import execute_concurrent_with_args
login = json.loads(os.environ["BENCH_LOGIN"])
provider = PlainTextAuthProvider(login["user"], login["password"])
session = Cluster([login["host"]], port=login["port"], auth_provider=provider, protocol_version=4).connect("bench")
names = "id, amount, code, price, email, name, note, day"
insert = session.prepare(f"INSERT INTO loaded ({names}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)")
between = re.compile(r"(?<!\\)\t")
kinds = [int, int, str, decimal.Decimal, str, str, str, datetime.datetime.fromisoformat]
def rows():
    with open(os.environ["BENCH_FILE"], encoding="utf-8") as file:
        for line in file:
            values = between.split(line[:-1])
            yield [None if v == r"\N" else kind(v.replace("\\\t", "\t")) for kind, v in zip(kinds, values)]
execute_concurrent_with_args(session, insert, rows(), concurrency=128, results_generator=False)
"""


class Bench:
    """One node and the file."""

    def __init__(self, part: CassandraPart, address: DatabaseAddress, folder: Path, file: Path) -> None:
        self._part, self._address, self._folder, self._file = part, address, folder, file
        a = address
        section = {"contact_points": [a.host], "port": a.port, "username": a.username, "password": a.password}
        self._configuration = folder / "ductrunner.yaml"
        self._configuration.write_text(yaml.safe_dump({"cassandra": {**section, "keyspace": a.database}}))

    def by_hand(self) -> Run:
        return self._measure([sys.executable, "-c", BY_HAND])

    def ours(self) -> Run:
        words = ["--table", "loaded", "--input", str(self._file), "--columns", *COLUMNS]
        words += ["--write-timestamp", "2026-01-01T00:00:00Z"]
        return self._measure([sys.executable, "-m", "ductrunner", "step", "load-cassandra", *words])

    def _measure(self, command: list[str]) -> Run:
        login = json.dumps(loaded.login("cassandra", self._address))
        more = {"BENCH_LOGIN": login, "BENCH_FILE": str(self._file), "DUCTRUNNER_CONFIG": str(self._configuration)}
        return timed(command, more, self._folder / "log")

    def make_anew(self) -> None:
        columns = ", ".join(f"{name} {kind}" for name, kind in COLUMNS.items())
        self._part.execute("DROP TABLE IF EXISTS bench.loaded", f"CREATE TABLE bench.loaded ({columns})")

    def checksum(self) -> tuple[Any, ...]:
        return tuple(self._part.execute("SELECT count(*), sum(amount), sum(price), max(day) FROM bench.loaded")[0])


def main(arguments: list[str] | None = None) -> None:
    """Print seconds, ratio and memory."""
    options = _options(sys.argv[1:] if arguments is None and __name__ == "__main__" else arguments or [])
    with tempfile.TemporaryDirectory(prefix="bench-cassandra-") as name:
        folder = Path(name)
        file = folder / "rows.tsv"
        with file.open("w", encoding="utf-8") as written:
            written.writelines(loaded.lines(options.rows, "\t", r"\N"))
        part = CassandraPart(folder / "cassandra")
        part.start()
        try:
            _compare(Bench(part, part.ensure_keyspace("bench", "bench"), folder, file), options)
        finally:
            part.stop()


def _compare(bench: Bench, options: argparse.Namespace) -> None:
    contestants = {"by hand": bench.by_hand, "load-cassandra": bench.ours}
    runs: dict[str, list[Run]] = {name: [] for name in contestants}
    loads = set()
    for _ in range(options.repeat):
        for name, contestant in contestants.items():
            bench.make_anew()
            runs[name].append(contestant())
            loads.add(bench.checksum())
    if len(loads) > 1:
        raise RuntimeError(f"the loads differ: {loads}")
    medians = {name: statistics.median(run.seconds for run in taken) for name, taken in runs.items()}
    ratios = {name: medians["by hand"] / median for name, median in medians.items()}
    loaded.print_runs(f"Cassandra, {options.rows:,} rows x 8 columns", runs, "x the speed by hand", ratios)


def _options(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.load_cassandra", description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--repeat", type=int, default=2)
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main()
