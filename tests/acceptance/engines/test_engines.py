"""The engines of one machine do real work on files and on S3; more of Hadoop and Pig is in the tests of activities."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.usefixtures("engines")

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


@pytest.fixture
def words(s3_client: Any, s3_bucket: str) -> str:
    s3_client.put_object(Bucket=s3_bucket, Key="in/a.txt", Body=b"hello world\n")
    s3_client.put_object(Bucket=s3_bucket, Key="in/b.txt", Body=b"hello again\n")
    return s3_bucket


def test_hive_keeps_a_table_for_the_next_command(words: str, tmp_path: Path) -> None:
    run("hive", "-e", INPUT.replace("BUCKET", words), cwd=tmp_path)
    (tmp_path / "s.q").write_text(COUNT.replace("BUCKET", words))
    assert run("hive", "-f", "s.q", cwd=tmp_path) == "hello\t2\n"
    assert list(tmp_path.glob("*derby*")) == []


def test_an_address_in_hdfs_is_a_folder_of_the_sandbox(tmp_path: Path) -> None:
    (tmp_path / "a b.txt").write_text("x\n")
    run("hadoop", "fs", "-put", "a b.txt", "hdfs:///a b.txt", cwd=tmp_path)
    assert (tmp_path / "engines-state/hdfs/a b.txt").read_text() == "x\n"
    assert run("hadoop", "fs", "-cat", "hdfs://namenode:8020/a b.txt", cwd=tmp_path) == "x\n"
