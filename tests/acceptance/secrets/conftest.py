"""A pipeline full of passwords, run once by a real agent, and a search for them in everything it left."""

from __future__ import annotations

import base64
import gzip
import json
import os
import secrets
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import boto3
import pymysql
import pytest
import yaml

from core.settings import load_settings
from stores.secrets import resolve

#: The whole pipeline takes some ten seconds.
PATIENCE = 180.0
ENDED = {"FINISHED", "FAILED", "CANCELED", "CASCADE_FAILED"}
TABLE = "CREATE TABLE public.secretive (id BIGINT NOT NULL, name VARCHAR(40), PRIMARY KEY (id))"
#: Fields in which the definition itself may hold a secret; all others are what worker and service have added.
DEFINED = ("command",)


def forms_of(secret: str) -> set[bytes]:
    """A secret as it may be written: plain, in JSON, in an address, in base64."""
    texts = {secret, json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1], quote(secret, safe="")}
    return {text.encode() for text in texts} | {base64.b64encode(secret.encode())}


def occurrences(known: Mapping[str, str], texts: Mapping[str, bytes]) -> list[str]:
    """Where which secret stands, by name; never the secret itself."""
    return [
        f"{name} in {place}"
        for name, secret in known.items()
        for place, text in texts.items()
        if any(form in text for form in forms_of(secret))
    ]


class Sampler(threading.Thread):
    """Looks, again and again, at the command lines of all processes, and at what steps leave for the agent.

    A command that makes the file ``telling`` finds ``seen`` beside it once all processes were looked at meanwhile.
    """

    def __init__(self, results: Path, telling: Path) -> None:
        super().__init__(name="sampler")
        self._results = results
        self._telling = telling
        self._over = threading.Event()
        self.command_lines: set[bytes] = set()
        self.foreign_environments: set[bytes] = set()
        self.result_files: set[bytes] = set()

    def run(self) -> None:
        while not self._over.wait(0.02):
            told = self._telling.exists()
            for entry in Path("/proc").glob("[0-9]*"):
                self._look_at(entry)
            if told:
                self._telling.with_name("seen").touch()
            self.result_files |= {
                content for path in self._results.glob("tmp/*/result.json") for content in _read(path)
            }

    def close(self) -> None:
        self._over.set()
        self.join()

    def _look_at(self, entry: Path) -> None:
        self.command_lines |= set(_read(entry / "cmdline"))
        try:
            foreign = entry.stat().st_uid != os.getuid()
        except OSError:
            return  # it has ended
        if foreign:
            self.foreign_environments |= set(_read(entry / "environ"))


def _read(path: Path) -> list[bytes]:
    try:
        return [path.read_bytes()]
    except OSError:
        return []  # it is not there any more, or not for us


@dataclass
class Run:
    """What a run of the pipeline has left, place by place."""

    known: dict[str, str]
    statuses: dict[str, str] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)
    places: dict[str, dict[str, bytes]] = field(default_factory=dict)

    def of(self, kind: str) -> dict[str, bytes]:
        """What was found in one kind of place; there must be something, or the search proves nothing."""
        found = self.places[kind]
        assert found, f"nothing was found to search in: {kind}"
        return found


