"""Preconditions that wait: they become true in time or never, are cancelled, drained and killed, and hold nobody up."""

from __future__ import annotations

import pytest

from tests.faults.agent.conftest import sleeper  # noqa: F401  # a fixture
from tests.integration.agent.conftest import eventually

KIND = "ShellCommandPrecondition"


def status_of(service, task):
    """What the service was told of a task at its end, once."""
    eventually(lambda: service.told.get(task), f"a status of {task}")
    [status] = service.told[task]
    return status


@pytest.fixture
def told(service):
    """What the service of this test was told of a task at its end."""
    return lambda task: status_of(service, task)


def counted(path):
    """A command that counts its runs, and fails."""
    return f"echo run >> {path}; exit 1"


def runs(path):
    return len(path.read_text().splitlines()) if path.exists() else 0


def test_one_that_is_true_at_once_is_finished(served):
    assert (
        status_of(served.service, served.service.hand_out(KIND, "Ready", command="exit 0"))["taskStatus"] == "FINISHED"
    )


def test_one_that_becomes_true_is_evaluated_until_then(served, tmp_path):
    service, agent = served.service, served.agent
    marker = tmp_path / "marker"
    command = f"echo said; echo x >> {marker}; test $(wc -l < {marker}) -ge 3"
    task = service.hand_out(KIND, "Becomes", command=command, retryDelay="0 seconds")
    assert status_of(service, task)["taskStatus"] == "FINISHED"
    assert runs(marker) == 3
    assert service.reports[task]["currentRetryCount"] == "3"
    assert service.reports[task]["attemptStatus"] == "true, evaluated 3 times"
    [log] = agent.output.glob("logs/df-1/Becomes/*/*/StdOutput")
    assert log.read_text() == "said\n" * 3
    eventually(lambda: not list(agent.output.glob("tmp/*_Becomes*")), "its workspaces to be gone")


def test_one_that_never_becomes_true_is_reported_false_once_its_time_is_over(served, tmp_path):
    service, agent = served.service, served.agent
    count = tmp_path / "count"
    task = service.hand_out(
        KIND,
        "Never",
        command=f"echo why >&2; {counted(count)}",
        retryDelay="0 seconds",
        preconditionTimeout="1 second",
        stdout=str(tmp_path / "out.txt"),
        stderr=str(tmp_path / "err.txt"),
    )
    status = status_of(service, task)
    assert (status["taskStatus"], status["errorId"]) == ("FALSE", "PreconditionFalse")
    assert "Never was not true within its preconditionTimeout of 1 second; evaluated" in status["errorMessage"]
    assert "why" in status["errorMessage"].partition("last lines of stderr")[2]
    assert runs(count) > 1
    assert (tmp_path / "err.txt").read_text() == "why\n"
    lines = lambda: [line for line in agent.events("task_ended") if line["attempt"].startswith("@Never_")]  # noqa: E731
    [ended] = eventually(lines, "the line about its end")
    assert (ended["status"], ended["level"]) == ("false", "WARNING")


def test_the_first_evaluation_is_made_however_short_the_time_is(served):
    task = served.service.hand_out(KIND, "Short", command="sleep 9999", preconditionTimeout="1 second")
    status = status_of(served.service, task)
    assert status["taskStatus"] == "FALSE"
    assert "evaluated once" in status["errorMessage"]


def test_a_time_out_of_the_attempt_is_a_failure(served):
    fields = {"command": "exit 1", "retryDelay": "1 hour", "attemptTimeout": "1 second"}
    status = status_of(served.service, served.service.hand_out(KIND, "Slow", **fields))
    assert (status["taskStatus"], status["errorId"]) == ("FAILED", "ActivityTimedOut")


@pytest.mark.parametrize(
    ("fields", "error", "words"),
    [
        ({}, "TaskMalformed", "'command' or 'scriptUri'"),
        ({"command": "exit 1", "retryDelay": "soon"}, "TaskMalformed", "retryDelay of Wrong"),
        ({"command": "exit 1", "preconditionTimeout": "later"}, "TaskMalformed", "preconditionTimeout of Wrong"),
        (
            {"command": "exit 1", "comand": "x"},
            "TaskMalformed",
            "'comand', which is not known here; known are: command",
        ),
        ({"command": "#!/no/such/program\n"}, "CommandFailed", "cannot start /no/such/program"),
        ({"command": "kill -9 $$"}, "CommandKilled", "SIGKILL"),
        ({"scriptUri": "s3://bucket/no/such/script"}, "ScriptNotFound", "scriptUri"),
    ],
)
def test_what_cannot_be_evaluated_is_a_failure_at_once(served, fields, error, words):
    name = f"Wrong{len(served.service.told)}"
    status = status_of(served.service, served.service.hand_out(KIND, name, **fields))
    assert (status["taskStatus"], status["errorId"]) == ("FAILED", error)
    assert words in status["errorMessage"]


def waiting(service, start, await_condition, count, **variables):
    """An agent with one precondition that waits, and the precondition's task."""
    agent = start(**variables)
    task = service.hand_out(KIND, "Waits", command=counted(count), retryDelay="1 hour")
    await_condition(lambda: "lastRetryTime" in service.reports[task], "a report of the waiting precondition")
    return agent, task


def test_a_cancel_ends_one_that_waits_without_a_status(service, start, await_condition, tmp_path):
    agent, task = waiting(service, start, await_condition, tmp_path / "count")
    service.canceled.add(task)
    assert agent.wait_for("task_ended")["status"] == "canceled"
    agent.process.terminate()
    assert agent.wait() == 0
    assert task not in service.told


