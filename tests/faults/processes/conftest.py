"""A guard in a process of its own, as an agent has it, without a service: commands run, and everybody can be killed."""

from __future__ import annotations

import os
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from agent.logs.output import OutputFile
from agent.processes import tree
from agent.processes.child import Child, Command
from agent.processes.conditions import AS_THE_AGENT, Conditions
from agent.processes.delegation import find_group
from agent.processes.guard import Guard
from agent.processes.leftovers import ChildRecord
from agent.processes.wire import TreeEnded
from agent.stop import StopReason, StopSignal
from core.redaction import REDACTOR
from tests.conftest import CHECKOUT
from tests.faults.agent.conftest import bench, manual_service, sleeper  # noqa: F401  # fixtures

GRACE = 0.3  # seconds
PRODUCT = Path(sys.executable).parent


class Run:
    """One command under a guard; ``result`` waits for its end."""

    def __init__(self, guard: Guard, command: Command, grace: float) -> None:
        self.stop = StopSignal()
        self.records: list[ChildRecord] = []
        self.directory = command.directory
        self._grace = grace
        self._outcome: list[TreeEnded | BaseException] = []
        names = (command.directory / "out", command.directory / "err")
        self._files = [OutputFile(name, REDACTOR.matcher()) for name in names]
        self._child = Child(guard, command, *self._files, self.records.append)
        self._thread = threading.Thread(target=self._wait)
        self._thread.start()

    @property
    def pid(self) -> int:
        """Of the command."""
        return self.records[0].pid

    @property
    def shim(self) -> int:
        """Its parent."""
        stat = tree.stat_of(self.pid)
        assert stat is not None
        return stat.parent

    def end(self) -> TreeEnded:
        """Stop it, and return how it ended."""
        self.stop.set(StopReason.CANCELED)
        return self.result()

    def result(self) -> TreeEnded:
        """How it ended; raises what its wait has raised."""
        self._thread.join(30)
        assert not self._thread.is_alive(), "the command was not ended"
        [outcome] = self._outcome
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome

    def output(self) -> str:
        """What it has written to stdout."""
        return self._files[0].path.read_text()

    def _wait(self) -> None:
        try:
            self._outcome.append(self._child.wait(self.stop, self._grace))
        except BaseException as error:
            self._outcome.append(error)
        finally:
            for file in self._files:
                file.close()


Runner = Callable[..., Run]


def let_through(path: Path) -> None:
    """Let other users go through the folders of a test."""
    for place in (path, *path.parents):
        if place == Path(tempfile.gettempdir()):
            return
        place.chmod(place.stat().st_mode | 0o011)


def cgroups(wanted: str) -> Path | None:
    """The control group to divide, when that is wanted and one is ours."""
    if wanted == "tree":
        return None
    found = find_group()
    if found is None:
        pytest.skip("no control group (version 2) is ours here")
    return found


@pytest.fixture(params=["tree", "cgroup"])
def guard(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Guard]:
    """A guard that ends trees by themselves, and one that has a control group for each."""
    made = Guard(GRACE, tmp_path / "output", cgroups=cgroups(request.param))
    yield made
    made.dismiss()


@pytest.fixture
def run(guard: Guard, tmp_path: Path) -> Runner:
    """Start a shell command under the guard."""
    return runner(guard, tmp_path)


def runner(guard: Guard, directory: Path) -> Runner:
    """A function that starts shell commands under this guard, each in a directory of its own."""
    numbers = iter(range(1000))

    def start(script: str, conditions: Conditions = AS_THE_AGENT, grace: float = GRACE, **variables: str) -> Run:
        place = directory / f"run-{next(numbers)}"
        place.mkdir()
        environment = {"PATH": os.environ["PATH"], "HOME": "/", **variables}
        return Run(guard, Command(("bash", "-c", script), environment, place, conditions), grace)

    return start


@pytest.fixture
def checkout() -> Path:
    """The folder that holds the packages."""
    return CHECKOUT
