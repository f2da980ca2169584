"""Every signal, sent to a real agent in every state that it can be in."""

from __future__ import annotations

import json
import signal
import textwrap
import urllib.request
from pathlib import Path

import pytest


def test_quit_ends_the_attempts_and_reports_them(bench, sleeper):
    inside = sleeper()
    pipeline = bench.shell(inside.command)
    agent = bench.agent()
    inside.wait_for(1)
    agent.process.send_signal(signal.SIGQUIT)
    assert agent.wait() == 0
    ended = bench.ended(pipeline)
    assert ended["errorId"] == "AgentStopped"
    assert "it was asked to stop at once" in ended["errorMessage"]
    inside.wait_for(0)


def test_quit_ends_the_attempts_of_a_draining_agent(bench, sleeper):
    inside = sleeper()
    pipeline = bench.shell(inside.command)
    agent = bench.agent()
    inside.wait_for(1)
    agent.process.terminate()
    agent.wait_for("draining")
    agent.process.send_signal(signal.SIGQUIT)
    assert agent.wait() == 0
    assert bench.ended(pipeline)["errorId"] == "AgentStopped"


def test_after_quit_one_term_does_not_cut_the_reports_short(bench, sleeper):
    inside = sleeper()
    pipeline = bench.shell(f"trap '' TERM; {inside.command}; {inside.command}")
    agent = bench.agent(DUCTRUNNER_AGENT_KILL_GRACE="1")
    inside.wait_for(1)
    agent.process.send_signal(signal.SIGQUIT)
    agent.wait_for("hurrying")
    agent.process.terminate()
    assert agent.wait() == 0
    assert bench.ended(pipeline)["errorId"] == "AgentStopped"


def test_a_hang_up_changes_nothing_and_is_not_ignored_by_commands(bench):
    agent = bench.agent()
    agent.wait_for("agent_started")
    agent.process.send_signal(signal.SIGHUP)
    pipeline = bench.shell("kill -HUP $$; echo survived")
    ended = bench.ended(pipeline)
    assert ended["errorId"] == "CommandKilled"
    assert bench.log_of(pipeline) == ""
    assert agent.process.poll() is None


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGQUIT])
def test_signals_that_come_before_the_loop_starts_are_not_lost(bench, number):
    hold = bench.directory / "hold"
    agent = bench.agent(PYTHONPATH=str(_held_start(bench.directory, hold)))
    agent.wait_for("held")
    agent.process.send_signal(number)
    hold.touch()
    assert agent.wait() == 0
    assert agent.events("draining")[0]["reason"] == "signal"
    assert bool(agent.events("hurrying")) == (number == signal.SIGQUIT)


def test_the_third_signal_is_heard_while_the_agent_closes(bench, await_condition):
    agent = bench.agent("--once", PYTHONPATH=str(_hanging_close(bench.directory)))
    agent.wait_for("agent_started")
    bench.shell("true")
    agent.wait_for("closing")
    # The kernel keeps one pending signal of a kind: those that come too soon after each other are one.
    await_condition(lambda: agent.process.terminate() or agent.process.poll() is not None, "the end of the agent")
    assert agent.wait() == 1
    assert agent.events("exiting_at_once")


@pytest.mark.parametrize("flag", ["--max-uptime=0.5", None])
def test_an_agent_that_was_up_for_long_enough_drains(bench, await_condition, flag):
    started, go = bench.directory / "started", bench.directory / "go"
    pipeline = bench.shell(f"touch {started}; while ! [ -e {go} ]; do sleep 0.05; done")
    agent = bench.agent(*([flag] if flag else []), **({} if flag else {"DUCTRUNNER_AGENT_MAX_UPTIME": "0.5"}))
    await_condition(started.exists, "the command to run")
    assert agent.wait_for("draining")["reason"] == "max_uptime"
    go.touch()
    assert agent.wait() == 0
    assert bench.ended(pipeline)["@status"] == "FINISHED"


def test_an_attempt_that_is_still_being_acknowledged_does_not_hold_the_agent(bench, await_condition):
    bench.shell("sleep 600")
    bench.control("faults", operation="ReportTaskProgress", fault="error", status=500, count=50)
    agent = bench.agent()
    try:
        await_condition(lambda: _faults_met(bench.endpoint), "the first acknowledgement")
        agent.process.send_signal(signal.SIGQUIT)
        assert agent.wait() == 0
    finally:
        bench.control_delete("faults")
    assert agent.events("task_not_acknowledged")


def _faults_met(endpoint: str) -> int:
    with urllib.request.urlopen(f"{endpoint}/_sandbox/faults") as answer:
        return sum(fault["met"] for fault in json.load(answer)["faults"])


def _held_start(directory: Path, hold: Path) -> Path:
    """Return a folder whose ``sitecustomize`` makes the start of the worker wait until ``hold`` is there."""
    return _customised(
        directory,
        f"""
        import pathlib, time
        from agent import log, worker

        original = worker.Worker.run

        def run(self):
            log.event("held")
            while not pathlib.Path({str(hold)!r}).exists():
                time.sleep(0.01)
            return original(self)

        worker.Worker.run = run
        """,
    )


def _hanging_close(directory: Path) -> Path:
    """Return a folder whose ``sitecustomize`` makes a loop of the agent go on for ever when it is closed."""
    return _customised(
        directory,
        """
        import time
        from agent import heartbeat, log

        def close(self):
            log.event("closing")

        heartbeat.Heartbeat.close = close
        """,
    )


def _customised(directory: Path, source: str) -> Path:
    folder = directory / "customised"
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(textwrap.dedent(source))
    return folder
