"""One agent that looks into a directory of hooks; each test fills it and finds it empty."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.parts.datapipeline import DataPipelinePart
from sandbox.parts.moto import MotoPart
from tests.integration.agent.conftest import (  # noqa: F401  # fixtures
    FLAGS,
    Bench,
    await_condition,
    bench,
    manual_service,
)


class HookedBench:
    """A bench, and the hooks of its agent."""

    def __init__(self, made: Bench, hooks: Path) -> None:
        self.bench = made
        self.hooks = hooks

    def hook(self, name: str, text: str, mode: int = 0o755) -> Path:
        """Put a hook there."""
        path = self.hooks / name
        path.write_text(text)
        path.chmod(mode)
        return path

    def run(self, command: str, **fields: str) -> dict[str, str]:
        """Run one command; return its attempt when it has ended, with ``out`` and ``err``."""
        pipeline = self.bench.shell(command, **fields)
        attempt = dict(self.bench.ended(pipeline))
        for key, name in (("out", "StdOutput"), ("err", "StdError")):
            found = list(self.bench.worker.output.glob(f"logs/{pipeline}/Work/*/*/{name}"))
            attempt[key] = found[0].read_text() if found else ""
        return attempt


@pytest.fixture(scope="session")
def hooked_session(tmp_path_factory: pytest.TempPathFactory, aws_server: MotoPart) -> Iterator[HookedBench]:
    hooks = tmp_path_factory.mktemp("hooks")
    part = DataPipelinePart(tmp_path_factory.mktemp("hooked") / "datapipeline", FLAGS)
    part.start()
    with pytest.MonkeyPatch.context() as patch:
        for name, value in aws_server.client_environment().items():
            patch.setenv(name, value)
        made = Bench(part, tmp_path_factory.mktemp("hooked"))
        made.agent(
            "--tasks=2",
            DUCTRUNNER_AGENT_HOOKS=str(hooks),
            DUCTRUNNER_AGENT_HOOK_TIMEOUT="3",
            DUCTRUNNER_AGENT_KILL_GRACE="1",
            GIVEN="by the agent",
        )
    yield HookedBench(made, hooks)
    made.worker.stop()
    made.client.close()
    part.stop()


@pytest.fixture
def hooked(hooked_session: HookedBench, aws_environment: str) -> Iterator[HookedBench]:
    yield hooked_session
    for path in hooked_session.hooks.iterdir():
        path.unlink()