class Scene:
    """The sandbox with an agent of its own, its configuration and its pipeline."""

    def __init__(self, sandbox: Any, folder: Path) -> None:
        self.sandbox = sandbox
        self.folder = folder
        self.group = f"secrets-{secrets.token_hex(4)}"
        self.known = {
            "the wrong MySQL password": f"wrong-mysql-{secrets.token_hex(8)}",
            "the wrong warehouse password": f"wrong-warehouse-{secrets.token_hex(8)}",
            "a *password field": f'starred "word" {secrets.token_hex(8)}',
            "the AWS secret key": f"aws/secret+key/{secrets.token_hex(12)}",
        }
        key = {"AWS_SECRET_ACCESS_KEY": self.known["the AWS secret key"]}
        self.environment = {**sandbox.environment, **key}
        self.configuration = folder / "ductrunner.yaml"
        self.broken = folder / "broken.yaml"
        self.output = folder / "agent" / "output"

    def client(self, service: str) -> Any:
        own = self.environment
        endpoint = own["AWS_ENDPOINT_URL_DATA_PIPELINE" if service == "datapipeline" else "AWS_ENDPOINT_URL"]
        session = boto3.Session(own["AWS_ACCESS_KEY_ID"], own["AWS_SECRET_ACCESS_KEY"], region_name=own["AWS_REGION"])
        return session.client(service, endpoint_url=endpoint)

    def configure(self) -> None:
        """Write the passwords in each of the ways that the configuration knows."""
        document = yaml.safe_load(Path(self.environment["DUCTRUNNER_CONFIG"]).read_text())
        if "mysql" not in document:
            (pytest.fail if os.environ.get("CI") else pytest.skip)("this machine has no MySQL server")
        settings = load_settings(Path(self.environment["DUCTRUNNER_CONFIG"]), {})
        host, redshift = settings.mysql["source"], settings.redshift
        assert redshift is not None
        plain = self.known["the MySQL password"] = resolve(host.password)
        self.known["the warehouse password"] = resolve(redshift.password)
        self.client("secretsmanager").create_secret(Name=self.group, SecretString=plain)
        entry = document["mysql"]["source"]
        document["mysql"] |= {
            "plain": {**entry, "password": plain},
            "vault": {**entry, "password": f"secretsmanager:{self.group}"},
            "wrong": {**entry, "password": self.known["the wrong MySQL password"]},
        }
        self.configuration.write_text(yaml.safe_dump(document))
        document["redshift"]["password"] = self.known["the wrong warehouse password"]
        self.broken.write_text(yaml.safe_dump(document))
        self.environment["DUCTRUNNER_CONFIG"] = str(self.configuration)
        with pymysql.connect(
            host=host.host, port=host.port, user=host.username, password=plain, database=host.database, autocommit=True
        ) as connection:
            connection.cursor().execute("CREATE TABLE secretive (id BIGINT PRIMARY KEY, name VARCHAR(40))")
            connection.cursor().execute("INSERT INTO secretive VALUES (1, 'one'), (2, 'two')")

    def activities(self, bucket: str, topic: str) -> dict[str, dict[str, str]]:
        """Commands that use the passwords, that are refused with wrong ones, and one that tells them on purpose."""
        step, files = "ductrunner step", f"s3://{bucket}/files/"
        table = f"--table-definition '{TABLE}'"
        seen = f"touch {self.folder}/telling; until [ -e {self.folder}/seen ]; do sleep 0.05; done"
        told = "printf '%s\\n' 'told: #{*myPassword}'; cat \"$DUCTRUNNER_CONFIG\"; env"
        commands = {
            "Extract": f"{step} extract-rds --host-name plain --table secretive --output {files}",
            "Upsert": f"{step} upsert {table} --input {files}manifest --compare-host vault --compare-table secretive",
            "WrongMySql": f"{step} extract-rds --host-name wrong --table secretive --output s3://{bucket}/no/",
            "WrongWarehouse": f"DUCTRUNNER_CONFIG={self.broken} {step} primary-key-check {table}",
            "Talkative": f"{told}; {seen}; printf '%s\\n' 'told: #{{*myPassword}}' >&2; exit 3",
            "TalkativeToo": f"({told}) >&2; exit 3",
            "Teardown": f"{step} teardown --sns-topic-arn {topic} --refresh-rate 0.2",
        }
        starred = {"*myPassword": self.known["a *password field"]}
        fields = {name: {"command": command} for name, command in commands.items()}
        fields["Upsert"]["dependsOn"] = "Extract"
        fields["Talkative"] |= starred
        fields["TalkativeToo"] |= starred
        return fields

    def run(self) -> Run:
        """Run the pipeline to its end and gather everything that it has left."""
        s3, sns, sqs = self.client("s3"), self.client("sns"), self.client("sqs")
        s3.create_bucket(Bucket=self.group)
        topic, queue = _topic_with_queue(sns, sqs, self.group)
        pipeline = self._activate(self.activities(self.group, topic))
        sampler = Sampler(self.output, self.folder / "telling")
        sampler.start()
        try:
            with _RunningAgent(self.group, self.folder / "agent", self.environment):
                self._await_end(pipeline)
        finally:
            sampler.close()
        run = Run(self.known)
        service = self.client("datapipeline")
        attempts, instances = (_described(service, pipeline, sphere) for sphere in ("ATTEMPT", "INSTANCE"))
        for fields in attempts.values():
            run.statuses[fields["@componentParent"]] = fields["@status"]
            run.errors[fields["@componentParent"]] = fields.get("errorMessage", "")
        run.places = {
            "command lines": _numbered(sampler.command_lines),
            "environments of other users": _numbered(sampler.foreign_environments),
            "result files": _numbered(sampler.result_files),
            "the agent's folder": _files(self.folder / "agent"),
            "S3": _objects(s3, self.group),
            "the service's fields": _added_fields({**attempts, **instances}),
            "SNS": {"message": sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=5)["Messages"][0]["Body"].encode()},
            "logs of the sandbox": _files(self.sandbox.state_dir, "*.log"),
        }
        return run

    def _activate(self, activities: Mapping[str, Mapping[str, str]]) -> str:
        service = self.client("datapipeline")
        default = {"scheduleType": "ondemand", "workerGroup": self.group, "maximumRetries": "0"}
        default |= {"failureAndRerunMode": "none", "pipelineLogUri": f"s3://{self.group}/logs"}
        objects = [_object("Default", default)]
        objects += [_object(name, {"type": "ShellCommandActivity", **given}) for name, given in activities.items()]
        pipeline = service.create_pipeline(name=self.group, uniqueId=self.group)["pipelineId"]
        answer = service.put_pipeline_definition(pipelineId=pipeline, pipelineObjects=objects)
        assert not answer["errored"], answer
        service.activate_pipeline(pipelineId=pipeline)
        return str(pipeline)

    def _await_end(self, pipeline: str) -> None:
        service = self.client("datapipeline")
        give_up = time.monotonic() + PATIENCE
        while not {fields["@status"] for fields in _described(service, pipeline, "INSTANCE").values()} <= ENDED:
            assert time.monotonic() < give_up, "the pipeline does not end"
            time.sleep(0.2)


