"""``load-mysql`` and ``load-postgres`` beside the engine's own bulk loader, by hand, with the same file.

``python -m benchmarks.load_back [--rows N] [--repeat N] [--engine mysql|postgres]``. By hand: one LOAD DATA LOCAL
INFILE, or one COPY, into the same empty table, by a program that does nothing else and checks nothing; for modes that
look at keys, the same into a temporary table, and one statement from there. Ours are whole processes, with the reading
and counting of the file, all checks and the record of the load.
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

import yaml

from benchmarks import _loaded as loaded
from benchmarks._processes import Run, timed
from sandbox.parts.database import DatabaseAddress
from sandbox.parts.mariadb import MariaDbPart
from sandbox.parts.postgres import PostgresPart

NAMES = ("amount", "code", "price", "email", "name", "note", "day")
BY_HAND = r"""
import json, os
login, keyed = json.loads(os.environ["BENCH_LOGIN"]), os.environ["BENCH_KEYED"]
target = "staged" if keyed else "loaded"
if os.environ["BENCH_ENGINE"] == "mysql":
    import pymysql
    link = pymysql.connect(charset="utf8mb4", local_infile=True, **login)
    cursor = link.cursor()
    if keyed:
        cursor.execute("CREATE TEMPORARY TABLE staged LIKE loaded")
    cursor.execute(f"LOAD DATA LOCAL INFILE '{os.environ['BENCH_FILE']}' INTO TABLE {target} CHARACTER SET utf8mb4")
else:
    import psycopg2
    link = psycopg2.connect(**login)
    cursor = link.cursor()
    if keyed:
        cursor.execute("CREATE TEMPORARY TABLE staged (LIKE loaded)")
    with open(os.environ["BENCH_FILE"], "rb") as file:
        cursor.copy_expert(f"COPY {target} FROM STDIN", file, 1 << 20)
if keyed:
    cursor.execute(keyed)
link.commit()
"""


@dataclass(frozen=True)
class Bench:
    """One database and the files."""

    engine: str
    address: DatabaseAddress
    folder: Path

    def upsert(self) -> str:
        """Return the bare statement behind the staging table."""
        if self.engine == "mysql":
            changes = ", ".join(f"{name} = VALUES({name})" for name in NAMES)
            return f"INSERT INTO loaded SELECT * FROM staged ON DUPLICATE KEY UPDATE {changes}"
        changes = ", ".join(f"{name} = EXCLUDED.{name}" for name in NAMES)
        return f"INSERT INTO loaded SELECT * FROM staged ON CONFLICT (id) DO UPDATE SET {changes}"

    def by_hand(self, file: Path, *, keyed: bool) -> Run:
        more = {"BENCH_KEYED": self.upsert() if keyed else "", "BENCH_FILE": str(file), "BENCH_ENGINE": self.engine}
        return self._measure([sys.executable, "-c", BY_HAND], more)

    def ours(self, file: Path, mode: str) -> Run:
        host = ["--host-name", "bench"] if self.engine == "mysql" else []
        words = ["--table", "loaded", "--input", str(file), "--mode", mode, "--input-format", "tsv", *host]
        return self._measure([sys.executable, "-m", "ductrunner", "step", f"load-{self.engine}", *words], {})

    def _measure(self, command: list[str], more: dict[str, str]) -> Run:
        login = json.dumps(loaded.login(self.engine, self.address))
        own = {"BENCH_LOGIN": login, "DUCTRUNNER_CONFIG": str(self._configuration())}
        return timed(command, {**own, **more}, self.folder / "log")

    def _configuration(self) -> Path:
        a = self.address
        server = {"host": a.host, "port": a.port, "username": a.username, "password": a.password}
        sections = {"mysql": {"bench": {**server, "database": a.database}}}
        path = self.folder / "ductrunner.yaml"
        path.write_text(yaml.safe_dump({**sections, "postgres": {**server, "database_name": a.database}}))
        return path


def main(arguments: list[str] | None = None) -> None:
    """Print seconds, ratio and memory, for each way and engine."""
    options = _options(sys.argv[1:] if arguments is None and __name__ == "__main__" else arguments or [])
    with tempfile.TemporaryDirectory(prefix="bench-load-") as name:
        folder = Path(name)
        file = folder / "rows.tsv"
        with file.open("w", encoding="utf-8") as written:
            written.writelines(loaded.lines(options.rows, "\t", r"\N"))
        parts = {"mysql": MariaDbPart(folder / "mariadb"), "postgres": PostgresPart(folder / "postgres")}
        for engine, part in parts.items():
            if options.engine in (None, engine):
                part.start()
                try:
                    _compare(Bench(engine, part.ensure_database("bench", "bench"), folder), file, options)
                finally:
                    part.stop()


def _compare(bench: Bench, file: Path, options: argparse.Namespace) -> None:
    contestants = {
        "by hand": lambda: bench.by_hand(file, keyed=False),
        "append": lambda: bench.ours(file, "append"),
        "replace": lambda: bench.ours(file, "replace"),
        "upsert by hand": lambda: bench.by_hand(file, keyed=True),
        "upsert": lambda: bench.ours(file, "upsert"),
    }
    runs: dict[str, list[Run]] = {name: [] for name in contestants}
    loads = set()
    order = list(contestants.items())
    for _ in range(options.repeat):
        order = [*order[1:], order[0]]  # what one leaves to the server would always burden the same next one
        for name, contestant in order:
            loaded.make_anew(bench.engine, bench.address)
            os.sync()
            runs[name].append(contestant())
            loads.add(loaded.checksum(bench.engine, bench.address))
    if len(loads) > 1:
        raise RuntimeError(f"{bench.engine}: the loads differ: {loads}")
    _print(bench.engine, options.rows, runs)


def _print(engine: str, rows: int, runs: dict[str, list[Run]]) -> None:
    """Print medians; the ratio is the median of those of each round, whose runs follow one another."""
    ratios = {}
    for name, measured in runs.items():
        hands = runs["upsert by hand" if "upsert" in name else "by hand"]
        ratios[name] = statistics.median(hand.seconds / run.seconds for hand, run in zip(hands, measured, strict=True))
    loaded.print_runs(f"{engine}, {rows:,} rows x 8 columns", runs, "x the speed by hand", ratios)


def _options(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.load_back", description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--engine", choices=("mysql", "postgres"), default=None)
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main()
