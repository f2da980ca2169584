"""Real agent processes, a real Data Pipeline service with a clock that the test moves, a real S3."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

import psutil
import pytest

from sandbox.parts.datapipeline import DataPipelinePart
from sandbox.parts.moto import MotoPart

T = TypeVar("T")
#: Longest time that anything here may take, in seconds; never reached when all is well.
PATIENCE = 90.0
ENDED = {"FINISHED", "FAILED", "CANCELED", "TIMEDOUT", "CASCADE_FAILED"}
FLAGS = ("--retry-delay-minimum=0", "--retry-delay-default=0", "--clock=manual", "--poll-hold=20")


def eventually(condition: Callable[[], T], what: str, patience: float = PATIENCE, look: float = 0.01) -> T:
    """Return the condition's first truthy value; fail, saying ``what`` was awaited, when there is none."""
    give_up = time.monotonic() + patience
    while time.monotonic() < give_up:
        if value := condition():
            return value
        time.sleep(look)
    return pytest.fail(f"waited {patience:.0f} s in vain: {what}")


class AgentProcess:
    """``ductrunner agent`` as a process; its log lines as they come."""

    def __init__(
        self, command: Sequence[str], environment: Mapping[str, str], directory: Path, output: str = "output"
    ) -> None:
        self.output = directory / output
        self._stdout = directory / f"agent-{secrets.token_hex(3)}.log"
        self._stderr = self._stdout.with_suffix(".err")
        with self._stdout.open("wb") as out, self._stderr.open("wb") as err:
            self.process = subprocess.Popen(
                [*command, f"--output={self.output}"], env=dict(environment), cwd=directory, stdout=out, stderr=err
            )

    @property
    def text(self) -> str:
        """Everything that it has said."""
        return self._stdout.read_text() + self._stderr.read_text()

    def events(self, action: str) -> list[dict[str, Any]]:
        """The log lines with this action."""
        lines = [json.loads(line) for line in self._stdout.read_text().split("\n")[:-1]]
        return [line for line in lines if line["action"] == action]

    def wait_for(self, action: str, count: int = 1, patience: float = PATIENCE) -> dict[str, Any]:
        """Wait until it has logged this action so many times; return the last line."""

        def found() -> dict[str, Any] | None:
            lines = self.events(action)
            assert len(lines) >= count or self.process.poll() is None, f"the agent has ended: {self.text}"
            return lines[count - 1] if len(lines) >= count else None

        return eventually(found, f"{action} in the agent's log", patience)

    def wait(self) -> int:
        """Wait for its end; return the exit status."""
        return self.process.wait(PATIENCE)

    def stop(self) -> None:
        """End it with everything it has started."""
        if self.process.poll() is None:
            children: list[psutil.Process] = []
            with suppress(psutil.NoSuchProcess):  # it may end at this moment
                children = psutil.Process(self.process.pid).children(recursive=True)
            self.process.kill()
            for child in children:
                try:
                    child.kill()
                except psutil.NoSuchProcess:
                    continue
        self.process.wait()


