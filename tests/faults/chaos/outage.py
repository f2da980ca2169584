"""CloudWatch Logs is away on real time while a task prints; afterwards every line is there, in order, once."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import psutil

from tests.faults.logs.strict_logs import StrictLogs
from tests.faults.soak.soak import Service, start_agent
from tests.integration.agent.conftest import eventually

GROUP = "outage"
#: Lines that the task prints in a second.
RATE = 200
#: How much the agent may grow while lines wait.
GROWTH = 0.10


def run_outage(directory: Path, environment: Mapping[str, str], seconds: float) -> str:
    """Let a task print for so many seconds that nobody takes its lines; check lines, pace and memory."""
    service, logs = Service(directory), StrictLogs()
    away = {"AWS_ENDPOINT_URL_CLOUDWATCH_LOGS": logs.endpoint}
    agent = start_agent(service, GROUP, directory / "agent", {**environment, **away})
    process = psutil.Process(agent.process.pid)
    try:
        service.activate(GROUP, 1, "echo before")
        eventually(lambda: logs.messages("tasks/") == ["before"], "a line before the outage")
        logs.mood = lambda _: "drop"
        lines, before = round(RATE * seconds), process.memory_info().rss
        program = f"import time\nfor n in range({lines}): print('line', n, flush=True); time.sleep({1 / RATE})"
        service.activate(GROUP, 1, f'python3 -c "{program}"')
        ended = agent.wait_for("task_ended", count=2, patience=2 * seconds + 60)
        grown = process.memory_info().rss / before - 1
        logs.mood = lambda _: None
        expected = ["before", *(f"line {number}" for number in range(lines))]
        eventually(lambda: len(logs.messages("tasks/")) >= len(expected), "the lines after the outage", 600.0)
        assert logs.messages("tasks/") == expected
        assert logs.wrong == []
        assert ended["status"] == "finished", ended
        assert grown <= GROWTH, f"the agent has grown by {grown:.0%}"
        return f"{lines} lines waited {ended['seconds']:.0f} s and arrived; the agent's memory changed by {grown:+.1%}"
    finally:
        agent.stop()
        logs.close()
        service.close()
