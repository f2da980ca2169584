"""``extract-rds`` and ``extract-postgres`` beside a bare fetch-and-discard, dlt, sling and awswrangler.

13 awkward columns to gzip text and to Parquet. ``python -m benchmarks.extract [--rows N] [--repeat N] [--no-peers]
[--memory] [--server mysql|postgres]``; 200,000 rows are a quick look, ``--memory`` adds our steps over five times the
rows. Peers run with their default options from ``.venv-bench``.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from benchmarks import _extract_sources as sources
from benchmarks._extract_check import differences
from benchmarks._processes import ROOT, Run, timed
from sandbox.parts.database import DatabaseAddress
from sandbox.parts.mariadb import MariaDbPart
from sandbox.parts.postgres import PostgresPart

PEERS = ROOT / ".venv-bench" / "bin"
_STEPS = {"mysql": ["extract-rds", "--host-name", "bench"], "postgres": ["extract-postgres"]}


@dataclass(frozen=True)
class Bench:
    """One server with the table, and a folder for the runs."""

    server: str
    address: DatabaseAddress
    folder: Path

    def environment(self) -> dict[str, str]:
        address = self.address
        login = {"host": address.host, "port": address.port, "username": address.username, "password": address.password}
        url = f"{address.username}:{address.password}@{address.host}:{address.port}/{address.database}"
        return {
            "DUCTRUNNER_CONFIG": str(self.folder / "ductrunner.yaml"),
            "BENCH_SERVER": self.server,
            "BENCH_LOGIN": json.dumps({**login, "database": address.database, "timeout": 10}),
            "BENCH_URL": f"{'mysql+pymysql' if self.server == 'mysql' else 'postgresql+psycopg2'}://{url}",
            "BENCH_DSN": f"postgresql://{url}",
            "BENCH_OUT": str(self.folder / "out"),
            "DLT_DATA_DIR": str(self.folder / "dlt"),
            "RUNTIME__DLTHUB_TELEMETRY": "false",
            "SLING_DISABLE_TELEMETRY": "true",
            "SLING_HOME_DIR": str(self.folder / "sling"),
            "SOURCE": f"mysql://{url}" if self.server == "mysql" else f"postgres://{url}?sslmode=disable",
        }

    def measure(self, command: list[str], **extra: str) -> Run:
        """Run a command in an empty output folder; wait for it with its resource use."""
        for name in ("out", "dlt"):
            shutil.rmtree(self.folder / name, ignore_errors=True)
        return timed(command, {**self.environment(), **extra}, self.folder / "log", self.folder)

    def floor(self) -> Run:
        return self.measure(
            [sys.executable, "-c", sources.MYSQL_FLOOR if self.server == "mysql" else sources.POSTGRES_FLOOR]
        )

    def ours(self, *flags: str) -> Run:
        step = [sys.executable, "-m", "ductrunner", "step", *_STEPS[self.server]]
        return self.measure([*step, "--table", "events", "--output", str(self.folder / "out"), *flags])

    def python(self, program: str, form: str) -> Run:
        return self.measure([str(PEERS / "python"), "-c", program], BENCH_FORMAT=form)

    def sling(self) -> Run:
        """Sling writes csv only here: for Parquet it fetches DuckDB from the network."""
        target = f"file://{self.folder / 'out' / 'events.csv.gz'}"
        binary = next(PEERS.parent.glob("lib/python3*/site-packages/sling_linux_amd64/bin/sling-linux-amd64"))
        stream = "bench.events" if self.server == "mysql" else "public.events"
        return self.measure(
            [str(binary), "run", "--src-conn", "SOURCE", "--src-stream", stream, "--tgt-object", target]
        )

    def contestants(self, *, peers: bool) -> dict[str, Callable[[], Run]]:
        """Return who runs, by name."""
        parquet = ("--output-format", "parquet")
        ours: dict[str, Callable[[], Run]] = {
            "fetch and discard": self.floor,
            "ours, text": self.ours,
            "ours, text, --parallel 2": lambda: self.ours("--parallel", "2"),
            "ours, Parquet": lambda: self.ours(*parquet),
            "ours, JSON": lambda: self.ours("--output-format", "json"),
            "ours, Avro": lambda: self.ours("--output-format", "avro"),
            "ours, Avro, logical types": lambda: self.ours("--output-format", "avro", "--avro-types", "logical"),
        }
        if not peers:
            return ours
        return ours | {
            "sling, csv.gz": self.sling,
            "dlt, csv": lambda: self.python(sources.DLT, "csv"),
            "dlt, Parquet": lambda: self.python(sources.DLT, "parquet"),
            "awswrangler, csv.gz": lambda: self.python(sources.WRANGLER, "csv"),
            "awswrangler, Parquet": lambda: self.python(sources.WRANGLER, "parquet"),
        }


def main(arguments: list[str] | None = None) -> None:
    """Print seconds, ratios and memory of every contestant, interleaved, medians over the repeats."""
    options = _options(sys.argv[1:] if arguments is None and __name__ == "__main__" else arguments or [])
    for server in options.server:
        with tempfile.TemporaryDirectory(prefix="bench-extract-") as folder:
            part = (MariaDbPart if server == "mysql" else PostgresPart)(Path(folder) / server)
            part.start()
            try:
                bench = Bench(server, part.ensure_database("bench", "bench"), Path(folder))
                _configure(bench)
                _compare(bench, part, options)
            finally:
                part.stop()


def _compare(bench: Bench, part: MariaDbPart | PostgresPart, options: argparse.Namespace) -> None:
    _fill(bench, part, options.rows)
    contestants = bench.contestants(peers=options.peers and (PEERS / "python").exists())
    runs: dict[str, list[Run]] = {name: [] for name in contestants}
    for _ in range(options.repeat):
        for name, contestant in contestants.items():
            runs[name].append(contestant())
    _print(bench.server, options.rows, runs)
    if bench.server == "mysql":
        bench.ours()
        found = differences(bench.address, bench.folder / "out")
        print(f"output compared with the source value by value: {found} differences", flush=True)
    if options.memory:
        _fill(bench, part, 5 * options.rows)
        ours = {name: run for name, run in contestants.items() if name.startswith("ours")}
        _print(bench.server, 5 * options.rows, {name: [run()] for name, run in ours.items()})


def _options(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.extract", description=__doc__)
    parser.add_argument("--rows", type=int, default=2_000_000)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--no-peers", dest="peers", action="store_false")
    parser.add_argument("--memory", action="store_true")
    parser.add_argument("--server", nargs="+", choices=sorted(_STEPS), default=sorted(_STEPS))
    return parser.parse_args(arguments)


def _configure(bench: Bench) -> None:
    address = bench.address
    entry: dict[str, Any] = {"host": address.host, "port": address.port, "username": address.username}
    entry |= {"password": address.password}
    section = {"bench": {**entry, "database": address.database}}
    settings = {"mysql": section, "postgres": {**entry, "database_name": address.database}}
    (bench.folder / "ductrunner.yaml").write_text(yaml.safe_dump(settings))


def _fill(bench: Bench, part: MariaDbPart | PostgresPart, rows: int) -> None:
    if isinstance(part, MariaDbPart):
        part.execute("DROP TABLE IF EXISTS bench.events")
        part.execute(sources.MYSQL_TABLE)
        part.execute(sources.MYSQL_FILL.format(rows=rows))
        return
    import psycopg2

    with psycopg2.connect(bench.environment()["BENCH_DSN"]) as connection, connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS events")
        cursor.execute(sources.POSTGRES_TABLE)
        cursor.execute(sources.POSTGRES_FILL.format(rows=rows))
    connection.close()


def _print(server: str, rows: int, runs: dict[str, list[Run]]) -> None:
    floor = statistics.median(run.seconds for run in runs["fetch and discard"]) if "fetch and discard" in runs else None
    print(f"\n{server}, {rows:,} rows x 13 columns   median s   all s          CPU s   MB   x floor", flush=True)
    for name, measured in runs.items():
        middle = statistics.median(run.seconds for run in measured)
        every = " ".join(f"{run.seconds:.1f}" for run in measured)
        memory = max(run.resident for run in measured)
        cpu = statistics.median(run.cpu for run in measured)
        ratio = f"{middle / floor:8.2f}" if floor else ""
        print(f"{name:36} {middle:8.1f}   {every:14} {cpu:6.1f} {memory:5.0f} {ratio}", flush=True)


if __name__ == "__main__":
    main()
