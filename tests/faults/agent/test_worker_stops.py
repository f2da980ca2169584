"""The worker is asked to stop, is killed, or loses a part of itself."""

from __future__ import annotations

import os
import signal

import psutil
import pytest


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_drain_lets_the_running_attempt_finish_and_takes_no_other(bench, number, await_condition):
    fifo, started = bench.directory / "go", bench.directory / "started"
    os.mkfifo(fifo)
    first = bench.shell(f"touch {started}; cat {fifo}")
    agent = bench.agent("--tasks=2")
    await_condition(started.exists, "the command to run")
    agent.process.send_signal(number)
    agent.wait_for("draining")
    second = bench.shell("true")
    fifo.write_text("go")
    assert agent.wait() == 0
    assert bench.ended(first)["@status"] == "FINISHED"
    [waiting] = bench.attempts(second)
    assert waiting["@status"] == "WAITING_FOR_RUNNER"


def test_an_idle_worker_stops_at_once(bench):
    agent = bench.agent()
    agent.wait_for("agent_started")
    agent.process.terminate()
    assert agent.wait() == 0


def test_the_second_signal_ends_the_attempts_and_reports_them(bench, sleeper):
    inside = sleeper()
    pipeline = bench.shell(inside.command)
    agent = bench.agent()
    inside.wait_for(1)
    agent.process.terminate()
    agent.wait_for("draining")
    agent.process.terminate()
    assert agent.wait() == 0
    assert bench.ended(pipeline)["errorId"] == "AgentStopped"
    inside.wait_for(0)


def test_a_drain_that_takes_too_long_ends_the_attempts(bench, sleeper):
    inside = sleeper()
    pipeline = bench.shell(inside.command)
    agent = bench.agent(DUCTRUNNER_AGENT_DRAIN_TIMEOUT="0.3")
    inside.wait_for(1)
    agent.process.terminate()
    assert agent.wait() == 0
    assert bench.ended(pipeline)["errorId"] == "AgentStopped"


def test_a_killed_worker_takes_its_children_along_and_the_task_is_done_again(bench, sleeper, await_condition):
    inside, apart = sleeper(), sleeper()
    once = bench.directory / "second"
    pipeline = bench.shell(f"test -e {once} && exit 0; touch {once}; setsid {apart.command} & {inside.command}")
    agent = bench.agent()
    inside.wait_for(1)
    apart.wait_for(1)
    agent.process.kill()
    inside.wait_for(0)
    apart.wait_for(0)
    other = bench.agent("--once", output="elsewhere")
    bench.control("clock", advance=301)
    assert other.wait() == 0
    assert other.events("task_ended")[0]["status"] == "finished"
    assert bench.ended(pipeline)["@status"] == "FINISHED"


def test_the_third_signal_exits_at_once_and_nothing_stays(bench, sleeper):
    inside = sleeper()
    bench.shell(f"trap '' TERM; {inside.command}; {inside.command}; {inside.command}")
    agent = bench.agent(DUCTRUNNER_AGENT_KILL_GRACE="1")
    inside.wait_for(1)
    for count in (1, 2):
        agent.process.terminate()
        agent.wait_for("draining" if count == 1 else "hurrying")
    agent.process.terminate()
    assert agent.wait() == 1
    inside.wait_for(0)


def test_a_worker_whose_guard_dies_stops_loudly(bench, sleeper):
    inside = sleeper()
    pipeline = bench.shell(inside.command)
    agent = bench.agent()
    inside.wait_for(1)
    children = psutil.Process(agent.process.pid).children()
    [guard] = [child for child in children if "agent.processes.guard_process" in child.cmdline()]
    guard.kill()
    assert agent.wait() == 1
    assert bench.ended(pipeline)["errorId"] == "AgentStopped"
    assert "guard" in agent.events("agent_stopped")[0]["broken"][0]


def test_terminate_of_the_service_drains(bench):
    agent = bench.agent("--taskrunnerId=unlucky", DUCTRUNNER_AGENT_HEARTBEAT_INTERVAL="0.1")
    agent.wait_for("agent_started")
    bench.control("terminate", taskrunnerId="unlucky")
    assert agent.wait() == 0
    assert agent.events("draining")[0]["reason"] == "terminate"


def test_an_idle_worker_goes_after_its_time(bench):
    pipeline = bench.shell("true")
    agent = bench.agent("--idle-exit=0.5")
    assert agent.wait() == 0
    assert bench.ended(pipeline)["@status"] == "FINISHED"


def test_as_many_attempts_run_as_there_are_slots(bench, sleeper):
    inside = sleeper()
    for _ in range(4):
        bench.shell(inside.command)
    agent = bench.agent("--tasks=3")
    agent.wait_for("task_started", count=3)
    inside.wait_for(3)
    agent.process.terminate()
    agent.process.terminate()
