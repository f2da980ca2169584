"""A sandbox that a test may kill, and what is needed to look at it from outside."""

from __future__ import annotations

import functools
import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import psutil
import pytest

from core.settings import Settings, load_settings

Ductrunner = Callable[..., subprocess.CompletedProcess[str]]


class Expendable:
    """A sandbox of its own, driven by the real command only."""

    def __init__(self, state_dir: Path, ductrunner: Ductrunner) -> None:
        self.state_dir = state_dir
        self._ductrunner = ductrunner
        self.client = functools.cache(self._client)

    def run(self, verb: str, *words: str, **options: Any) -> subprocess.CompletedProcess[str]:
        return self._ductrunner("sandbox", verb, "--state-dir", str(self.state_dir), *words, **options)

    def up(self, *words: str) -> dict[str, dict[str, Any]]:
        """Run ``up`` and return what it says of each part."""
        done = self.run("up", "--json", *words)
        assert done.returncode == 0, done.stderr
        return parts_of(done)

    def status(self) -> dict[str, dict[str, Any]]:
        return parts_of(self.run("status", "--json"))

    @functools.cached_property
    def environment(self) -> dict[str, str]:
        variables: dict[str, str] = json.loads(self.run("env", "--json").stdout)
        return variables

    @functools.cached_property
    def settings(self) -> Settings:
        return load_settings(Path(self.environment["DUCTRUNNER_CONFIG"]), environment={})

    def _client(self, service: str) -> Any:
        own = self.environment
        endpoint = own["AWS_ENDPOINT_URL_DATA_PIPELINE" if service == "datapipeline" else "AWS_ENDPOINT_URL"]
        session = boto3.Session(own["AWS_ACCESS_KEY_ID"], own["AWS_SECRET_ACCESS_KEY"], region_name=own["AWS_REGION"])
        return session.client(service, endpoint_url=endpoint)

    def processes(self) -> list[psutil.Process]:
        """Return every process of this machine that has to do with this sandbox."""
        roots = [process for process in psutil.process_iter() if self._is_ours(process)]
        return list({one.pid: one for root in roots for one in [root, *root.children(recursive=True)]}.values())

    def _is_ours(self, process: psutil.Process) -> bool:
        try:
            words = process.cmdline()
        except psutil.Error:
            return False
        return any(str(self.state_dir) in word for word in words)


def parts_of(done: subprocess.CompletedProcess[str]) -> dict[str, dict[str, Any]]:
    return {part["name"]: part for part in json.loads(done.stdout)["parts"]}


@pytest.fixture(scope="module")
def expendable(tmp_path_factory: pytest.TempPathFactory, ductrunner: Ductrunner) -> Iterator[Expendable]:
    """A sandbox that the tests of a module share and may do anything to."""
    box = Expendable(tmp_path_factory.mktemp("expendable") / "state", ductrunner)
    yield box
    box.run("down", "--purge")
    assert box.processes() == []
