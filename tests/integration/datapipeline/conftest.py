"""A real Data Pipeline service process with a clock that the test moves, driven by unmodified boto3."""

from __future__ import annotations

import http.client
import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config

from sandbox.parts.moto import MotoPart

START_LIMIT = 20.0


def api_object(object_id: str, **fields: str | list[str]) -> dict[str, Any]:
    """An object in API form; a value that begins with ``>`` is a reference."""
    entries = []
    for key, given in fields.items():
        for value in [given] if isinstance(given, str) else given:
            slot = "refValue" if value.startswith(">") else "stringValue"
            entries.append({"key": key.replace("star_", "*"), slot: value.removeprefix(">")})
    return {"id": object_id, "name": object_id, "fields": entries}


class ServiceProcess:
    """One service on one database, which can be killed and started again."""

    def __init__(self, directory: Path, flags: tuple[str, ...]) -> None:
        self._directory = directory
        self._flags = flags
        self.port = 0
        self.start()

    def start(self) -> None:
        port_file = self._directory / "port"
        port_file.unlink(missing_ok=True)
        with (self._directory / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "sandbox.datapipeline", "--database", self._directory / "state.db"),
                    *("--port", str(self.port), "--port-file", port_file, "--clock", "manual", "--poll-hold", "0.1"),
                    *self._flags,
                ],
                stderr=log,
            )
        limit = time.monotonic() + START_LIMIT
        while not port_file.exists():
            assert self._process.poll() is None, (self._directory / "log").read_text()
            assert time.monotonic() < limit, "the service did not start"
            time.sleep(0.01)
        self.port = int(port_file.read_text())
        self.client = self.new_client()

    def new_client(self, **settings: Any) -> Any:
        return boto3.client(
            "datapipeline",
            endpoint_url=f"http://127.0.0.1:{self.port}",
            region_name="us-east-1",
            aws_access_key_id="any",
            aws_secret_access_key="any",
            config=Config(retries={"total_max_attempts": 1}, **settings),
        )

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()
        self.client.close()

    def kill_and_restart(self, *flags: str) -> None:
        """Kill the service and start it again, with other flags if some are given."""
        self.kill()
        self._flags = flags or self._flags
        self.start()

    def stop(self) -> int:
        self._process.send_signal(signal.SIGTERM)
        self.client.close()
        return self._process.wait(timeout=10)

    def raw(
        self, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None
    ) -> tuple[int, Any, Any]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read()), answer.headers
        finally:
            connection.close()

    def control(self, method: str, name: str, **body: Any) -> Any:
        status, answer, _ = self.raw(method, f"/_sandbox/{name}", json.dumps(body).encode() if body else b"")
        assert status == 200, answer
        return answer

    def advance(self, seconds: float) -> None:
        self.control("POST", "clock", advance=seconds)

    def pipeline(self, *objects: dict[str, Any], default: dict[str, str] | None = None, **more: Any) -> str:
        """Create a pipeline with a definition and return its id."""
        created = self.client.create_pipeline(name="test", uniqueId=str(time.monotonic_ns()))["pipelineId"]
        base = {"scheduleType": "ondemand", "retryDelay": "10 minutes"}
        definition = [api_object("Default", **base | (default or {})), *objects]
        answer = self.client.put_pipeline_definition(pipelineId=created, pipelineObjects=definition, **more)
        assert not answer["errored"], answer
        return str(created)

    def run(self, *objects: dict[str, Any], **more: Any) -> str:
        """Create, define and activate a pipeline."""
        created = self.pipeline(*objects, **more)
        self.client.activate_pipeline(pipelineId=created)
        return created

    def poll(self, group: str = "group") -> dict[str, Any] | None:
        return self.client.poll_for_task(workerGroup=group, hostname="worker-1").get("taskObject")

    def take(self, group: str = "group") -> dict[str, Any]:
        task = self.poll(group)
        assert task is not None, f"no task for {group}"
        return task

    def acknowledge(self, task: dict[str, Any]) -> bool:
        return bool(self.client.report_task_progress(taskId=task["taskId"])["canceled"])

    def finish(self, task: dict[str, Any], status: str = "FINISHED", **error: str) -> None:
        self.client.set_task_status(taskId=task["taskId"], taskStatus=status, **error)

    def ids(self, pipeline_id: str, sphere: str, **query: Any) -> list[str]:
        return list(self.client.query_objects(pipelineId=pipeline_id, sphere=sphere, **query)["ids"])

    def statuses(self, pipeline_id: str, sphere: str = "INSTANCE") -> dict[str, str]:
        """Statuses by component, or by attempt number of the only activity."""
        found = {}
        for entry in self.describe(pipeline_id, *self.ids(pipeline_id, sphere)):
            name = field(entry, "@componentParent") if sphere == "INSTANCE" else entry["id"].rpartition("=")[2]
            found[name] = field(entry, "@status")
        return found

    def describe(self, pipeline_id: str, *ids: str, **more: Any) -> list[dict[str, Any]]:
        found = self.client.describe_objects(pipelineId=pipeline_id, objectIds=list(ids), **more)
        return list(found["pipelineObjects"])

    def instance(self, pipeline_id: str, component: str) -> dict[str, Any]:
        query = {
            "selectors": [{"fieldName": "@componentParent", "operator": {"type": "REF_EQ", "values": [component]}}]
        }
        newest = self.ids(pipeline_id, "INSTANCE", query=query)[-1]
        return self.describe(pipeline_id, newest)[0]

    def set_status(self, pipeline_id: str, status: str, *components: str) -> None:
        ids = [self.instance(pipeline_id, name)["id"] for name in components]
        self.client.set_status(pipelineId=pipeline_id, objectIds=ids, status=status)

    def await_statuses(self, pipeline_id: str, **expected: str) -> None:
        """Wait until the components named have these statuses."""
        self._await(expected, lambda: self.statuses(pipeline_id))

    def await_fields(self, pipeline_id: str, component: str, **expected: str) -> None:
        """Wait until the newest instance of a component has these fields."""

        def fields() -> dict[str, str]:
            entries = self.instance(pipeline_id, component)["fields"]
            return {entry["key"]: entry.get("stringValue", entry.get("refValue")) for entry in entries}

        self._await(expected, fields)

    def log(self) -> str:
        return (self._directory / "log").read_text()

    def _await(self, expected: dict[str, str], look: Callable[[], dict[str, str]]) -> None:
        limit, found = time.monotonic() + START_LIMIT, look()
        while not expected.items() <= found.items():
            assert time.monotonic() < limit, f"{expected} did not come: {found}; {self.log()}"
            time.sleep(0.01)
            found = look()

    def state(self, pipeline_id: str) -> str:
        described = self.client.describe_pipelines(pipelineIds=[pipeline_id])["pipelineDescriptionList"][0]
        return str(field(described, "@pipelineState"))


