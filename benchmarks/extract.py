"""``extract-rds`` beside a bare fetch-and-discard, dlt and sling: 13 awkward columns from MySQL to gzip files.

``python -m benchmarks.extract [--rows N] [--repeat N] [--no-peers] [--memory]``; 200,000 rows are a quick look,
``--memory`` adds our step over ten times the rows. Peers run with their default options from ``.venv-bench``.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from sandbox.parts.database import DatabaseAddress
from sandbox.parts.mariadb import MariaDbPart

ROOT = Path(__file__).resolve().parents[1]
PEERS = ROOT / ".venv-bench" / "bin"
TABLE = """
CREATE TABLE events (
  id BIGINT PRIMARY KEY, amount INT NOT NULL, code VARCHAR(32) NOT NULL, price DECIMAL(12,2) NOT NULL,
  ratio DECIMAL(10,4), email VARCHAR(80) NOT NULL, name VARCHAR(60) NOT NULL, note TEXT, day DATETIME NOT NULL,
  moment DATETIME(6) NOT NULL, flag TINYINT NOT NULL, weight DOUBLE, country CHAR(2) NOT NULL
) CHARACTER SET utf8mb4"""
#: Every third note is NULL, some are empty, the rest hold tabs, line ends, backslashes and quotes.
FILL = r"""
INSERT INTO events SELECT
  seq, CAST((seq * 7919) % 100000 AS SIGNED) - 50000, CONCAT('code-', LEFT(MD5(seq), 12)), (seq * 37 % 10000000) / 100,
  IF(seq % 7 = 0, NULL, (seq * 13 % 100000) / 10000), CONCAT('user', seq, '@example.org'),
  CONCAT(ELT(seq % 5 + 1, 'Zoë', '李明', 'Олег', 'John', 'Ana 😀'), ' ', seq % 1000),
  CASE WHEN seq % 10 IN (0, 3, 6) THEN NULL WHEN seq % 48 = 1 THEN ''
       ELSE CONCAT('line one of ', seq, '\n\ttabbed \\ back "quoted" it''s\r', REPEAT('lorem ipsum ', seq % 6)) END,
  '2015-01-01' + INTERVAL seq MINUTE, '2020-01-01' + INTERVAL seq * 1000003 MICROSECOND, seq % 2,
  IF(seq % 11 = 0, NULL, SQRT(seq)), ELT(seq % 3 + 1, 'DE', 'US', 'IN')
FROM bench.seq_1_to_{rows}"""
FLOOR = """
import json, os, sys
from stores.mysql.driver import Login, open_driver
driver = open_driver(Login(**json.loads(os.environ["BENCH_LOGIN"])))
driver.query("SELECT * FROM events")
count = 0
while rows := driver.fetch(500):
    count += len(rows)
