"""The agent's own hourly files in S3: same names, same lines, nobody's overwritten."""

from __future__ import annotations

import pytest

from agent.logs.backup import Backup
from stores.s3 import S3Store
from tests.integration.agent.conftest import bench, manual_service  # noqa: F401  # fixtures

NAME = "TaskRunner.log.2026-11-26-09"


@pytest.fixture
def objects(s3_client, s3_bucket):
    """What is below ``logs`` in the bucket: content by name."""

    def read():
        listed = s3_client.list_objects_v2(Bucket=s3_bucket, Prefix="logs/").get("Contents", [])
        keys = [entry["Key"] for entry in listed]
        return {
            key.removeprefix("logs/"): s3_client.get_object(Bucket=s3_bucket, Key=key)["Body"].read() for key in keys
        }

    return read


@pytest.fixture
def make(s3_bucket, aws_environment):
    """A maker of backups of a worker of this name."""
    return lambda worker: Backup(f"s3://{s3_bucket}/logs/", worker, 300.0, S3Store)


def write(backup, path, text):
    with path.open("a") as file:
        file.write(text)
    backup.wrote(path, 0, len(text))
    backup.copy()


def test_the_lines_of_an_agent_are_there_when_it_has_ended(bench, s3_bucket, objects):  # noqa: F811  # the fixture
    bench.shell("true")
    agent = bench.agent("--once", f"--logUri=s3://{s3_bucket}/logs")
    assert agent.wait() == 0
    [local] = agent.output.glob("logs/TaskRunner.log.*")
    found = {name: text for name, text in objects().items() if "/" not in name}
    assert found == {local.name: local.read_bytes()}
    assert b'"agent_stopped"' in found[local.name]


def test_a_worker_that_starts_again_within_the_hour_goes_on_with_its_file(make, objects, tmp_path):
    path = tmp_path / NAME
    write(make("one"), path, "first\n")
    write(make("one"), path, "second\n")
    assert objects() == {NAME: b"first\nsecond\n"}


def test_another_worker_with_the_same_log_uri_gets_a_name_of_its_own(make, objects, tmp_path):
    here, there = tmp_path / NAME, tmp_path / "there" / NAME
    there.parent.mkdir()
    one, other = make("one"), make("a/b")
    write(one, here, "lines of the one\n")
    write(other, there, "lines of the other\n")
    write(one, here, "more\n")
    write(other, there, "more\n")
    assert objects() == {NAME: b"lines of the one\nmore\n", f"{NAME}.a_b": b"lines of the other\nmore\n"}


def test_a_file_that_somebody_has_overwritten_meanwhile_is_written_beside_it(make, objects, tmp_path):
    here, there = tmp_path / NAME, tmp_path / "there" / NAME
    there.parent.mkdir()
    one, other = make("one"), make("two")
    write(one, here, "one\n")
    there.write_text("two, who has not looked\n")
    other._store().upload_file(there, f"{other._uri}/{NAME}")
    write(one, here, "more\n")
    assert objects() == {NAME: b"two, who has not looked\n", f"{NAME}.one": b"one\nmore\n"}
