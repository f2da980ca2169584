"""The example's modules, and one sandbox in which the demo runs several times."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

EXAMPLE = Path(__file__).parents[3] / "examples" / "rds_to_redshift"


@pytest.fixture(scope="session")
def example() -> Iterator[SimpleNamespace]:
    """The example's own modules, found as its scripts find each other."""
    sys.path.insert(0, str(EXAMPLE))
    try:
        import check
        import databases
        import machines
        import rows
        import secrets_found
        import seed
        import service

        yield SimpleNamespace(
            folder=EXAMPLE,
            check=check,
            databases=databases,
            machines=machines,
            rows=rows,
            secrets_found=secrets_found,
            seed=seed,
            service=service,
        )
    finally:
        sys.path.remove(str(EXAMPLE))


class KeptDemo:
    """A state directory in which the demo's sandbox stays up between runs."""

    def __init__(self, place: Path, machines: Any) -> None:
        self.place = place
        self._environment = machines.clean_environment()
        self._demo = [sys.executable, str(EXAMPLE / "demo.py"), "--rows=2000", f"--state-dir={place}"]

    @property
    def configuration(self) -> Path:
        return self.place / "sandbox" / "ductrunner.yaml"

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run the demo at a small size and leave its sandbox up."""
        command = [*self._demo, "--keep", *words]
        return subprocess.run(command, capture_output=True, text=True, env=self._environment, check=False)

    def started(self) -> subprocess.Popen[str]:
        """Start the demo at a small size, to be interrupted."""
        return subprocess.Popen(self._demo, stdout=subprocess.PIPE, text=True, env=self._environment)

    def check(self) -> subprocess.CompletedProcess[str]:
        """Run the closing check by hand."""
        own = {**self._environment, "DUCTRUNNER_CONFIG": str(self.configuration)}
        command = [sys.executable, str(EXAMPLE / "check.py")]
        return subprocess.run(command, capture_output=True, text=True, env=own, check=False)


@pytest.fixture(scope="module")
def kept_demo(
    example: SimpleNamespace,
    tmp_path_factory: pytest.TempPathFactory,
    ductrunner: Callable[..., subprocess.CompletedProcess[str]],
) -> Iterator[KeptDemo]:
    demo = KeptDemo(tmp_path_factory.mktemp("demo"), example.machines)
    yield demo
    ductrunner("sandbox", "down", "--purge", "--state-dir", str(demo.place / "sandbox"))


@pytest.fixture
def restored_environment() -> Iterator[None]:
    """Put the process's environment back after a test that points it at a sandbox."""
    before = dict(os.environ)
    yield
    os.environ.clear()
    os.environ.update(before)