class _RunningAgent:
    """``ductrunner agent`` as a process; its words go to ``agent.log`` in its folder."""

    def __init__(self, group: str, folder: Path, environment: Mapping[str, str]) -> None:
        self._group, self._folder, self._environment = group, folder, environment

    def __enter__(self) -> None:
        own = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "DUCTRUNNER_"))}
        command = [str(Path(sys.executable).with_name("ductrunner")), "agent", f"--workerGroup={self._group}"]
        self._folder.mkdir()
        with (self._folder / "agent.log").open("wb") as log:
            self._process = subprocess.Popen(
                [*command, "--tasks=4", f"--output={self._folder / 'output'}"],
                env={**own, **self._environment, "DUCTRUNNER_LOGGING_LEVEL": "DEBUG"}, stdout=log, stderr=log,
            )  # fmt: skip

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        try:
            assert self._process.wait(60) == 0
        finally:
            self._process.kill()


def _object(name: str, fields: Mapping[str, str]) -> dict[str, Any]:
    references = {"dependsOn"}
    listed = [{"key": key, "refValue" if key in references else "stringValue": text} for key, text in fields.items()]
    return {"id": name, "name": name, "fields": listed}


def _described(service: Any, pipeline: str, sphere: str) -> dict[str, dict[str, str]]:
    ids = service.query_objects(pipelineId=pipeline, sphere=sphere)["ids"]
    described = service.describe_objects(pipelineId=pipeline, objectIds=ids)["pipelineObjects"]
    return {
        entry["id"]: {item["key"]: item.get("stringValue") or item.get("refValue", "") for item in entry["fields"]}
        for entry in described
    }


def _topic_with_queue(sns: Any, sqs: Any, name: str) -> tuple[str, str]:
    topic = sns.create_topic(Name=name)["TopicArn"]
    queue = sqs.create_queue(QueueName=name)["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    return topic, queue


def _numbered(texts: Iterable[bytes]) -> dict[str, bytes]:
    return {f"no. {number}": text for number, text in enumerate(sorted(texts)) if text}


def _files(folder: Path, pattern: str = "*") -> dict[str, bytes]:
    found = (path for path in folder.rglob(pattern) if path.is_file() and not path.is_symlink())
    return {str(path.relative_to(folder)): path.read_bytes() for path in found}


def _objects(s3: Any, bucket: str) -> dict[str, bytes]:
    keys = [entry["Key"] for entry in s3.list_objects_v2(Bucket=bucket)["Contents"]]
    bodies = {key: s3.get_object(Bucket=bucket, Key=key)["Body"].read() for key in keys}
    return {key: gzip.decompress(body) if key.endswith(".gz") else body for key, body in bodies.items()}


def _added_fields(described: Mapping[str, Mapping[str, str]]) -> dict[str, bytes]:
    return {
        f"{key} of {name}": text.encode()
        for name, fields in described.items()
        for key, text in fields.items()
        if key not in DEFINED and not key.startswith("*")
    }


@pytest.fixture(scope="module")
def told(sandbox: Any, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The run of the pipeline, and what it has left."""
    scene = Scene(sandbox, tmp_path_factory.mktemp("secrets"))
    scene.configure()
    return scene.run()


@pytest.fixture
def search() -> Callable[[Mapping[str, str], Mapping[str, bytes]], list[str]]:
    return occurrences
