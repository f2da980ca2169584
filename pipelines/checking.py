"""``ductrunner pipeline validate``: what the service finds in a definition.

Where neither the environment names a service nor a sandbox runs, the sandbox's service is started for the question.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from core.errors import SandboxError
from pipelines.documents import Document
from pipelines.places import SERVICE, Place
from pipelines.service import Finding, Service

GOOD, INVALID = 0, 2
_START_LIMIT = 20.0  # seconds
_MADE_UP = {
    "AWS_ACCESS_KEY_ID": "validation",
    "AWS_SECRET_ACCESS_KEY": "validation",
    "AWS_DEFAULT_REGION": "us-east-1",
}


def check(read: Callable[[], Document], find: Callable[[], Place], *, aws: bool, as_json: bool) -> int:
    """Print what the service finds in the definition that ``read`` gives; return the exit status."""
    with _somewhere(find, aws=aws):
        document = read()
        findings = Service().validate(document)
    click.echo(_json(findings) if as_json else _text(document, findings))
    return INVALID if any(finding.error for finding in findings) else GOOD


@contextmanager
def _somewhere(find: Callable[[], Place], *, aws: bool) -> Iterator[None]:
    try:
        find()
    except SandboxError:
        if aws:
            raise
    else:
        yield
        return
    with _own_service() as environment:
        Place(local=True, url=environment[SERVICE], environment=environment).enter()
        yield


def _text(document: Document, findings: list[Finding]) -> str:
    errors = sum(finding.error for finding in findings)
    warnings = len(findings) - errors
    verdict = f"{document.name} is valid" if not errors else f"{document.name} is not valid"
    return "\n".join([*map(str, findings), f"{verdict}: {errors} errors, {warnings} warnings"])


def _json(findings: list[Finding]) -> str:
    return json.dumps(
        {
            "errored": any(finding.error for finding in findings),
            "validationErrors": _grouped(findings, "errors", error=True),
            "validationWarnings": _grouped(findings, "warnings", error=False),
        },
        indent=2,
        ensure_ascii=False,
    )


def _grouped(findings: list[Finding], key: str, *, error: bool) -> list[dict[str, object]]:
    texts: dict[str, list[str]] = {}
    for finding in findings:
        if finding.error is error:
            texts.setdefault(finding.id, []).append(finding.text)
    return [{"id": name, key: found} for name, found in texts.items()]


@contextmanager
def _own_service() -> Iterator[dict[str, str]]:
    """Run the sandbox's service for as long as it is needed; give the environment that leads to it.

    Raises:
        SandboxError: it did not come up.
    """
    with tempfile.TemporaryDirectory(prefix="ductrunner-validate-") as folder:
        place = Path(folder)
        port_file = place / "port"
        command = [sys.executable, "-m", "sandbox.datapipeline", "--port-file", str(port_file)]
        with (place / "log").open("wb") as log:
            service = subprocess.Popen([*command, "--database", str(place / "state.db")], stderr=log)
        try:
            url = f"http://127.0.0.1:{_port(service, port_file)}"
            kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
            yield {**kept, **_MADE_UP, SERVICE: url, "no_proxy": "127.0.0.1", "NO_PROXY": "127.0.0.1"}
        finally:
            service.terminate()
            service.wait()


def _port(service: subprocess.Popen[bytes], port_file: Path) -> int:
    limit = time.monotonic() + _START_LIMIT
    while not port_file.exists():
        if service.poll() is not None or time.monotonic() > limit:
            raise SandboxError("the service that validates did not come up; start a sandbox: ductrunner sandbox up")
        time.sleep(0.01)
    return int(port_file.read_text(encoding="ascii"))
