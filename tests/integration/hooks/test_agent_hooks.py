"""agent-start and agent-stop, around the life of a real agent."""

from __future__ import annotations

import signal


def hook(directory, name, text):
    directory.mkdir(exist_ok=True)
    path = directory / name
    path.write_text(text)
    path.chmod(0o755)


def test_agent_start_runs_before_the_first_poll_and_agent_stop_at_the_end(bench, tmp_path):
    marks = tmp_path / "marks"
    for name in ("agent-start", "agent-stop"):
        hook(tmp_path / "hooks", name, f"#!/bin/sh\necho {name} >>{marks}\n")
    pipeline = bench.shell(f"echo task >>{marks}")
    agent = bench.agent("--once", DUCTRUNNER_AGENT_HOOKS=str(tmp_path / "hooks"))
    assert agent.wait() == 0
    assert bench.ended(pipeline)["@status"] == "FINISHED"
    assert marks.read_text().split() == ["agent-start", "task", "agent-stop"]


def test_an_agent_whose_agent_start_fails_does_not_start_and_shows_its_output(bench, tmp_path):
    hook(tmp_path / "hooks", "agent-start", "echo the disk is not mounted; exit 5\n")
    bench.shell("true")
    agent = bench.agent("--once", DUCTRUNNER_AGENT_HOOKS=str(tmp_path / "hooks"))
    assert agent.wait() == 1
    assert "HookFailed: the hook" in agent.text
    assert "agent-start ended with exit status 5; its last lines:\nthe disk is not mounted" in agent.text
    assert agent.events("task_started") == []


def test_a_failing_agent_stop_is_logged_and_changes_nothing(bench, tmp_path):
    hook(tmp_path / "hooks", "agent-stop", "echo cannot >&2; exit 5\n")
    agent = bench.agent("--idle-exit=0", DUCTRUNNER_AGENT_HOOKS=str(tmp_path / "hooks"))
    assert agent.wait() == 0
    [line] = agent.events("hook_failed")
    assert line["hook"] == "agent-stop"
    assert "cannot" in line["error"]


def test_a_signal_ends_an_agent_that_waits_for_agent_start(bench, tmp_path, await_condition):
    began = tmp_path / "began"
    hook(tmp_path / "hooks", "agent-start", f"touch {began}; sleep 600\n")
    agent = bench.agent(DUCTRUNNER_AGENT_HOOKS=str(tmp_path / "hooks"))
    await_condition(began.exists, "the hook runs")
    agent.process.send_signal(signal.SIGTERM)
    assert agent.wait() == 1
    assert "was ended: the agent was asked to stop" in agent.text
