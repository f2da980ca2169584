"""One case of the matrix: a task that loads a table, an agent that is struck, and what must be true afterwards."""

from __future__ import annotations

import json
import os
import secrets
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import psutil

from tests.faults.matrix.lane import Lane, new_client
from tests.faults.matrix.launcher import processes_with
from tests.faults.matrix.points import Point
from tests.integration.agent.conftest import AgentProcess, Bench, eventually

CASE_VARIABLE = "DUCTRUNNER_FAULT_CASE"
LAUNCHER = Path(__file__).with_name("launcher.py")
#: Rows before the load, what is loaded, and what the table must hold afterwards.
BEFORE = [(0, "kept"), (1, "old")]
FILES = {"a.tsv": b"1\tnew\n2\tnew\n", "b.tsv": b"3\tnew\n"}
LOADED = [(0, "kept"), (1, "new"), (2, "new"), (3, "new")]
#: What an agent logs when something happened that nobody has thought of.
UNEXPECTED = {"attempt_broken", "thread_died", "observer_failed", "side_not_closed"}
#: Seconds until a task that was not acknowledged is handed out again.
ACKNOWLEDGEMENT_WINDOW = 121
#: Seconds that a task may take; some delays are of 30.
PATIENCE = 150.0
PASSWORD_FIELD = "a-secret-of-the-task-417"


