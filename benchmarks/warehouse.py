"""Loads of the warehouse beside the same SQL by hand, dlt and sling: 2 M rows into 2 M, half overlapping.

``python -m benchmarks.warehouse [--rows N] [--repeat N] [--steps …] [--no-peers]``; 200,000 rows are a quick look. "By
hand" is a script of a few lines on the same front: bare, it neither looks for duplicates nor checks anything;
de-duplicated, it looks for keys that come twice with the statement that the step has for it. The step is run with its
checks and without. dlt and sling load the same files into the Postgres behind the front, since they know Redshift only
as a service with its own staging; default options.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psycopg2
import yaml
from isal import igzip

from sandbox.parts.database import DatabaseAddress
from sandbox.parts.moto import REGION, MotoPart
from sandbox.parts.postgres import PostgresPart
from sandbox.parts.redshift import RedshiftPart

ROOT = Path(__file__).resolve().parents[1]
PEERS = ROOT / ".venv-bench" / "bin"
BUCKET = "bench"
ROLE = "arn:aws:iam::123456789012:role/copy"
FILES = 4
BARE, DISTINCT = "by hand, bare", "by hand, de-duplicated"
TABLE = """CREATE TABLE enrollments (
  id BIGINT NOT NULL DISTKEY, user_id INT NOT NULL, course VARCHAR(32), grade DECIMAL(6,2), note VARCHAR(200),
  updated_at TIMESTAMP, PRIMARY KEY (id)
) SORTKEY (id)"""
COLUMNS = ("id", "user_id", "course", "grade", "note", "updated_at")

BY_HAND = """
import os, psycopg2
connection = psycopg2.connect(os.environ["BENCH_DSN"])
copy = ("COPY {} (id, user_id, course, grade, note, updated_at) FROM '" + os.environ["BENCH_MANIFEST"] + "' IAM_ROLE '"
        + os.environ["BENCH_ROLE"] + "' MANIFEST DELIMITER '\\\\t' ESCAPE GZIP COMPUPDATE OFF STATUPDATE OFF")
with connection.cursor() as cursor:
    cursor.execute("LOCK enrollments")
    cursor.execute("CREATE TEMP TABLE stg (LIKE enrollments INCLUDING DEFAULTS)")
    cursor.execute(copy.format("stg"))
    if os.environ["BENCH_KIND"].endswith("de-duplicated"):
        cursor.execute("SELECT COUNT(*), COUNT(DISTINCT id), COUNT(*) - COUNT(id) FROM stg")
        assert len(set(cursor.fetchone()[:2])) == 1  # no key comes twice: nothing to drop
    if os.environ["BENCH_KIND"].startswith("upsert"):
        cursor.execute("DELETE FROM enrollments USING stg s WHERE enrollments.id = s.id")
    else:
        cursor.execute("DELETE FROM enrollments")
    cursor.execute("INSERT INTO enrollments (id, user_id, course, grade, note, updated_at) "
                   "SELECT id, user_id, course, grade, note, updated_at FROM stg")
connection.commit()
connection.autocommit = True
connection.cursor().execute("ANALYZE enrollments")
"""
DLT = """
import os, dlt
import pyarrow.csv as arrow
names = ["id", "user_id", "course", "grade", "note", "updated_at"]
@dlt.resource(name="enrollments", write_disposition="merge", primary_key="id")
def rows():
    for path in os.environ["BENCH_FILES"].split():
        with arrow.open_csv(path, arrow.ReadOptions(column_names=names), arrow.ParseOptions(delimiter="\\t"),
                            arrow.ConvertOptions(null_values=["\\\\N"], strings_can_be_null=True)) as reader:
            for batch in reader:
                yield batch
