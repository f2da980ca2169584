"""No YARN application outlives its attempt: a real ResourceManager sees it (it has no nodes: jobs wait for ever)."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sandbox import ports
from steps_impl.activities.cluster.applications import Applications, run_tag
from tests.acceptance.cluster.conftest import Bucket, Steps
from tests.integration.agent.conftest import eventually

FIFO = "org.apache.hadoop.yarn.server.resourcemanager.scheduler.fifo.FifoScheduler"
RUN = ("df-1", "@Work_2026-11-01T00:00:00_Attempt=1")
WORD_COUNT = {"type": "EmrActivity", "step": "/home/hadoop/hadoop-examples.jar,wordcount,BUCKET/in,BUCKET/out"}


class Yarn:
    """A ResourceManager and the configuration that names it."""

    def __init__(self, folder: Path, engines: Path) -> None:
        self.configuration = folder / "conf"
        shutil.copytree(engines.parent / "conf", self.configuration)
        web, client, *others = (ports.choose(None) for _ in range(5))
        self.url = f"http://127.0.0.1:{web}/ws/v1/cluster/apps"
        self.client_port = client
        services = ("webapp.", "", "scheduler.", "resource-tracker.", "admin.")
        addresses = {
            f"yarn.resourcemanager.{service}address": f"127.0.0.1:{port}"
            for service, port in zip(services, (web, client, *others), strict=True)
        }
        self.write("yarn-site.xml", {**addresses, "yarn.resourcemanager.scheduler.class": FIFO})
        staging = {"yarn.app.mapreduce.am.staging-dir": str(folder / "staging")}
        self.write("mapred-site.xml", {"mapreduce.framework.name": "yarn", **staging})

    def write(self, name: str, values: dict[str, str]) -> None:
        entries = "".join(f"<property><name>{k}</name><value>{v}</value></property>" for k, v in values.items())
        (self.configuration / name).write_text(f"<configuration>{entries}</configuration>")

    def applications(self) -> list[dict[str, Any]]:
        """What the manager knows; nothing while it comes up."""
        try:
            with urllib.request.urlopen(self.url, timeout=5) as answer:
                return list((json.load(answer)["apps"] or {}).get("app", []))
        except OSError:
            return []

    def states(self) -> list[str]:
        return [str(entry["state"]) for entry in self.applications()]

    def is_up(self) -> bool:
        try:
            urllib.request.urlopen(self.url, timeout=5).close()
        except OSError:
            return False
        return True


@pytest.fixture
def yarn(tmp_path: Path, engines: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Yarn]:
    """A cluster that takes jobs; every program finds it."""
    made = Yarn(tmp_path, engines)
    monkeypatch.setenv("HADOOP_CONF_DIR", str(made.configuration))
    with (tmp_path / "manager.log").open("wb") as log:
        manager = subprocess.Popen([engines / "yarn", "resourcemanager"], stdout=log, stderr=log, cwd=tmp_path)
    try:
        eventually(made.is_up, "YARN's ResourceManager")
        yield made
    finally:
        manager.kill()
        manager.wait()


def word_count(bucket: Bucket) -> dict[str, Any]:
    return {**WORD_COUNT, "step": WORD_COUNT["step"].replace("BUCKET", str(bucket))}


def test_a_cancelled_attempt_ends_its_application(steps: Steps, bucket: Bucket, yarn: Yarn) -> None:
    process = steps.start(word_count(bucket))
    eventually(lambda: yarn.states() == ["ACCEPTED"], "the job")
    assert [entry["applicationTags"] for entry in yarn.applications()] == [run_tag(*RUN)]
    page = eventually(lambda: json.loads(steps.result.read_text())["progress"].get("hadoopJobLog"), "the job's page")
    assert yarn.applications()[0]["id"] in page
    os.kill(process.pid, signal.SIGTERM)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 143
    eventually(lambda: yarn.states() == ["KILLED"], "the end of the application")
    assert "ended the YARN application" in err


def test_what_a_killed_attempt_has_left_is_ended_by_the_next_one(steps: Steps, bucket: Bucket, yarn: Yarn) -> None:
    process = steps.start(word_count(bucket))
    eventually(lambda: yarn.states() == ["ACCEPTED"], "the job")
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    assert yarn.states() == ["ACCEPTED"]
    shutil.rmtree(steps.result.parent)
    steps.result.parent.mkdir()
    second = RUN[1].replace("Attempt=1", "Attempt=2")
    steps.finish({"type": "EmrActivity", "step": "command-runner.jar,true"}, DUCTRUNNER_ATTEMPT_ID=second)
    eventually(lambda: yarn.states() == ["KILLED"], "the end of the application")
    assert bucket.keys("out") == []


def test_where_yarns_pages_do_not_answer_its_command_is_asked(steps: Steps, bucket: Bucket, yarn: Yarn) -> None:
    process = steps.start(word_count(bucket))
    eventually(lambda: yarn.states() == ["ACCEPTED"], "the job")
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    silent = {"yarn.resourcemanager.webapp.address": f"127.0.0.1:{ports.choose(None)}"}
    yarn.write("yarn-site.xml", {**silent, "yarn.resourcemanager.address": f"127.0.0.1:{yarn.client_port}"})
    found = Applications.of_cluster(run_tag(*RUN), yarn.configuration, dict(os.environ))
    assert found
    assert found.kill() == [yarn.applications()[0]["id"]]
    eventually(lambda: yarn.states() == ["KILLED"], "the end of the application")
