"""The bugs of Dataduct's checks (its executors, its ``qa`` modules): ours has none of them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import psycopg2
import pymysql
import pytest
import yaml

from sandbox.parts.database import DatabaseAddress

Run = Callable[..., subprocess.CompletedProcess[str]]
_COLUMNS = "id {{id}}, a VARCHAR(60), b VARCHAR(60), f {}, yes {}, at {}, PRIMARY KEY (id)"
DEFINITION = f"CREATE TABLE t ({_COLUMNS.format('REAL', 'BOOLEAN', 'TIMESTAMP')})"
SOURCE = f"CREATE TABLE t ({_COLUMNS.format('FLOAT', 'TINYINT(1)', 'DATETIME(6)')})"
#: Runs a step and tells its peak memory in MB as the last line of stderr.
MEASURED = """
import sys
from pathlib import Path
from steps_impl.runner import run
code = run(sys.argv[1], sys.argv[2:])
peak = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
print(int(peak.split()[1]) // 1024, file=sys.stderr)
sys.exit(code)
"""


@dataclass
class Sides:
    """MySQL and the warehouse with a table ``t`` each, and the command."""

    mysql: Any
    redshift: Any
    config: Path
    run: Run

    def put(self, source: str, target: str, kind: str = "INT") -> None:
        for connection, ddl, rows in ((self.mysql, SOURCE, source), (self.redshift, DEFINITION, target)):
            with connection.cursor() as cursor:
                cursor.execute(ddl.format(id=kind))
                if rows:
                    cursor.execute(f"INSERT INTO t VALUES {rows}")

    def check(self, step: str, *words: str, kind: str = "INT") -> subprocess.CompletedProcess[str]:
        source = () if step == "primary-key-check" else ("--source-host", "source", "--source-table", "t")
        environment = {"DUCTRUNNER_CONFIG": str(self.config)}
        return self.run("step", step, "--table-definition", DEFINITION.format(id=kind), *source, *words,
                        environment=environment)  # fmt: skip


@pytest.fixture
def sides(
    mysql_database: DatabaseAddress, redshift_database: DatabaseAddress, tmp_path: Path, ductrunner: Run
) -> Iterator[Sides]:
    my, red = mysql_database, redshift_database
    login = [{"host": a.host, "port": a.port, "username": a.username, "password": a.password} for a in (my, red)]
    sections = {
        "mysql": {"source": {**login[0], "database": my.database}},
        "redshift": {**login[1], "database_name": red.database},
    }
    config = tmp_path / "ductrunner.yaml"
    config.write_text(yaml.safe_dump(sections))
    mysql = pymysql.connect(**my.mysql_login, autocommit=True)
    redshift = psycopg2.connect(**red.postgres_login)
    redshift.autocommit = True
    yield Sides(mysql, redshift, config, ductrunner)
    mysql.close()
    redshift.close()


def outcome(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    details: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])["details"]
    return details


def test_an_error_rate_that_is_unknown_is_reported_and_does_not_crash(sides: Sides) -> None:
    """Dataduct: formatting a rate of None crashes the summary."""
    sides.put("", "(1, 'a', 'b', 1, true, NULL)")
    done = sides.check("count-check", "--on-failure", "warn", "--report", str(sides.config.with_name("r")))
    assert (done.returncode, outcome(done)["error_rate"]) == (0, None), done.stderr
    failed = sides.check("count-check")
    assert (failed.returncode, "error rate: not computable" in failed.stderr) == (3, True)
    assert "not computable" in sides.config.with_name("r.html").read_text()


def test_values_of_neighbouring_columns_do_not_run_together(sides: Sides) -> None:
    """Dataduct: 'a' || 'bc' is 'ab' || 'c'."""
    sides.put("(1, 'a', 'bc', NULL, NULL, NULL)", "(1, 'ab', 'c', NULL, NULL, NULL)")
    for step in ("column-check", "compare"):
        words = ("--tolerance", "0", "--on-failure", "warn")
        done = sides.check(step, *words) if step == "column-check" else sides.run(
            "step", "compare", "--source-host", "source", "--source-table", "t", *words,
            environment={"DUCTRUNNER_CONFIG": str(sides.config)})  # fmt: skip
        assert outcome(done)["columns"].keys() == {"a", "b"}, done.stderr


def test_floats_truth_values_and_times_that_are_printed_differently_are_equal(sides: Sides) -> None:
    """Dataduct: compares the engines' own texts, so that each of these is a false alarm."""
    sides.put(
        "(1, '', NULL, 0.1, 1, '2024-01-01 10:00:00.5'), (2, NULL, '', 1e20, 0, '2024-01-01')",
        "(1, '', NULL, 0.1, true, '2024-01-01 10:00:00.5'), (2, NULL, '', 1e20, false, '2024-01-01')",
    )
    done = sides.check("column-check", "--tolerance", "0")
    assert (done.returncode, outcome(done)["compared"]) == (0, 4), done.stderr


def test_keys_are_looked_up_as_values_and_not_by_their_repr(sides: Sides) -> None:
    """Dataduct: pastes the Python repr of the keys into the query."""
    keys = ["it''s", "back\\\\slash", "%s", '"', "''); DROP TABLE t; --", "ü😀"]
    rows = ", ".join(f"('{key}', 'x', NULL, NULL, NULL, NULL)" for key in keys)
    sides.put(rows, rows.replace("\\\\", "\\"), "VARCHAR(40)")
    done = sides.check("column-check", "--tolerance", "0", kind="VARCHAR(40)")
    assert (done.returncode, outcome(done)["compared"]) == (0, 12), done.stderr


def test_duplicate_keys_by_the_hundred_thousand_need_no_memory(sides: Sides) -> None:
    """Dataduct: reads every duplicate key into a pandas DataFrame."""
    sides.put("", "")
    with sides.redshift.cursor() as cursor:
        cursor.execute("INSERT INTO t (id) SELECT n % 300000 FROM generate_series(1, 600000) n")
    words = ("primary-key-check", "--table-definition", DEFINITION.format(id="INT"))
    done = subprocess.run([sys.executable, "-c", MEASURED, *words], env={"DUCTRUNNER_CONFIG": str(sides.config)},
                          capture_output=True, text=True, check=False)  # fmt: skip
    assert (done.returncode, "300000 keys occur more than once" in done.stderr) == (3, True)
    assert int(done.stderr.splitlines()[-1]) < 150


def test_no_value_of_a_row_is_in_any_report(sides: Sides, tmp_path: Path) -> None:
    """Dataduct: prints the rows that differ to stdout."""
    sides.put(
        "(1, 'private-person', 'b', 1, 1, NULL)",
        "(1, 'other-person', 'b', 1, true, NULL), (1, 'third-person', 'b', 1, true, NULL)",
    )
    for step in ("column-check", "count-check", "primary-key-check"):
        done = sides.check(step, "--tolerance", "0", "--report", str(tmp_path / step))
        told = "".join(path.read_text() for path in tmp_path.glob(f"{step}.*"))
        assert done.returncode == 3
        assert "-person" not in done.stdout + done.stderr + told


def test_a_long_name_is_cut_to_the_subject_that_sns_takes(sides: Sides, aws_environment: str) -> None:
    """Dataduct: a subject of more than 100 characters is refused, and the failure is never told."""
    sns, sqs = boto3.client("sns"), boto3.client("sqs")
    topic = sns.create_topic(Name="long-names")["TopicArn"]
    queue = sqs.create_queue(QueueName="long-names")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    sides.put("", "(1, 'a', 'b', 1, true, NULL), (1, 'a', 'b', 1, true, NULL)")
    name = "pipeline." + "sehr-länglich-" * 12
    words = ("--on-failure", "warn", "--sns-topic-arn", topic, "--test-name", name)
    done = sides.run("step", "primary-key-check", "--table-definition", DEFINITION.format(id="INT"), *words,
                     environment={**_aws(), "DUCTRUNNER_CONFIG": str(sides.config)})  # fmt: skip
    assert (done.returncode, "notification" in outcome(done)) == (0, False), done.stderr
    (message,) = sqs.receive_message(QueueUrl=queue)["Messages"]
    subject = json.loads(message["Body"])["Subject"]
    assert (len(subject), subject.isascii(), subject.startswith("Failure on pipeline.sehr-l")) == (100, True, True)


def _aws() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name.startswith("AWS_")}