print(type(driver).__name__, count)
"""
DLT = """
import os, dlt
from dlt.sources.sql_database import sql_table
source = sql_table(credentials=os.environ["BENCH_URL"], table="events", backend=os.environ["BENCH_BACKEND"])
pipeline = dlt.pipeline("bench", destination=dlt.destinations.filesystem(os.environ["BENCH_OUT"]), dataset_name="out")
pipeline.run(source, loader_file_format="csv")
"""


@dataclass(frozen=True)
class Run:
    """What one process took: wall and CPU seconds, peak resident MB."""

    seconds: float
    cpu: float
    resident: float


@dataclass(frozen=True)
class Bench:
    """The source and a folder for the runs."""

    address: DatabaseAddress
    folder: Path

    def environment(self) -> dict[str, str]:
        address = self.address
        login = {"host": address.host, "port": address.port, "username": address.username, "password": address.password}
        url = f"{address.username}:{address.password}@{address.host}:{address.port}/{address.database}"
        return {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "DUCTRUNNER_CONFIG": str(self.folder / "ductrunner.yaml"),
            "BENCH_LOGIN": json.dumps({**login, "database": address.database, "timeout": 10}),
            "BENCH_URL": f"mysql+pymysql://{url}",
            "BENCH_OUT": str(self.folder / "out"),
            "DLT_DATA_DIR": str(self.folder / "dlt"),
            "RUNTIME__DLTHUB_TELEMETRY": "false",
            "SLING_DISABLE_TELEMETRY": "true",
            "SLING_HOME_DIR": str(self.folder / "sling"),
            "SOURCE": f"mysql://{url}",
        }

    def measure(self, command: list[str], **extra: str) -> Run:
        """Run a command in an empty output folder; wait for it with its resource use."""
        for name in ("out", "dlt"):
            shutil.rmtree(self.folder / name, ignore_errors=True)
        log = self.folder / "log"
        started = time.monotonic()
        with log.open("wb") as file:
            process = subprocess.Popen(
                command, stdout=file, stderr=file, env={**self.environment(), **extra}, cwd=self.folder
            )
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise RuntimeError(f"{command[0]} failed: {log.read_text(errors='replace')[-2000:]}")
        return Run(time.monotonic() - started, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)

    def floor(self) -> Run:
        return self.measure([sys.executable, "-c", FLOOR])

    def ours(self) -> Run:
        step = [sys.executable, "-m", "ductrunner", "step", "extract-rds"]
        return self.measure([*step, "--host-name", "bench", "--table", "events", "--output", str(self.folder / "out")])

    def dlt(self) -> Run:
        return self.measure([str(PEERS / "python"), "-c", DLT], BENCH_BACKEND="pyarrow")

    def sling(self) -> Run:
        target = f"file://{self.folder / 'out' / 'events.csv.gz'}"
        binary = next(PEERS.parent.glob("lib/python3*/site-packages/sling_linux_amd64/bin/sling-linux-amd64"))
        return self.measure(
            [str(binary), "run", "--src-conn", "SOURCE", "--src-stream", "bench.events", "--tgt-object", target]
        )


def main(arguments: list[str] | None = None) -> None:
    """Print seconds, ratios and memory of every contestant, interleaved, medians over the repeats."""
    options = _options(sys.argv[1:] if arguments is None and __name__ == "__main__" else arguments or [])
    with tempfile.TemporaryDirectory(prefix="bench-extract-") as folder:
        part = MariaDbPart(Path(folder) / "mariadb")
        part.start()
        try:
            bench = Bench(part.ensure_database("bench", "bench"), Path(folder))
            _configure(bench)
            _compare(bench, part, options)
        finally:
            part.stop()


def _compare(bench: Bench, part: MariaDbPart, options: argparse.Namespace) -> None:
    _fill(part, options.rows)
    contestants: dict[str, Callable[[], Run]] = {"fetch and discard": bench.floor, "extract-rds": bench.ours}
    if options.peers and (PEERS / "python").exists():
        contestants |= {"dlt (pyarrow)": bench.dlt, "sling": bench.sling}
    runs: dict[str, list[Run]] = {name: [] for name in contestants}
    for _ in range(options.repeat):
        for name, contestant in contestants.items():
            runs[name].append(contestant())
    _print(options.rows, runs)
    bench.ours()
    print(f"output compared with the source value by value: {_differences(bench)} differences", flush=True)
    if options.memory:
        _fill(part, 10 * options.rows)
        _print(10 * options.rows, {"extract-rds": [bench.ours()]})


def _options(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.extract", description=__doc__)
    parser.add_argument("--rows", type=int, default=2_000_000)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--no-peers", dest="peers", action="store_false")
    parser.add_argument("--memory", action="store_true")
    return parser.parse_args(arguments)


def _configure(bench: Bench) -> None:
    address = bench.address
    entry: dict[str, Any] = {"host": address.host, "port": address.port, "username": address.username}
    entry |= {"password": address.password, "database": address.database}
    (bench.folder / "ductrunner.yaml").write_text(yaml.safe_dump({"mysql": {"bench": entry}}))


def _fill(part: MariaDbPart, rows: int) -> None:
    part.execute("DROP TABLE IF EXISTS bench.events")
    for statement in (TABLE, FILL.format(rows=rows)):
        part.execute(
            statement.replace("TABLE events", "TABLE bench.events").replace("INTO events", "INTO bench.events")
        )


def _print(rows: int, runs: dict[str, list[Run]]) -> None:
    floor = statistics.median(run.seconds for run in runs.get("fetch and discard", [])) if len(runs) > 1 else None
    print(f"\n{rows:,} rows x 13 columns   median s   all s               CPU s   MB   x floor", flush=True)
    for name, measured in runs.items():
        middle = statistics.median(run.seconds for run in measured)
        every = " ".join(f"{run.seconds:.1f}" for run in measured)
        memory = max(run.resident for run in measured)
        cpu = statistics.median(run.cpu for run in measured)
        ratio = f"{middle / floor:8.2f}" if floor else ""
        print(f"{name:28} {middle:8.1f}   {every:18} {cpu:6.1f} {memory:5.0f} {ratio}", flush=True)


def _differences(bench: Bench) -> int:
    """Compare the files with what PyMySQL reads, row by row, with a reader that shares no code with the writer."""
    import pymysql

    address = bench.address
    connection = pymysql.connect(
        host=address.host, port=address.port, user=address.username, password=address.password,
        database=address.database, use_unicode=False, conv={**pymysql.converters.encoders},
        cursorclass=pymysql.cursors.SSCursor,
    )  # fmt: skip
    different = 0
    with connection, connection.cursor() as cursor:
        cursor.execute("SELECT * FROM events ORDER BY id")
        written = _written(bench.folder / "out")
        for expected in cursor:
            different += next(written, None) != expected
        return different + sum(1 for _ in written)


def _written(folder: Path) -> Iterator[tuple[bytes | None, ...]]:
    for entry in json.loads((folder / "manifest").read_text())["entries"]:
        with gzip.open(folder / entry["url"]) as file:
            yield from _records(file)


def _records(lines: Any) -> Iterator[tuple[bytes | None, ...]]:
    """Read tsv: a line that ends with an odd number of backslashes goes on after its line feed."""
    kept = b""
    for line in lines:
        kept += line
        body = kept[:-1]
        if (len(body) - len(body.rstrip(b"\\"))) % 2:
            continue
        yield tuple(_value(field) for field in _fields(body))
        kept = b""


def _fields(line: bytes) -> list[bytes]:
    if b"\\\t" not in line:
        return line.split(b"\t")
    fields = [b""]
    for piece in line.split(b"\t"):
        fields[-1] += piece
        if (len(piece) - len(piece.rstrip(b"\\"))) % 2:
            fields[-1] += b"\t"
        else:
            fields.append(b"")
    return fields[:-1]


def _value(field: bytes) -> bytes | None:
    if b"\\" not in field:
        return field
    if field == b"\\N":
        return None
    return b"\\".join(piece.replace(b"\\", b"") for piece in field.split(b"\\\\"))


if __name__ == "__main__":
    main()