def field(entry: dict[str, Any], key: str) -> Any:
    """The first value of a field, None if there is none."""
    found = [each for each in entry["fields"] if each["key"] == key]
    return found[0].get("stringValue", found[0].get("refValue")) if found else None


@pytest.fixture(scope="session")
def make_object() -> Callable[..., dict[str, Any]]:
    return api_object


@pytest.fixture(scope="session")
def make_activity() -> Callable[..., dict[str, Any]]:
    def activity(object_id: str, **fields: str | list[str]) -> dict[str, Any]:
        given = {"type": "ShellCommandActivity", "command": "true", "workerGroup": "group"} | fields
        return api_object(object_id, **given)

    return activity


@pytest.fixture(scope="session")
def field_of() -> Callable[[dict[str, Any], str], Any]:
    return field


@pytest.fixture
def start_service(tmp_path: Path) -> Iterator[Callable[..., ServiceProcess]]:
    """Start services with flags of the test's choice; the test's end stops them."""
    started: list[ServiceProcess] = []

    def start(*flags: str) -> ServiceProcess:
        directory = tmp_path / f"service-{len(started)}"
        directory.mkdir()
        started.append(ServiceProcess(directory, flags))
        return started[-1]

    yield start
    for process in started:
        process.kill()


@pytest.fixture(scope="module")
def shared_service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServiceProcess]:
    process = ServiceProcess(tmp_path_factory.mktemp("datapipeline"), ())
    yield process
    assert process.stop() == 0


class Inbox:
    """A topic and what has been published to it."""

    def __init__(self) -> None:
        name = f"topic-{time.monotonic_ns()}"
        self._sns, self._sqs = boto3.client("sns"), boto3.client("sqs")
        self.arn = self._sns.create_topic(Name=name)["TopicArn"]
        self._queue = self._sqs.create_queue(QueueName=name)["QueueUrl"]
        asked = {"QueueUrl": self._queue, "AttributeNames": ["QueueArn"]}
        arn = self._sqs.get_queue_attributes(**asked)["Attributes"]["QueueArn"]
        self._sns.subscribe(TopicArn=self.arn, Protocol="sqs", Endpoint=arn)
        self._read: list[tuple[str, str]] = []

    def messages(self) -> list[tuple[str, str]]:
        """Subject and text of everything so far, sorted."""
        asked = {"QueueUrl": self._queue, "MaxNumberOfMessages": 10}
        while found := self._sqs.receive_message(**asked).get("Messages"):
            for entry in found:
                body = json.loads(entry["Body"])
                self._read.append((body["Subject"], body["Message"]))
                self._sqs.delete_message(QueueUrl=self._queue, ReceiptHandle=entry["ReceiptHandle"])
        return sorted(self._read)

    def await_messages(self, *expected: tuple[str, str]) -> None:
        """Wait until as many messages are there, and compare."""
        limit = time.monotonic() + START_LIMIT
        while len(self.messages()) < len(expected) and time.monotonic() < limit:
            time.sleep(0.01)
        assert self.messages() == sorted(expected)

    def close(self) -> None:
        self._sns.close()
        self._sqs.close()


@pytest.fixture
def inbox(aws_environment: str) -> Iterator[Inbox]:
    made = Inbox()
    yield made
    made.close()


@pytest.fixture(scope="module")
def shared_connected(tmp_path_factory: pytest.TempPathFactory, aws_server: MotoPart) -> Iterator[ServiceProcess]:
    process = ServiceProcess(tmp_path_factory.mktemp("connected"), ("--aws-endpoint", aws_server.endpoint))
    yield process
    assert process.stop() == 0


@pytest.fixture
def connected(shared_connected: ServiceProcess, aws_environment: str) -> Iterator[ServiceProcess]:
    """One service for the tests of a module that has S3, DynamoDB and SNS beside it."""
    yield shared_connected
    listed = shared_connected.client.get_paginator("list_pipelines").paginate().build_full_result()
    for entry in listed["pipelineIdList"]:
        shared_connected.client.delete_pipeline(pipelineId=entry["id"])


@pytest.fixture
def service(shared_service: ServiceProcess) -> Iterator[ServiceProcess]:
    """One service for the tests of a module; each leaves it without pipelines."""
    yield shared_service
    listed = shared_service.client.get_paginator("list_pipelines").paginate().build_full_result()
    for entry in listed["pipelineIdList"]:
        shared_service.client.delete_pipeline(pipelineId=entry["id"])