class Case:
    """A table, its input in S3, a pipeline that loads it, and the agents that serve it."""

    def __init__(self, lane: Lane, name: str) -> None:
        self.lane = lane
        self.token = secrets.token_hex(6)
        self.directory = lane.directory / f"{name.replace(' ', '-')}-{self.token}"
        self.directory.mkdir(parents=True)
        self.sign = self.directory / "struck"
        self.table = f"t{self.token}"
        self.bench = Bench(lane.service, self.directory, new_client("datapipeline", lane.service.endpoint))
        self.variables = {
            **lane.world.aws.client_environment(),
            "DUCTRUNNER_CONFIG": str(lane.write_configuration(self.directory / "ductrunner.yaml")),
            "DUCTRUNNER_AGENT_REPORT_INTERVAL": "0.5",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            CASE_VARIABLE: self.token,
        }
        lane.rows(f"CREATE TABLE {self.table} (id INT PRIMARY KEY, v VARCHAR(20))")
        lane.rows(f"INSERT INTO {self.table} VALUES (0, 'kept'), (1, 'old')")
        for key, body in FILES.items():
            lane.world.s3.put_object(Bucket=lane.world.bucket, Key=f"{self.token}/in/{key}", Body=body)
        lane.world.s3.put_object(Bucket=lane.world.bucket, Key=f"{self.token}/limits.txt", Body=b"3\n")

    @property
    def place(self) -> str:
        """The case's own folder in S3."""
        return f"s3://{self.lane.world.bucket}/{self.token}"

    def remove_input(self) -> None:
        """Take away an input, so that the task must fail."""
        self.lane.world.s3.delete_object(Bucket=self.lane.world.bucket, Key=f"{self.token}/limits.txt")

    def activate(self, retries: int = 2) -> str:
        """Hand the task to the service; return the pipeline's id."""
        definition = f"CREATE TABLE {self.table} (id INT PRIMARY KEY, v VARCHAR(20))"
        command = (
            "set -e; echo begun; test $(cat $INPUT1_STAGING_DIR/* | wc -l) = $(cat $INPUT2_STAGING_DIR/limits.txt); "
            f"ductrunner step upsert --table-definition '{definition}' --input {self.place}/in/ --no-analyze; "
            "cp $INPUT1_STAGING_DIR/* $OUTPUT1_STAGING_DIR; echo done"
        )
        work = {"id": "Work", "type": "ShellCommandActivity", "stage": "true", "command": command}
        work |= {"*mySecret": PASSWORD_FIELD, "maximumRetries": str(retries), "stdout": f"{self.place}/said.txt"}
        return self.bench.run(
            {"id": "In", "type": "S3DataNode", "directoryPath": f"{self.place}/in"},
            {"id": "Limits", "type": "S3DataNode", "filePath": f"{self.place}/limits.txt"},
            {"id": "Out", "type": "S3DataNode", "directoryPath": f"{self.place}/out"},
            {**work, "input": [{"ref": "In"}, {"ref": "Limits"}], "output": {"ref": "Out"}},
            pipelineLogUri=f"{self.place}/logs",
        )

    def agent(self, *flags: str, **variables: str) -> AgentProcess:
        """Start an agent as operators do."""
        return self.bench.agent(*flags, **{**self.variables, **variables})

    def agent_elsewhere(self, **variables: str) -> AgentProcess:
        """Start an agent as if on another machine: with a work directory of its own."""
        here, self.bench.directory = self.bench.directory, self.directory / "elsewhere"
        self.bench.directory.mkdir()
        try:
            return self.agent(**variables)
        finally:
            self.bench.directory = here

    def struck_agent(
        self, point: Point, action: str, target: str = "", flags: Sequence[str] = (), **variables: str
    ) -> AgentProcess:
        """Start an agent that is struck at a point."""
        where = {"function": point.function, "when": point.when, "number": point.number, "within": point.within}
        strike = json.dumps({**where, "action": action, "sign": str(self.sign), "target": target})
        through = (sys.executable, str(LAUNCHER), strike, "--")
        checkout = str(LAUNCHER.parents[3])
        return self.bench.agent(*flags, through=through, **{**self.variables, "PYTHONPATH": checkout, **variables})

    def await_strike(self, point: Point) -> None:
        """Wait until the strike has fallen."""

        def fallen() -> bool:
            assert self.bench.worker.process.poll() in {None, -signal.SIGKILL}, self.bench.worker.text
            return self.sign.exists()

        eventually(fallen, f"the agent to pass the point {point.name!r}; it said: {self.bench.worker.text[-3000:]}")

    def await_end(self, pipeline: str, on_the_way: Callable[[], object] = bool) -> list[dict[str, Any]]:
        """Wait until the last attempt has ended and none follows; return the service's record of them all."""

        def ended() -> list[dict[str, Any]]:
            on_the_way()
            told = self.lane.attempts(pipeline)
            last = told[-1]["status"] if told else ""
            return told if last == "FINISHED" or (last == "FAILED" and self._settled(pipeline)) else []

        try:
            return eventually(ended, "the end of the pipeline", PATIENCE, look=0.05)
        except BaseException:
            print("\n".join(agent.text[-6000:] for agent in self.bench.agents), self.lane.attempts(pipeline))
            raise

    def _settled(self, pipeline: str) -> bool:
        ids = self.bench.client.query_objects(pipelineId=pipeline, sphere="INSTANCE")["ids"]
        found = self.bench.client.describe_objects(pipelineId=pipeline, objectIds=ids)["pipelineObjects"]
        states = {field["stringValue"] for entry in found for field in entry["fields"] if field["key"] == "@status"}
        return "FAILED" in states

    def retire(self, agent: AgentProcess) -> None:
        """Let an agent go in good order once it has told everything that is owed, and see that it does."""
        agent.wait_for("agent_started")
        eventually(lambda: not list(agent.output.glob("journal/*/*-*")), "the journal to be empty")
        agent.process.terminate()
        assert agent.wait() == 0, agent.text

    def processes(self) -> list[list[str]]:
        """The command lines of what still lives of this case."""
        found = []
        for pid in processes_with(f"{CASE_VARIABLE}={self.token}".encode()):
            try:
                found.append(psutil.Process(pid).cmdline())
            except psutil.NoSuchProcess:
                continue
        return [words for words in found if words]

    def check_what_is_left(self) -> None:
        """No process, no file but the logs, no temporary table, nothing in a log that should not be there."""
        eventually(lambda: not self.processes(), f"the end of {self.processes()}")
        assert self.left_files() == []
        temporary = "SELECT relname FROM pg_class WHERE relname LIKE 'stg\\_%'"
        eventually(lambda: not self.lane.rows(temporary), "no temporary table to be left")
        self.check_logs()

    def unsent_logs(self) -> list[Path]:
        """The notes on attempts' output that CloudWatch has not got yet."""
        notes = self.directory.rglob("output/shipping/*/*.json")
        return [path for path in notes if '"stream": "tasks/' in path.read_text()]

    def left_files(self) -> list[Path]:
        """The files of the agents but for logs, and the notes on what of their own logs is still to be sent."""
        outputs = {agent.output for agent in self.bench.agents}
        found = [(path.relative_to(output), path) for output in outputs for path in output.rglob("*")]
        files = [path for relative, path in found if path.is_file() and relative.parts[0] != "logs"]
        notes = {path for path in files if path.suffix == ".json" and '"stream": "agent/' in path.read_text()}
        locks = {path.with_name("lock") for path in notes}
        return [path for path in files if path not in notes | locks]

    def check_logs(self) -> None:
        """Nobody said a secret, and nobody was surprised."""
        texts = [agent.text for agent in self.bench.agents]
        texts += [path.read_text() for path in self.directory.rglob("output/**/*") if path.is_file()]
        texts += [self.lane.world.read(key).decode() for key in self.lane.world.keys(f"{self.token}/logs")]
        for text in texts:
            assert PASSWORD_FIELD not in text
            assert self.lane.database.password not in text
            assert "Traceback" not in text
        for agent in self.bench.agents:
            assert [line for action in UNEXPECTED for line in agent.events(action)] == []

    def check_load(self) -> None:
        """The table holds each row once, and the outputs are complete."""
        assert sorted(self.lane.rows(f"SELECT id, v FROM {self.table}")) == LOADED
        world = self.lane.world
        assert {Path(key).name: world.read(key) for key in world.keys(f"{self.token}/out/")} == FILES
        assert world.read(f"{self.token}/said.txt").startswith(b"begun\n")

    def close(self) -> None:
        """End what a failed case has left, and forget its pipelines' tasks."""
        for agent in self.bench.agents:
            agent.stop()
        for pid in processes_with(f"{CASE_VARIABLE}={self.token}".encode()):
            try:
                psutil.Process(pid).kill()
            except psutil.NoSuchProcess:
                continue
        self.bench.client.close()
        self.lane.service.start()  # a strike may have killed it in a case that then failed