pipeline = dlt.pipeline("bench", destination=dlt.destinations.postgres(os.environ["BENCH_URL"]), dataset_name="peer")
pipeline.run(rows(), loader_file_format="csv")
"""


@dataclass(frozen=True)
class Run:
    """What one process took: wall seconds, peak resident MB."""

    seconds: float
    resident: float


@dataclass(frozen=True)
class Bench:
    """The warehouse, its S3 and a folder for the runs."""

    warehouse: DatabaseAddress
    postgres: DatabaseAddress
    s3: dict[str, str]
    folder: Path
    rows: int

    def environment(self, kind: str, files: str) -> dict[str, str]:
        a, p = self.warehouse, self.postgres
        return {
            **os.environ,
            **self.s3,
            "PYTHONPATH": str(ROOT),
            "DUCTRUNNER_CONFIG": str(self.folder / "ductrunner.yaml"),
            "BENCH_DSN": f"host={a.host} port={a.port} dbname={a.database} user={a.username} password={a.password}",
            "BENCH_URL": f"postgresql://{p.username}:{p.password}@{p.host}:{p.port}/{p.database}",
            "TARGET": f"postgresql://{p.username}:{p.password}@{p.host}:{p.port}/{p.database}?sslmode=disable",
            "BENCH_MANIFEST": f"s3://{BUCKET}/second/manifest",
            "BENCH_FILES": " ".join(map(str, sorted((self.folder / files).glob("*.gz")))),
            "BENCH_ROLE": ROLE,
            "BENCH_KIND": kind,
            "DLT_DATA_DIR": str(self.folder / "dlt"),
            "RUNTIME__DLTHUB_TELEMETRY": "false",
            "SLING_DISABLE_TELEMETRY": "true",
            "SLING_HOME_DIR": str(self.folder / "sling"),
        }

    def measure(self, command: list[str], kind: str = "upsert", files: str = "second") -> Run:
        """Run a command; its peak memory is read from the kernel while it runs (that of wait4 counts the parent's)."""
        log = self.folder / "log"
        peak = 0.0
        started = time.monotonic()
        with log.open("wb") as file:
            process = subprocess.Popen(
                command, stdout=file, stderr=file, env=self.environment(kind, files), cwd=self.folder
            )
            while process.poll() is None:
                peak = max(peak, _peak_memory(process.pid))
                time.sleep(0.02)
        seconds = time.monotonic() - started
        if process.returncode:
            raise RuntimeError(f"{command[0]} failed: {log.read_text(errors='replace')[-2000:]}")
        return Run(seconds, peak)

    def execute(self, *statements: str) -> Any:
        a = self.postgres
        connection = psycopg2.connect(**a.postgres_login)
        connection.autocommit = True
        with connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
            answer = cursor.fetchall() if cursor.description else None
        connection.close()
        return answer

    def reset(self, schema: str = "public") -> None:
        """Bring the target back to the first rows, compact and analysed."""
        target = f"{schema}.enrollments"
        self.execute(
            f"TRUNCATE {target}", f"INSERT INTO {target} SELECT * FROM public.base", f"VACUUM ANALYZE {target}"
        )

    def ours(self, step: str, *options: str) -> Run:
        self.reset()
        words = [sys.executable, "-m", "ductrunner", "step", step, "--table-definition", TABLE, *options]
        run = self.measure([*words, "--input", f"s3://{BUCKET}/second/manifest"])
        self.check(step)
        return run

    def by_hand(self, step: str) -> Run:
        self.reset()
        run = self.measure([sys.executable, "-c", BY_HAND], step)
        self.check(step)
        return run

    def check(self, step: str) -> None:
        expected = self.rows * 3 // 2 if step.startswith("upsert") else self.rows
        found = self.execute("SELECT COUNT(*), COUNT(DISTINCT id) FROM enrollments")[0]
        if found != (expected, expected):
            raise RuntimeError(f"{step} left {found} rows and keys, not {expected}")

    def dlt(self) -> Run:
        self.execute("DROP SCHEMA IF EXISTS peer CASCADE", "DROP SCHEMA IF EXISTS peer_staging CASCADE")
        shutil.rmtree(self.folder / "dlt", ignore_errors=True)
        command = [str(PEERS / "python"), "-c", DLT]
        self.measure(command, files="first")  # dlt merges only into a table that it made itself
        return self.measure(command)

    def sling(self) -> Run:
        self.execute("DROP TABLE IF EXISTS sling_enrollments", "CREATE TABLE sling_enrollments AS SELECT * FROM base")
        self.execute("ALTER TABLE sling_enrollments ADD PRIMARY KEY (id)")
        binary = next(PEERS.parent.glob("lib/python3*/site-packages/sling_linux_amd64/bin/sling-linux-amd64"))
        words = [str(binary), "run", "--src-stream", f"file://{self.folder}/second_with_header/"]
        words += ["--src-options", json.dumps({"format": "csv", "delimiter": "\t", "header": True, "null_if": "\\N"})]
        words += ["--tgt-conn", "TARGET", "--tgt-object", "public.sling_enrollments"]
        return self.measure([*words, "--mode", "incremental", "--primary-key", "id"])


def main(arguments: list[str] | None = None) -> None:
    """Print seconds, ratios and memory of every contestant, interleaved, medians over the repeats."""
    options = _options(sys.argv[1:] if arguments is None and __name__ == "__main__" else arguments or [])
    with tempfile.TemporaryDirectory(prefix="bench-warehouse-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        postgres, aws = PostgresPart(folder / "postgres"), MotoPart(folder / "aws")
        front = RedshiftPart(folder / "redshift", postgres, aws)
        parts = [postgres, aws, front]
        try:
            for part in parts:
                part.start()
            address = postgres.ensure_database("bench", "bench")
            warehouse = replace(address, port=front.port)
            bench = Bench(warehouse, address, aws.client_environment(), folder, options.rows)
            _fill(bench)
            _compare(bench, options)
        finally:
            for part in reversed(parts):
                part.stop()


def _peak_memory(process_id: int) -> float:
    """Peak resident MB of a process so far; 0 when it has just ended."""
    try:
        lines = Path(f"/proc/{process_id}/status").read_text().splitlines()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM")), 0.0)


def _options(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.warehouse", description=__doc__)
    parser.add_argument("--rows", type=int, default=2_000_000)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--steps", nargs="+", default=["create-load-redshift", "upsert", "reload"])
    parser.add_argument("--no-peers", dest="peers", action="store_false")
    return parser.parse_args(arguments)


def _compare(bench: Bench, options: argparse.Namespace) -> None:
    for step in ("create-load-redshift", "upsert", "reload"):
        if step not in options.steps:
            continue
        contestants = _contestants(bench, step)
        if step == "upsert" and options.peers and (PEERS / "python").exists():
            contestants |= {"dlt merge": bench.dlt, "sling incremental": bench.sling}
        runs: dict[str, list[Run]] = {name: [] for name in contestants}
        for _ in range(options.repeat):
            for name, contestant in contestants.items():
                runs[name].append(contestant())
        _print(step, options.rows, runs)


def _contestants(bench: Bench, step: str) -> dict[str, Callable[[], Run]]:
    contestants: dict[str, Callable[[], Run]] = {BARE: lambda: bench.by_hand(step)}
    if step != "create-load-redshift":
        contestants[DISTINCT] = lambda: bench.by_hand(f"{step} de-duplicated")
        contestants[f"{step} without checks"] = lambda: bench.ours(step, "--no-check-rows", "--no-check-keys")
    return contestants | {f"ductrunner step {step}": lambda: bench.ours(step)}


def _print(step: str, rows: int, runs: dict[str, list[Run]]) -> None:
    medians = {name: statistics.median(run.seconds for run in measured) for name, measured in runs.items()}
    distinct = medians.get(DISTINCT)
    print(f"\n{step}: {rows:,} rows{'':12} median s   all s                  MB   x bare   x de-duplicated", flush=True)
    for name, measured in runs.items():
        every = " ".join(f"{run.seconds:.1f}" for run in measured)
        memory = max(run.resident for run in measured)
        ratios = f"{medians[name] / medians[BARE]:8.2f}" + (f" {medians[name] / distinct:8.2f}" if distinct else "")
        print(f"{name:36} {medians[name]:8.1f}   {every:18} {memory:6.0f} {ratios}", flush=True)


def _fill(bench: Bench) -> None:
    """Write the files, put them into S3, fill the target and remember its first rows."""
    import boto3

    s3 = boto3.client(
        "s3",
        endpoint_url=bench.s3["AWS_ENDPOINT_URL"],
        aws_access_key_id=bench.s3["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=bench.s3["AWS_SECRET_ACCESS_KEY"],
        region_name=REGION,
    )
    s3.create_bucket(Bucket=BUCKET)
    a = bench.warehouse
    redshift = {"host": a.host, "port": a.port, "database_name": a.database, "username": a.username}
    redshift |= {"password": a.password, "iam_role": ROLE}
    (bench.folder / "ductrunner.yaml").write_text(yaml.safe_dump({"etl": {"region": REGION}, "redshift": redshift}))
    for name, first in (("first", 1), ("second", bench.rows // 2 + 1)):
        _write(bench.folder / name, first, bench.rows)
        _publish(s3, bench.folder / name, name, bench.rows)
    _with_header(bench.folder)
    words = [sys.executable, "-m", "ductrunner", "step", "create-load-redshift", "--table-definition", TABLE]
    bench.measure([*words, "--input", f"s3://{BUCKET}/first/manifest"])
    bench.execute("CREATE TABLE base AS SELECT * FROM enrollments")


def _write(folder: Path, first: int, rows: int) -> None:
    folder.mkdir()
    share = rows // FILES
    for part in range(FILES):
        start = first + part * share
        with igzip.open(folder / f"part-{part}.tsv.gz", "wb", compresslevel=1) as file:
            for begin in range(start, start + share, 10_000):
                file.write("".join(map(_line, range(begin, min(begin + 10_000, start + share)))).encode())


def _line(key: int) -> str:
    note = "\\N" if key % 3 == 0 else "" if key % 50 == 1 else f"line one of {key}, tabbed and quoted " * (key % 4 + 1)
    grade = key % 10_000 / 100
    return (
        f"{key}\t{key % 100_003}\tcourse-{key % 977}\t{grade}\t{note}\t2026-01-{key % 28 + 1:02} 10:{key % 60:02}:00\n"
    )


def _publish(s3: Any, folder: Path, prefix: str, rows: int) -> None:
    entries = []
    for path in sorted(folder.iterdir()):
        s3.upload_file(str(path), BUCKET, f"{prefix}/{path.name}")
        meta = {"content_length": path.stat().st_size, "record_count": rows // FILES}
        entries.append({"url": f"s3://{BUCKET}/{prefix}/{path.name}", "mandatory": True, "meta": meta})
    elements = [{"name": name, "type": {"base": "text"}} for name in COLUMNS]
    document = {"entries": entries, "schema": {"elements": elements}, "source": {"rows": rows}}
    s3.put_object(Bucket=BUCKET, Key=f"{prefix}/manifest", Body=json.dumps(document).encode())


def _with_header(folder: Path) -> None:
    """sling takes the names of the columns from the first line of each file."""
    target = folder / "second_with_header"
    target.mkdir()
    for path in sorted((folder / "second").iterdir()):
        with igzip.open(path) as source, igzip.open(target / path.name.replace(".tsv", ".csv"), "wb", 1) as file:
            file.write(("\t".join(COLUMNS) + "\n").encode())
            shutil.copyfileobj(source, file, 1 << 20)


if __name__ == "__main__":
    main()
