"""``ductrunner status`` beside real agents."""

from __future__ import annotations

import json
import os
import signal

import pytest

from tests.integration.agent.conftest import eventually
from tests.integration.health.conftest import Asked


@pytest.fixture
def status(ductrunner, bench):
    """``status(*flags)`` asks the agents of the bench."""
    return lambda *flags: ductrunner("status", f"--output={bench.directory / 'output'}", *flags)


def test_where_no_agent_is_it_says_so_and_exits_with_3(status, bench):
    answer = status()
    assert answer.returncode == 3
    assert "no agent runs here" in answer.stderr


def test_a_working_agent_is_shown_with_its_attempts_and_failures(status, bench):
    gate = bench.directory / "gate"
    agent = bench.agent("--tasks=3", "--taskrunnerId=runner-7")
    asked = Asked(agent)
    bench.ended(bench.shell("exit 9"))
    pipeline = bench.shell(f"while [ ! -e {gate} ]; do sleep 0.05; done")
    eventually(lambda: asked.status()["running"], "a running attempt")
    answer = status()
    assert answer.returncode == 0, answer.stderr
    lines = answer.stdout.splitlines()
    assert bench.group in lines[0]
    assert "runner-7" in lines[0]
    assert lines[1].startswith("working: 1 of 3 slots busy; last poll answered ")
    [row] = [line for line in lines if pipeline in line]
    assert row.split()[:2] == ["Work", "ShellCommandActivity"]
    assert "CommandFailed" in answer.stdout
    assert "the command ended with exit status 9" in answer.stdout
    assert "\x1b" not in answer.stdout
    gate.touch()


def test_all_that_is_known_is_there_as_json(status, bench):
    Asked(bench.agent()).await_ready()
    [document] = json.loads(status("--json").stdout)
    assert document["worker_group"] == bench.group
    assert document["ready"] is True


def test_an_agent_that_takes_no_tasks_exits_with_1_and_says_why(status, bench):
    Asked(bench.agent(DUCTRUNNER_AGENT_MINIMUM_FREE_MEMORY=str(10**18))).status()
    answer = status()
    assert answer.returncode == 1
    assert "takes no tasks:" in answer.stdout
    assert "held by memory: " in answer.stdout


def test_an_agent_that_was_killed_is_not_found_any_more(status, bench):
    agent = bench.agent()
    Asked(agent).await_ready()
    agent.process.kill()
    agent.process.wait()
    assert list(agent.output.glob("agent-*.json"))
    assert status().returncode == 3


def test_an_agent_that_does_not_answer_is_named(status, bench):
    agent = bench.agent()
    Asked(agent).await_ready()
    os.kill(agent.process.pid, signal.SIGSTOP)
    try:
        answer = status()
    finally:
        os.kill(agent.process.pid, signal.SIGCONT)
    assert answer.returncode == 1
    assert "no agent answers at 127.0.0.1:" in answer.stderr


def test_an_agent_can_be_asked_by_its_address(ductrunner, bench):
    asked = Asked(bench.agent())
    asked.await_ready()
    answer = ductrunner("status", f"--address={asked.address}")
    assert answer.returncode == 0
    assert bench.group in answer.stdout


def test_an_address_elsewhere_is_refused(ductrunner):
    answer = ductrunner("status", "--address=192.0.2.1:80")
    assert answer.returncode == 2
    assert "must be a loopback address" in answer.stderr


def test_an_agent_that_has_ended_leaves_no_file(bench):
    agent = bench.agent()
    Asked(agent).await_ready()
    agent.process.terminate()
    assert agent.wait() == 0
    assert list(agent.output.glob("agent-*")) == []
