"""The processes of the demo: the sandbox and one agent, both through the command that users call."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

_DUCTRUNNER = str(Path(sys.executable).with_name("ductrunner"))
_STOP_WITHIN = 30.0  # seconds


@contextmanager
def running_sandbox(state: Path, *, options: tuple[str, ...], keep: bool) -> Iterator[dict[str, str]]:
    """Start a sandbox, hand out what its clients set in their environment, stop it (``keep``: leave it running)."""
    place = ("--state-dir", str(state))
    try:
        ductrunner("sandbox", "up", *place, *options)
        yield json.loads(ductrunner("sandbox", "env", *place, "--json"))
    finally:
        if not keep and state.exists():
            ductrunner("sandbox", "down", *place)


@contextmanager
def running_agent(group: str, output: Path, environment: Mapping[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """Start a worker with four slots; what it says goes to ``agent.log``; a SIGTERM lets it end what it has begun."""
    output.mkdir(parents=True, exist_ok=True)
    with (output / "agent.log").open("ab") as log:
        command = [_DUCTRUNNER, "agent", f"--workerGroup={group}", "--tasks=4", f"--output={output}"]
        own = {**environment, "DUCTRUNNER_AGENT_REPORT_INTERVAL": "1"}  # seconds; to see the rows as they go by
        agent = subprocess.Popen(command, stdout=log, stderr=log, env=own, start_new_session=True)
    try:
        yield agent
    except BaseException:
        stop(agent, drain_for=0.1)  # nobody waits any more for what still runs
        raise
    stop(agent, drain_for=_STOP_WITHIN)


def stop(agent: subprocess.Popen[bytes], drain_for: float) -> None:
    """Ask the agent to end: once for a drain, again for what still runs after that many seconds."""
    for patience in (drain_for, _STOP_WITHIN):
        agent.terminate()
        try:
            agent.wait(patience)
        except subprocess.TimeoutExpired:
            continue
        return
    agent.kill()
    agent.wait()


def ductrunner(*words: str) -> str:
    """Run ``ductrunner …`` and return what it prints; its own words are the error when it fails."""
    done = subprocess.run([_DUCTRUNNER, *words], capture_output=True, text=True, env=clean_environment(), check=False)
    if done.returncode:
        raise RuntimeError(f"ductrunner {' '.join(words[:2])} failed: {done.stderr.strip()}")
    return done.stdout


def clean_environment() -> dict[str, str]:
    """Return this process's environment without anything that leads AWS clients or Ductrunner elsewhere."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "DUCTRUNNER_"))}
