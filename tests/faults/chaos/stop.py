"""An agent stands still on real time; another one takes over when the service has waited long enough."""

from __future__ import annotations

import signal
import time
from collections.abc import Mapping
from pathlib import Path

import psutil

from tests.faults.soak.soak import Service, start_agent
from tests.integration.agent.conftest import eventually

GROUP = "stop"
#: Seconds after which the service gives a silent agent's task to another one, and some to spare.
WINDOW = 330.0


def run_stop(directory: Path, environment: Mapping[str, str], seconds: float) -> str:
    """Stop an agent and its command for so many seconds; check that the task was told once, by whoever had it."""
    service = Service(directory)
    first = start_agent(service, GROUP, directory / "first", {**environment, "DUCTRUNNER_AGENT_REPORT_INTERVAL": "5"})
    second = None
    try:
        service.activate(GROUP, 1, "sleep 20")
        first.wait_for("task_started")
        family = [psutil.Process(first.process.pid), *psutil.Process(first.process.pid).children(recursive=True)]
        for process in family:
            process.send_signal(signal.SIGSTOP)
        began = time.monotonic()
        second = start_agent(service, GROUP, directory / "second", environment)
        if seconds > WINDOW:
            second.wait_for("task_ended", patience=WINDOW + 60)
        time.sleep(max(0.0, began + seconds - time.monotonic()))
        for process in family:
            process.send_signal(signal.SIGCONT)
        ended = first.wait_for("task_ended")
        eventually(lambda: service.control("attempts")["attempts"][0]["status"] == "FINISHED", "the end of the task")
        [attempt] = service.control("attempts")["attempts"]
        assert set(attempt["statuses"]) == {"FINISHED"}, attempt
        return f"the first agent ended its attempt as {ended['status']}; handed over {attempt['deliveries']} times"
    finally:
        for agent in filter(None, (first, second)):
            agent.stop()
        service.close()
