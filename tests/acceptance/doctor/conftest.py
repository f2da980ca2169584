"""``ductrunner doctor`` as its user calls it, on a machine whose services the test has made."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.request import Request, urlopen

import pytest
import yaml

from tests.conftest import run_ductrunner
from tests.integration.agent.conftest import await_condition, bench, manual_service  # noqa: F401  # fixtures


@dataclass(frozen=True)
class Report:
    """What the doctor has said."""

    findings: list[dict[str, Any]]
    status: int
    text: str

    def of(self, check: str) -> list[dict[str, Any]]:
        """The findings of one check."""
        return [finding for finding in self.findings if finding["check"] == check]

    def one(self, check: str) -> dict[str, Any]:
        """The only finding of a check."""
        [finding] = self.of(check)
        return finding

    @property
    def failed(self) -> list[dict[str, Any]]:
        """What has to be fixed."""
        return [finding for finding in self.findings if finding["status"] == "failed"]


class Doctor:
    """Runs the command with a configuration of the test's."""

    def __init__(self, directory: Path, endpoint: str) -> None:
        self.directory = directory
        self.endpoint = endpoint
        self.group = f"group-{secrets.token_hex(4)}"
        self.sections: dict[str, Any] = {
            "agent": {
                "worker_group": self.group,
                "output": str(directory / "output"),
                "hooks": str(directory / "hooks"),
            },
        }

    def configure(self, **sections: Mapping[str, Any]) -> None:
        """Add to the configuration."""
        for name, values in sections.items():
            self.sections[name] = {**self.sections.get(name, {}), **values}

    def say(self, *flags: str, **variables: str) -> Any:
        """Run it as for people."""
        path = self.directory / "ductrunner.yaml"
        path.write_text(yaml.safe_dump(self.sections))
        aws = {name: value for name, value in os.environ.items() if name.startswith("AWS_")}
        environment = {**aws, "AWS_ENDPOINT_URL_DATA_PIPELINE": self.endpoint, **variables}
        return run_ductrunner("doctor", f"--config={path}", *flags, environment=environment, timeout=60)

    def examine(self, *flags: str, **variables: str) -> Report:
        """Run it as for programs."""
        done = self.say("--json", *flags, **variables)
        assert done.stdout, done.stderr
        return Report(json.loads(done.stdout), done.returncode, done.stdout + done.stderr)

    def deny(self, operation: str, **fault: Any) -> None:
        """Let the next call of an operation be answered by an error."""
        body = {"operation": operation, "fault": "error", "status": 400, "code": "AccessDeniedException", **fault}
        urlopen(Request(f"{self.endpoint}/_sandbox/faults", json.dumps(body).encode(), method="POST")).close()


@pytest.fixture
def doctor(datapipeline_environment: str, tmp_path: Path) -> Iterator[Doctor]:
    yield Doctor(tmp_path, datapipeline_environment)
    urlopen(Request(f"{datapipeline_environment}/_sandbox/faults", method="DELETE")).close()


@pytest.fixture
def http_server() -> Iterator[Callable[..., str]]:
    """Starts servers whose answers the test writes; returns the address of each."""
    servers: list[ThreadingHTTPServer] = []

    def make(answer: Callable[[BaseHTTPRequestHandler, bytes], None]) -> str:
        class Handler(BaseHTTPRequestHandler):
            def _any(self) -> None:
                answer(self, self.rfile.read(int(self.headers.get("Content-Length") or 0)))

            do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = _any  # noqa: N815

            def log_message(self, *_: object) -> None:
                """Stay silent."""

        servers.append(ThreadingHTTPServer(("127.0.0.1", 0), Handler))
        servers[-1].daemon_threads = True
        Thread(target=servers[-1].serve_forever, kwargs={"poll_interval": 0.02}).start()
        return f"http://127.0.0.1:{servers[-1].server_port}"

    yield make
    for server in servers:
        server.shutdown()
        server.server_close()
