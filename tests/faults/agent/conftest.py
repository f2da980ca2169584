"""The same bench as the integration tests of the worker."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from contextlib import suppress

import psutil
import pytest

from tests.integration.agent.conftest import (  # noqa: F401  # fixtures
    attempt_only_bench,
    await_condition,
    bench,
    eventually,
    manual_service,
    served,
    served_session,
)


class Sleeper:
    """A command word that can be found in the machine's process list: ``sleep`` for a time of its own."""

    def __init__(self) -> None:
        self.command = f"sleep 9{secrets.randbelow(10**8):08d}"

    def processes(self) -> list[psutil.Process]:
        """Those that run it now."""
        wanted = self.command.split()
        return [entry for entry in psutil.process_iter(["cmdline"]) if entry.info["cmdline"] == wanted]

    def wait_for(self, count: int) -> None:
        """Wait until so many run."""
        eventually(lambda: len(self.processes()) == count, f"{count} processes {self.command!r}")


@pytest.fixture
def sleeper() -> Callable[[], Sleeper]:
    """A maker of sleepers; what is left of them is ended after the test."""
    made: list[Sleeper] = []

    def make() -> Sleeper:
        made.append(Sleeper())
        return made[-1]

    yield make
    for entry in made:
        for process in entry.processes():
            with suppress(psutil.NoSuchProcess):
                process.kill()