def test_a_cancel_ends_the_evaluation_that_runs(service, start, sleeper):  # noqa: F811
    inside = sleeper()
    agent = start()
    task = service.hand_out(KIND, "Runs", command=inside.command)
    inside.wait_for(1)
    service.canceled.add(task)
    inside.wait_for(0)
    assert agent.wait_for("task_ended")["status"] == "canceled"
    assert task not in service.told


def test_a_drain_does_not_wait_for_one_that_waits(service, start, told, await_condition, tmp_path):
    agent, task = waiting(service, start, await_condition, tmp_path / "count")
    agent.process.terminate()
    assert agent.wait() == 0
    assert (told(task)["taskStatus"], told(task)["errorId"]) == ("FAILED", "AgentStopped")


def test_a_drain_waits_for_an_evaluation_that_runs(service, start, told, await_condition, tmp_path):
    started, go = tmp_path / "started", tmp_path / "go"
    agent = start()
    task = service.hand_out(KIND, "Runs", command=f"touch {started}; until test -e {go}; do sleep 0.01; done")
    await_condition(started.exists, "the evaluation to run")
    agent.process.terminate()
    agent.wait_for("draining")
    go.touch()
    assert agent.wait() == 0
    assert told(task)["taskStatus"] == "FINISHED"


def test_an_agent_for_one_task_waits_until_it_is_true(service, start, told, tmp_path):
    count = tmp_path / "count"
    agent = start("--once")
    command = f"echo x >> {count}; test $(wc -l < {count}) -ge 3"
    task = service.hand_out(KIND, "Once", command=command, retryDelay="0 seconds")
    assert agent.wait() == 0
    assert told(task)["taskStatus"] == "FINISHED"


def test_an_idle_agent_is_not_idle_while_one_waits(service, start, told, await_condition, tmp_path):
    count = tmp_path / "count"
    agent = start("--idle-exit=0.5")
    command = f"echo x >> {count}; test $(wc -l < {count}) -ge 2"
    task = service.hand_out(KIND, "Idle", command=command, retryDelay="1 second")
    assert agent.wait() == 0
    assert told(task)["taskStatus"] == "FINISHED"


def test_after_a_kill_the_next_agent_reports_one_that_waited(service, start, told, await_condition, tmp_path):
    first, task = waiting(service, start, await_condition, tmp_path / "count")
    first.process.kill()
    first.process.wait()
    start()
    assert (told(task)["taskStatus"], told(task)["errorId"]) == ("FAILED", "AttemptInterrupted")


def test_a_time_out_of_the_attempt_counts_while_it_queues_for_an_evaluation_too(service, start, told, sleeper):  # noqa: F811
    inside = sleeper()
    start(DUCTRUNNER_AGENT_PRECONDITIONS="1")
    service.hand_out(KIND, "Long", command=inside.command)
    inside.wait_for(1)
    task = service.hand_out(KIND, "Queues", command="exit 0", attemptTimeout="1 second")
    assert (told(task)["taskStatus"], told(task)["errorId"]) == ("FAILED", "ActivityTimedOut")


def test_a_decided_false_is_told_by_the_next_agent(service, start, told, await_condition):
    """Killed between the decision and its delivery: the journal has it."""
    service.refusing.set()
    first = start()
    task = service.hand_out(KIND, "Decided", command="exit 1", retryDelay="1 hour", preconditionTimeout="1 second")
    first.wait_for("status_failed")
    first.process.kill()
    first.process.wait()
    service.refusing.clear()
    second = start()
    assert told(task)["taskStatus"] == "FALSE"
    assert second.wait_for("attempt_recovered")["status"] == "false"


def test_a_kill_ends_the_evaluation_that_runs(service, start, told, sleeper):  # noqa: F811  # the fixture
    inside = sleeper()
    agent = start()
    task = service.hand_out(KIND, "Killed", command=inside.command)
    inside.wait_for(1)
    agent.process.kill()
    agent.process.wait()
    inside.wait_for(0)
    start()
    assert told(task)["errorId"] == "AttemptInterrupted"


def test_two_hundred_wait_and_an_activity_runs_at_once(service, start, told, await_condition, tmp_path):
    agent = start("--tasks=2", DUCTRUNNER_AGENT_PRECONDITIONS="4")
    tasks = [service.hand_out(KIND, f"Wait{n}", command="exit 1", retryDelay="1 hour") for n in range(200)]
    await_condition(lambda: all("lastRetryTime" in service.reports[task] for task in tasks), "200 that wait")
    assert told(service.hand_out("ShellCommandActivity", "Work", command="exit 0"))["taskStatus"] == "FINISHED"
    agent.process.terminate()
    assert agent.wait() == 0
    assert {told(task)["errorId"] for task in tasks} == {"AgentStopped"}


def test_beyond_the_bound_no_task_is_taken(service, start, told, await_condition, tmp_path):
    agent = start("--tasks=1", DUCTRUNNER_AGENT_MAXIMUM_PRECONDITIONS="1")
    first = service.hand_out(KIND, "First", command="exit 1", retryDelay="1 hour")
    assert agent.wait_for("intake_held")["reason"] == "preconditions"
    second = service.hand_out("ShellCommandActivity", "Second", command="exit 0")
    await_condition(lambda: "lastRetryTime" in service.reports[first], "the first to wait")
    assert second not in service.reports
    service.canceled.add(first)
    assert told(second)["taskStatus"] == "FINISHED"


def test_the_same_one_delivered_again_goes_on_under_its_new_handle(service, start, told, await_condition, tmp_path):
    count = tmp_path / "count"
    agent, _ = waiting(service, start, await_condition, count)
    service.hand_out(KIND, "Waits", command=counted(count), retryDelay="1 hour")
    agent.wait_for("task_delivered_twice")
    assert runs(count) == 1