class Bench:
    """A worker group of its own, pipelines for it, and agents that serve it."""

    def __init__(self, part: DataPipelinePart, directory: Path, client: Any = None) -> None:
        import boto3

        self.group = f"group-{secrets.token_hex(4)}"
        self.directory = directory
        self.endpoint = part.endpoint
        self.client = client or boto3.client("datapipeline", endpoint_url=part.endpoint)
        self.agents: list[AgentProcess] = []

    @property
    def worker(self) -> AgentProcess:
        """The agent that was started last."""
        return self.agents[-1]

    def log_of(self, pipeline: str, name: str = "StdOutput") -> str:
        """What ``Work`` has written, from the local log of its attempt."""
        [path] = self.worker.output.glob(f"logs/{pipeline}/Work/*/*/{name}")
        return path.read_text()

    def agent(self, *flags: str, through: Sequence[str] = (), output: str = "output", **variables: str) -> AgentProcess:
        """Start an agent for the group; ``variables`` go into its environment, ``through`` before its command.

        ``output`` names its directory: an agent with another one stands for one on another machine.
        """
        ductrunner = str(Path(sys.executable).with_name("ductrunner"))
        command = [*through, ductrunner, "agent", f"--workerGroup={self.group}", *flags]
        own = {
            "AWS_ENDPOINT_URL_DATA_PIPELINE": self.endpoint,
            "DUCTRUNNER_AGENT_MAX_POLLS_PER_SECOND": "200",
            "DUCTRUNNER_AGENT_MAX_REPORTS_PER_SECOND": "100000",
            "DUCTRUNNER_AGENT_MAX_STATUSES_PER_SECOND": "100000",
            "DUCTRUNNER_AGENT_LISTEN": "127.0.0.1:0",
            "DUCTRUNNER_AGENT_KILL_GRACE": "2",
        }
        started = AgentProcess(command, {**os.environ, **own, **variables}, self.directory, output)
        self.agents.append(started)
        return started

    def run(self, *objects: Mapping[str, Any], **defaults: str) -> str:
        """Create and activate an on-demand pipeline of these objects; return its id."""
        pipeline = self.client.create_pipeline(name="test", uniqueId=secrets.token_hex(8))["pipelineId"]
        default = {"id": "Default", "scheduleType": "ondemand", "workerGroup": self.group, **defaults}
        listed = [api_object(entry) for entry in (default, *objects)]
        answer = self.client.put_pipeline_definition(pipelineId=pipeline, pipelineObjects=listed)
        assert not answer["errored"], answer["validationErrors"]
        self.client.activate_pipeline(pipelineId=pipeline)
        return str(pipeline)

    def shell(self, command: str, **fields: Any) -> str:
        """Run one ShellCommandActivity ``Work``, once; return the pipeline's id."""
        given = {"type": "ShellCommandActivity", "command": command, "maximumRetries": "0", **fields}
        return self.run({"id": "Work", **{key: value for key, value in given.items() if value is not None}})

    def attempts(self, pipeline: str) -> list[dict[str, Any]]:
        """The attempts of a pipeline with their fields, by id."""
        ids = self.client.query_objects(pipelineId=pipeline, sphere="ATTEMPT")["ids"]
        if not ids:
            return []
        described = self.client.describe_objects(pipelineId=pipeline, objectIds=sorted(ids))["pipelineObjects"]
        return [
            {field["key"]: field.get("stringValue", field.get("refValue")) for field in entry["fields"]}
            | {"id": entry["id"]}
            for entry in described
        ]

    def all_ended(self, pipeline: str, count: int) -> list[dict[str, Any]]:
        """Wait until ``count`` attempts have ended; return them."""

        def found() -> list[dict[str, Any]] | None:
            done = [entry for entry in self.attempts(pipeline) if entry["@status"] in ENDED]
            return done if len(done) >= count else None

        return eventually(found, f"{count} ended attempts of {pipeline}")

    def ended(self, pipeline: str, count: int = 1) -> dict[str, Any]:
        """Wait until ``count`` attempts have ended; return the last of them."""
        return self.all_ended(pipeline, count)[count - 1]

    def control(self, name: str, **body: Any) -> dict[str, Any]:
        """Ask the service for something that AWS has no call for."""
        request = urllib.request.Request(f"{self.endpoint}/_sandbox/{name}", json.dumps(body).encode(), method="POST")
        with urllib.request.urlopen(request) as answer:
            return dict(json.load(answer))

    def control_get(self, name: str) -> dict[str, Any]:
        """Ask the service for something that it tells nobody else."""
        with urllib.request.urlopen(f"{self.endpoint}/_sandbox/{name}") as answer:
            return dict(json.load(answer))

    def control_delete(self, name: str) -> None:
        """Forget what ``control`` has set."""
        request = urllib.request.Request(f"{self.endpoint}/_sandbox/{name}", method="DELETE")
        urllib.request.urlopen(request).close()


def api_object(entry: Mapping[str, Any]) -> dict[str, Any]:
    """Turn ``{"id": …, key: text | {"ref": id} | list of these}`` into an object as PutPipelineDefinition takes it."""
    fields = []
    for key, values in entry.items():
        for value in values if isinstance(values, list) else [values]:
            if isinstance(value, dict):
                fields.append({"key": key, "refValue": value["ref"]})
            elif key not in {"id", "name"}:
                fields.append({"key": key, "stringValue": value})
    return {"id": entry["id"], "name": entry.get("name", entry["id"]), "fields": fields}


@pytest.fixture(scope="session")
def manual_service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DataPipelinePart]:
    """A Data Pipeline service whose clock stands still until a test moves it."""
    part = DataPipelinePart(tmp_path_factory.mktemp("agent") / "datapipeline", FLAGS)
    part.start()
    yield part
    part.stop()


@pytest.fixture
def bench(manual_service: DataPipelinePart, aws_environment: str, tmp_path: Path) -> Iterator[Bench]:
    """A worker group, its pipelines and agents; every agent is ended afterwards and has left no process."""
    made = Bench(manual_service, tmp_path)
    yield made
    for agent in made.agents:
        agent.stop()
    made.client.close()


@pytest.fixture(scope="session")
def served_session(aws_server: MotoPart, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """A bench with one agent that serves it all through the session (starting one costs most of a short test).

    Its service is its own, so that faults which other tests ask for do not reach it.
    """
    part = DataPipelinePart(tmp_path_factory.mktemp("served") / "datapipeline", FLAGS)
    part.start()
    with pytest.MonkeyPatch.context() as patch:
        for name, value in aws_server.client_environment().items():
            patch.setenv(name, value)
        made = Bench(part, tmp_path_factory.mktemp("served"))
        made.agent("--tasks=2")
    yield made
    made.worker.stop()
    made.client.close()
    part.stop()


@pytest.fixture
def served(served_session: Bench, aws_environment: str) -> Bench:
    """The bench with the agent of the session, for tests that need no agent of their own."""
    return served_session


@pytest.fixture
def attempt_only_bench(aws_environment: str, tmp_path: Path) -> Iterator[Bench]:
    """A bench whose service plays the other variant of everything that AWS does not document."""
    variant = ("--task-map=attempt", "--secret-key=plain", "--empty-poll=null", "--redelivery=same-task")
    part = DataPipelinePart(tmp_path / "datapipeline", (*FLAGS, *variant, "--timeout-answer=task-not-found"))
    part.start()
    made = Bench(part, tmp_path)
    yield made
    for agent in made.agents:
        agent.stop()
    made.client.close()
    part.stop()


@pytest.fixture
def await_condition() -> Callable[[Callable[[], T], str], T]:
    """``eventually``, for conditions of a test's own."""
    return eventually
