"""All definitions of this folder, run once, at the same time, in one sandbox through one agent."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from core.settings import Settings, load_settings
from tests.acceptance.definitions import seeds
from tests.acceptance.definitions.runner import Outcome, Runner
from tests.conftest import CHECKOUT, RunningSandbox, skip_or_fail

FOLDER = Path(__file__).parent


def names_in(*folders: str) -> list[str]:
    """The definitions of folders beside this file."""
    paths = (path for folder in folders for path in FOLDER.glob(f"{folder}/*.json"))
    return sorted(str(path.relative_to(FOLDER).with_suffix("")) for path in paths)


#: Definitions of which every run is awaited, not the first alone.
WHOLE = frozenset({"guide/parametrized_template", "projects/dataduct_compiled", "projects/log_cleanup"})
#: Worker groups that definitions name, with their slots; what has ``runsOn`` goes to the first one.
GROUPS = ("--workerGroup=managed", "--tasks=4", "--workerGroups=myWorkerGroup=2,test=1,housekeeping=1")


@contextmanager
def pointed_at(sandbox: RunningSandbox) -> Iterator[None]:
    """Let this process's AWS clients and settings be the sandbox's."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            patch.delenv(name)
        for name, value in sandbox.environment.items():
            patch.setenv(name, value)
        yield


@pytest.fixture(scope="session")
def place(sandbox: RunningSandbox) -> RunningSandbox:
    """The sandbox with all its parts."""
    if "DUCTRUNNER_ENGINES_STATE" not in sandbox.environment:
        skip_or_fail("Hadoop, Pig and Hive are not installed here; run: make engines")
    return sandbox


@pytest.fixture(scope="session")
def settings(place: RunningSandbox) -> Settings:
    """Where the sandbox's databases are."""
    found = load_settings(Path(place.environment["DUCTRUNNER_CONFIG"]))
    if "source" not in found.mysql:
        skip_or_fail("MariaDB is not installed here")
    return found


@pytest.fixture(scope="session")
def worker(place: RunningSandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """An agent for all groups; its output directory."""
    output = tmp_path_factory.mktemp("definitions") / "output"
    command = [sys.executable, "-m", "ductrunner", "agent", *GROUPS, f"--output={output}"]
    with pointed_at(place), output.with_suffix(".log").open("wb") as log:
        agent = subprocess.Popen(command, cwd=CHECKOUT, stdout=log, stderr=log)
    yield output
    agent.send_signal(signal.SIGTERM)
    assert agent.wait(60) == 0


@pytest.fixture(scope="session")
def seeded(place: RunningSandbox, settings: Settings) -> None:
    """Everything that definitions expect to find is there."""
    with pointed_at(place):
        seeds.fill_aws()
        seeds.fill_databases(settings)


@pytest.fixture(scope="module")
def outcomes(
    request: pytest.FixtureRequest,
    place: RunningSandbox,
    settings: Settings,
    seeded: None,
    worker: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Mapping[str, Outcome]]:
    """What became of each of the module's ``NAMES``."""
    folder = tmp_path_factory.mktemp("filled")
    with pointed_at(place):
        runner = Runner(place.environment["AWS_ENDPOINT_URL_DATA_PIPELINE"])
        for number, name in enumerate(request.module.NAMES):
            path = folder / f"{number}.json"
            path.write_text(seeds.filled(FOLDER / f"{name}.json", settings), encoding="utf-8")
            runner.start(name, path, whole=name in WHOLE)
        yield runner.outcomes()
