"""Thousands of malformed tasks for one real agent: each is answered with a reason, and the agent goes on."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from tests.faults.bad_input.malformed import generate, right_task
from tests.faults.bad_input.service import HandingService
from tests.faults.one_service import start_agent
from tests.integration.agent.conftest import AgentProcess, eventually

COUNT = 5000
#: Answers to a poll that are no task at all.
NO_TASKS = (b"{}", b"null", b"[]", b"", b'{"taskObject": 7}', b'{"taskObject": {"taskId": null}}', b"[" * 100_000)
PATIENCE = 200.0  # seconds


def test_five_thousand_malformed_tasks_are_each_told_once_and_the_agent_goes_on(tmp_path):
    tasks = [renamed(task, number) for number, task in enumerate([*generate(COUNT), *huge(), right_task()])]
    bodies = [json.dumps({"taskObject": task}).encode() for task in tasks]
    # The answers that are no tasks come first, since the agent slows down after each of them.
    with closing(HandingService([*NO_TASKS, *bodies])) as service:
        agent = start(service, tmp_path)
        try:
            eventually(lambda: ended(service, agent, len(tasks)), "a status of every task", PATIENCE, look=0.2)
            last = service.told[tasks[-1]["taskId"]]
            assert [status["taskStatus"] for status in last] == ["FINISHED"]
            agent.process.terminate()
            assert agent.wait() == 0
        finally:
            agent.stop()
    assert_told_well(service, agent)
    assert_nothing_outside(agent, tmp_path)


def renamed(task: dict[str, Any], number: int) -> dict[str, Any]:
    """Give a task an id and an attempt of its own: the same attempt twice would be done once."""
    text = json.dumps({**task, "taskId": f"task-{number}"})
    return dict(json.loads(text.replace('df-1"', f'df-{number}"').replace("@Work_", f"@Work{number}_")))


def huge() -> Iterator[dict[str, Any]]:
    """Some tasks that are larger than any that the service takes: of a value, of fields, of objects."""
    value, fields, objects = right_task(), right_task(), right_task()
    [attempt] = objects["objects"]
    value["objects"][attempt]["fields"].append({"key": "note", "stringValue": "é" * 4_000_000})
    fields["objects"][attempt]["fields"] += [{"key": f"f{n}", "stringValue": "v"} for n in range(100_000)]
    objects["objects"] |= {f"o{n}": {"id": "o", "name": "o", "fields": []} for n in range(50_000)}
    yield from (value, fields, objects)


def start(service: HandingService, place: Path) -> AgentProcess:
    """An agent whose every service is the one that hands out; deep in a directory, for those who climb out of it."""
    working = place / "a" / "b" / "c" / "d"
    working.mkdir(parents=True)
    return start_agent(service.endpoint, working, "--tasks=8")


def ended(service: HandingService, agent: AgentProcess, count: int) -> bool:
    assert agent.process.poll() is None, agent.text[-5000:]
    return len(service.told) >= count


def assert_told_well(service: HandingService, agent: AgentProcess) -> None:
    """Once each; what failed says why, and the reason is the task, not a surprise of the worker."""
    assert {name: told for name, told in service.told.items() if len(told) != 1} == {}
    failed = [told[0] for told in service.told.values() if told[0]["taskStatus"] == "FAILED"]
    assert len(failed) > COUNT / 2
    assert [status for status in failed if not status.get("errorId") or not status.get("errorMessage")] == []
    print(Counter(status["errorId"] for status in failed))
    assert [status["errorMessage"] for status in failed if status["errorId"] == "InternalError"] == []
    assert agent.events("attempt_broken") == agent.events("thread_died") == []


def assert_nothing_outside(agent: AgentProcess, place: Path) -> None:
    """Hostile names have led nowhere; nothing but logs and copied streams is left in the working directory."""
    assert [path.name for path in place.iterdir()] == ["a"]
    left = [
        path for path in agent.output.rglob("*") if path.is_file() and path.relative_to(agent.output).parts[0] != "logs"
    ]
    assert left == []
