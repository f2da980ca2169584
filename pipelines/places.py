"""Where pipelines are put: the sandbox of this machine, or AWS when that is asked for.

Nothing is ever created on AWS by accident: without ``--aws`` both Data Pipeline and the other services must be on this
machine's loopback interface. A place is its environment variables: those of ``ductrunner sandbox env``.
"""

from __future__ import annotations

import ipaddress
import json
import os
import subprocess
import sys
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from core.errors import SandboxError, SettingsError

SERVICE = "AWS_ENDPOINT_URL_DATA_PIPELINE"
EVERYTHING = "AWS_ENDPOINT_URL"
_IGNORED = "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"
_NO_SANDBOX = (
    "no sandbox runs here; start one with: ductrunner sandbox up (or name its folder with --state-dir; --aws uses AWS)"
)


@dataclass(frozen=True)
class Place:
    """One Data Pipeline service and everything beside it, as environment variables say; ``local``: not AWS."""

    local: bool
    url: str | None
    environment: Mapping[str, str]

    def enter(self, environment: MutableMapping[str, str] = os.environ) -> None:
        """Let the clients of this process, and its children, use this place."""
        for name in [name for name in environment if name not in self.environment]:
            del environment[name]
        environment.update(self.environment)


def find_place(*, aws: bool, state_dir: Path | None, environment: Mapping[str, str] = os.environ) -> Place:
    """Return AWS if it is asked for, else what the environment names if that is here, else the running sandbox.

    Raises:
        SettingsError: the environment names a service that is not on this machine.
        SandboxError: no sandbox runs here.
    """
    if aws:
        return Place(local=False, url=environment.get(SERVICE) or None, environment=dict(environment))
    ignored = environment.get(_IGNORED, "").lower() == "true"
    url = environment.get(SERVICE) or environment.get(EVERYTHING)
    if state_dir is not None or ignored or not url:
        return _sandbox(state_dir, environment)
    endpoints = {name for name in environment if name.startswith(EVERYTHING)}
    for name in sorted({SERVICE, EVERYTHING} | endpoints, key=lambda name: (name not in environment, name)):
        _refuse_remote(name, environment.get(name))
    return Place(local=True, url=environment.get(SERVICE), environment=dict(environment))


def is_loopback(url: str) -> bool:
    """Tell whether a URL leads to this machine's own loopback interface."""
    try:
        host = urlsplit(url).hostname or ""
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _refuse_remote(name: str, url: str | None) -> None:
    if url is None:
        raise SettingsError(
            f"{name} is not set, so this would use AWS; "
            'run: eval "$(ductrunner sandbox env)", or say --aws if AWS is meant'
        )
    if not is_loopback(url):
        raise SettingsError(f"{name} is {url}, which is not on this machine; say --aws if that is meant")


def _sandbox(state_dir: Path | None, environment: Mapping[str, str]) -> Place:
    command = [sys.executable, "-m", "ductrunner", "sandbox", "env", "--json"]
    command += ["--state-dir", str(state_dir)] if state_dir else []
    done = subprocess.run(command, env=dict(environment), capture_output=True, text=True, check=False)
    try:
        variables: dict[str, str] = json.loads(done.stdout)
    except ValueError:
        raise SandboxError(_NO_SANDBOX) from None
    url = variables.get(SERVICE, "")
    if done.returncode or not is_answering(url):
        raise SandboxError(_NO_SANDBOX)
    kept = {name: value for name, value in environment.items() if not name.startswith("AWS_")}
    return Place(local=True, url=url, environment={**kept, **variables})


def is_answering(url: str) -> bool:
    """Tell whether somebody accepts connections at a URL."""
    import socket

    parts = urlsplit(url)
    try:
        with socket.create_connection((parts.hostname or "", parts.port or 80), timeout=2):
            return True
    except OSError:
        return False
