"""The engines of one machine do real work on files and on S3."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.usefixtures("engines")

MAPPER = """#!/usr/bin/env python3
import sys
for line in sys.stdin:
    for word in line.split():
        print(f"LongValueSum:{word}\\t1")
"""
PIG = """
A = LOAD 's3://BUCKET/in' USING PigStorage(' ') AS (a, b);
B = FOREACH A GENERATE $x, a;
STORE B INTO 's3://BUCKET/out' USING PigStorage(',');
"""
FORM = "ROW FORMAT DELIMITED FIELDS TERMINATED BY ' '"
INPUT = f"CREATE EXTERNAL TABLE t (a STRING, b STRING) {FORM} LOCATION 's3://BUCKET/in'"
COUNT = f"""
CREATE EXTERNAL TABLE o (a STRING, n INT) {FORM} LOCATION 's3://BUCKET/out';
INSERT OVERWRITE TABLE o SELECT a, count(*) FROM t GROUP BY a;
SELECT * FROM o;
"""


def run(*command: str, cwd: Path) -> str:
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-4000:]
    return done.stdout


def lines_of(client: Any, bucket: str, prefix: str) -> list[str]:
    parts = [entry["Key"] for entry in client.list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", [])]
    texts = [client.get_object(Bucket=bucket, Key=key)["Body"].read().decode() for key in parts if "/part-" in key]
    return sorted("".join(texts).splitlines())


@pytest.fixture
def words(s3_client: Any, s3_bucket: str) -> str:
    s3_client.put_object(Bucket=s3_bucket, Key="in/a.txt", Body=b"hello world\n")
    s3_client.put_object(Bucket=s3_bucket, Key="in/b.txt", Body=b"hello again\n")
    return s3_bucket


def test_streaming_counts_words_of_s3_with_a_mapper_of_s3(words: str, s3_client: Any, tmp_path: Path) -> None:
    s3_client.put_object(Bucket=words, Key="map.py", Body=MAPPER.encode())
    place = ["-input", f"s3://{words}/in/", "-output", f"s3n://{words}/out"]
    run(
        "hadoop-streaming",
        "-files",
        f"s3://{words}/map.py",
        "-mapper",
        "map.py",
        "-reducer",
        "aggregate",
        *place,
        cwd=tmp_path,
    )
    assert lines_of(s3_client, words, "out/") == ["again\t1", "hello\t2", "world\t1"]


def test_pig_reads_and_writes_s3(words: str, s3_client: Any, tmp_path: Path) -> None:
    (tmp_path / "s.pig").write_text(PIG.replace("BUCKET", words))
    run("pig", "-param", "x=b", "-f", "s.pig", cwd=tmp_path)
    assert lines_of(s3_client, words, "out/") == ["again,hello", "world,hello"]


def test_hive_keeps_a_table_for_the_next_command(words: str, tmp_path: Path) -> None:
    run("hive", "-e", INPUT.replace("BUCKET", words), cwd=tmp_path)
    (tmp_path / "s.q").write_text(COUNT.replace("BUCKET", words))
    assert run("hive", "-f", "s.q", cwd=tmp_path) == "hello\t2\n"
    assert list(tmp_path.glob("*derby*")) == []
