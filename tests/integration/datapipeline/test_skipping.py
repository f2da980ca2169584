"""Idle time that is skipped, on the machine's clock."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.datapipeline.conftest import ServiceProcess, api_object

HOUR = 3600.0


@pytest.fixture
def service(tmp_path: Path) -> Iterator[ServiceProcess]:
    started = ServiceProcess(tmp_path, ("--clock", "system"))
    yield started
    started.stop()


def skip(service: ServiceProcess, pipeline: str) -> float:
    body = json.dumps({"pipelineId": pipeline}).encode()
    with urllib.request.urlopen(f"http://127.0.0.1:{service.port}/_sandbox/skip", body) as answer:
        return float(json.load(answer)["skipped"])


def now(service: ServiceProcess) -> float:
    with urllib.request.urlopen(f"http://127.0.0.1:{service.port}/_sandbox/clock") as answer:
        return float(json.load(answer)["seconds"])


def make(service: ServiceProcess, name: str, **fields: str) -> str:
    client = service.client
    pipeline = client.create_pipeline(name=name, uniqueId=name)["pipelineId"]
    work = api_object("Work", type="ShellCommandActivity", command="true", workerGroup=name, **fields)
    default = api_object("Default", scheduleType="ondemand")
    answer = client.put_pipeline_definition(pipelineId=pipeline, pipelineObjects=[default, work])
    assert not answer["errored"], answer
    client.activate_pipeline(pipelineId=pipeline)
    return str(pipeline)


def take(service: ServiceProcess, group: str) -> str | None:
    task = service.client.poll_for_task(workerGroup=group).get("taskObject")
    if task is None:
        return None
    service.client.report_task_progress(taskId=task["taskId"])
    return str(task["taskId"])


def fail(service: ServiceProcess, group: str) -> None:
    service.client.set_task_status(taskId=take(service, group), taskStatus="FAILED")


def until_skipped(service: ServiceProcess, pipeline: str, seconds: float) -> None:
    skipped = 0.0
    while skipped < seconds:
        step = skip(service, pipeline)
        assert step > 0, "nothing more is skipped"
        skipped += step


def test_a_retry_delay_is_skipped(service):
    pipeline = make(service, "a", retryDelay="3 hours", maximumRetries="1")
    fail(service, "a")
    assert take(service, "a") is None
    before = now(service)
    until_skipped(service, pipeline, 2.9 * HOUR)
    assert now(service) - before > 2.9 * HOUR
    assert take(service, "a") is not None


def test_a_resource_that_runs_is_nothing_to_wait_for(service):
    client = service.client
    pipeline = client.create_pipeline(name="a", uniqueId="a")["pipelineId"]
    work = api_object("Work", type="ShellCommandActivity", command="true", runsOn=">Machine", maximumRetries="1")
    machine = api_object("Machine", type="Ec2Resource", role="r", resourceRole="r")
    objects = [api_object("Default", scheduleType="ondemand"), work, machine]
    answer = client.put_pipeline_definition(pipelineId=pipeline, pipelineObjects=objects)
    assert not answer["errored"], answer
    client.activate_pipeline(pipelineId=pipeline)
    fail(service, "managed")
    until_skipped(service, pipeline, 500.0)


def test_nothing_is_skipped_while_there_is_something_to_do(service):
    pipeline = make(service, "a")
    assert skip(service, pipeline) == 0
    take(service, "a")
    assert skip(service, pipeline) == 0


def test_nothing_is_skipped_while_a_worker_holds_a_task_of_another_pipeline(service):
    pipeline = make(service, "a", retryDelay="3 hours", maximumRetries="1")
    fail(service, "a")
    make(service, "b")
    other = take(service, "b")
    assert skip(service, pipeline) == 0
    service.client.set_task_status(taskId=other, taskStatus="FINISHED")
    until_skipped(service, pipeline, 2.9 * HOUR)


def test_the_clock_stays_where_it_is_through_a_kill(service):
    pipeline = make(service, "a", retryDelay="30 hours", maximumRetries="1")
    fail(service, "a")
    until_skipped(service, pipeline, 29 * HOUR)
    before = now(service)
    service.kill_and_restart()
    assert now(service) >= before


def test_a_pipeline_that_is_not_there_is_refused(service):
    with pytest.raises(urllib.error.HTTPError):
        skip(service, "df-none")
