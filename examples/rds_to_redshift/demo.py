"""MySQL → S3 → COPY → upsert with checks → warehouse, as a pipeline of a sandbox that a real agent works off.

``python examples/rds_to_redshift/demo.py`` (or ``make demo``) needs no arguments. It loads everything, changes the
source, loads what has changed, and compares the warehouse with the source by SQL of its own. Exit status 0: all is
as it must be; 1: something is not; 130: interrupted.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import boto3
import check
import seed
from databases import Database, open_source, open_warehouse, read_configuration
from display import Progress, say, table
from machines import clean_environment, running_agent, running_sandbox
from secrets_found import Passwords
from service import Pipeline

HERE = Path(__file__).parent
GROUP = "learning-platform"
BUCKET = "ductrunner-sandbox"
BASE = f"s3://{BUCKET}/learning"
#: The sandbox need not wait as long as AWS does before it tries a failed step again.
_SANDBOX_OPTIONS = ("--retry-delay-minimum=0",)
_POSTGRES_INSTEAD = {"myExtractStep": "extract-postgres", "mySourceHost": "postgres"}


class Demo:
    """Two runs of one pipeline and the closing check."""

    def __init__(self, rows: int, state: Path, definition: Path, *, postgres: bool) -> None:
        self._rows = rows
        self._state = state
        self._definition = definition
        self._configuration = read_configuration()
        if "mysql" not in self._configuration:
            say("MariaDB is not installed here: a Postgres database is the source instead")
        elif postgres:
            del self._configuration["mysql"]
        self._source: Database = open_source(self._configuration)
        self._warehouse: Database = open_warehouse(self._configuration)
        self._faults: list[str] = []
        self._passwords = Passwords(state, BUCKET)
        self._secrets: set[str] = set()

    def run(self) -> list[str]:
        """Return what is not as it must be."""
        self._timed(
            f"seeding {self._source.engine} with {self._rows:,} enrollments", seed.first_load, self._source, self._rows
        )
        self._warehouse.run(f"DROP SCHEMA IF EXISTS {check.SCHEMA} CASCADE")
        self._warehouse.run(f"CREATE SCHEMA {check.SCHEMA}")
        upload()
        mailbox = Mailbox(self._configuration["etl"]["sns_topic_arn_failure"])
        with running_agent(GROUP, self._state / "agent", dict(os.environ)) as agent:
            pipeline = Pipeline("learning-platform")
            say(f"pipeline {pipeline.id}; worker group {GROUP}, agent {agent.pid}")
            self._load("first load: everything", pipeline, agent, "0001-01-01 00:00:00")
            if not self._faults:
                self._timed("changing the source", seed.change, self._source, self._rows)
                self._load("second load: what has changed", pipeline, agent, seed.CHANGED_SINCE)
        self._faults += [f"a failure was published: {text}" for text in mailbox.messages()]
        if not self._faults:
            self._timed("closing check, by SQL of its own", self._check)
        self._secrets |= set(self._passwords.kept())
        self._faults += [f"a password stands in {place}" for place in sorted(self._secrets)]
        return self._faults

    def close(self) -> None:
        self._source.close()
        self._warehouse.close()

    def _load(self, title: str, pipeline: Pipeline, agent: subprocess.Popen[bytes], since: str) -> None:
        values = _POSTGRES_INSTEAD if self._source.engine == "postgres" else {}
        own = {"myS3Base": BASE, "myWorkerGroup": GROUP, "myChangedSince": since}
        pace = {"myRetries": "1", "myRetryDelay": "1 second", "myRefreshRate": "1"}
        say(f"\n{title}")
        pipeline.put(self._definition, {**own, **pace, **values})
        pipeline.activate()
        progress, start = Progress(), time.monotonic()
        steps = pipeline.watch(progress.show, lambda: self._look_at(agent))
        progress.close()
        say(f"{table(steps)}\n  {len(steps)} steps in {time.monotonic() - start:.1f} s")
        for step in steps:
            if step.status != "FINISHED":
                self._faults.append(
                    f"{step.name} is {step.status}: {step.fields.get('errorId', '')} "
                    f"{step.fields.get('errorMessage', '')}".strip()
                )

    def _check(self) -> None:
        self._faults += check.differences(self._source, self._warehouse)

    def _look_at(self, agent: subprocess.Popen[bytes]) -> None:
        if agent.poll() is not None:
            raise RuntimeError(f"the agent has ended with status {agent.returncode}")
        self._secrets |= set(self._passwords.on_command_lines(agent.pid))

    def _timed(self, title: str, work: Any, *arguments: Any) -> None:
        start = time.monotonic()
        work(*arguments)
        say(f"{title}: {time.monotonic() - start:.1f} s")


class Mailbox:
    """A queue that receives what the pipeline publishes to the topic of failures."""

    def __init__(self, topic: str) -> None:
        self._sqs = boto3.client("sqs")
        self._queue = self._sqs.create_queue(QueueName=f"learning-platform-{time.time_ns()}")["QueueUrl"]
        asked = self._sqs.get_queue_attributes(QueueUrl=self._queue, AttributeNames=["QueueArn"])
        boto3.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=asked["Attributes"]["QueueArn"])

    def messages(self) -> list[str]:
        answer = self._sqs.receive_message(QueueUrl=self._queue, MaxNumberOfMessages=10)
        return [message["Body"] for message in answer.get("Messages", [])]


def upload() -> None:
    """Put the table definitions and the script where the pipeline looks for them."""
    s3 = boto3.client("s3")
    for path in sorted([*HERE.glob("tables/*.sql"), *HERE.glob("scripts/*.py")]):
        s3.upload_file(str(path), BUCKET, f"learning/{path.relative_to(HERE)}")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000, help="enrollments of the first load")
    parser.add_argument("--state-dir", type=Path, help="where everything is kept; default: a new temporary directory")
    parser.add_argument("--definition", type=Path, default=HERE / "pipeline.json", help="the pipeline's definition")
    parser.add_argument("--postgres", action="store_true", help="take a Postgres source though MariaDB is there")
    parser.add_argument("--keep", action="store_true", help="leave the sandbox running and its data in place")
    return parser.parse_args()


def main() -> int:
    options = _options()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    place = options.state_dir or Path(tempfile.mkdtemp(prefix="ductrunner-demo-"))
    start, status = time.monotonic(), 1
    try:
        status = _run(options, place.absolute())
    except KeyboardInterrupt:
        say("\ninterrupted")
        status = 130
    except Exception as error:
        say(f"\nthe demo failed: {type(error).__name__}: {error}")
    if status or options.keep or options.state_dir:
        if options.keep:
            say(f'the sandbox stays up: eval "$(ductrunner sandbox env --state-dir {place}/sandbox)"')
        say(f"logs: {place}/agent (agent, attempts) and {place}/sandbox/*/part.log (sandbox)")
    else:
        shutil.rmtree(place)
    say(f"{'all is right' if status == 0 else 'NOT all is right'}, after {time.monotonic() - start:.0f} s")
    return status


def _run(options: argparse.Namespace, place: Path) -> int:
    start = time.monotonic()
    with running_sandbox(place / "sandbox", options=_SANDBOX_OPTIONS, keep=options.keep) as variables:
        os.environ.clear()
        os.environ.update({**clean_environment(), **variables})
        say(f"the sandbox is up: {time.monotonic() - start:.1f} s")
        demo = Demo(options.rows, place, options.definition, postgres=options.postgres)
        try:
            faults = demo.run()
        finally:
            demo.close()
    say()
    for fault in faults:
        say(f"  not right: {fault}")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
