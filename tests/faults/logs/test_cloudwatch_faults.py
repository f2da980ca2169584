"""CloudWatch Logs is away, slow, forbidden or forgetful; a task never notices, and no line is lost."""

from __future__ import annotations

import signal
import threading
import time

import psutil

from tests.faults.logs.strict_logs import HOUR, Refused
from tests.integration.agent.conftest import eventually


def test_an_outage_delays_lines_and_loses_none(log_bench, logs):
    logs.mood = lambda _: "drop"
    agent = log_bench.agent()
    pipeline = log_bench.bench.shell("for n in $(seq 500); do echo line $n; done")
    assert log_bench.bench.ended(pipeline)["@status"] == "FINISHED"
    agent.wait_for("logs_not_shipped")
    logs.mood = lambda _: None
    log_bench.await_messages([f"line {n}" for n in range(1, 501)])
    agent.wait_for("logs_shipped_again")
    assert len(agent.events("logs_not_shipped")) == 1


def test_a_lost_answer_may_repeat_its_batch_and_nothing_else(log_bench, logs):
    lost = threading.Event()

    def once(operation: str) -> str | None:
        if operation == "PutLogEvents" and logs.names("tasks/") and not lost.is_set():
            lost.set()
            return "lose"
        return None

    logs.mood = once
    log_bench.agent()
    log_bench.bench.ended(log_bench.bench.shell("seq 300"))
    log_bench.await_text("300")
    expected = {str(n) for n in range(1, 301)}
    eventually(lambda: set(logs.messages()) == expected or None, "every line")
    assert len(logs.messages()) <= 600


def test_throttling_and_server_errors_are_passed_by(log_bench, logs):
    answers = iter([(400, "ThrottlingException"), (500, "InternalFailure"), (503, "ServiceUnavailableException")])

    def unwell(_: str) -> None:
        if (answer := next(answers, None)) is not None:
            raise Refused(*answer)

    logs.mood = unwell
    log_bench.agent()
    log_bench.bench.shell("echo through")
    log_bench.await_messages(["through"])


def test_a_missing_permission_is_said_once_with_what_to_allow_and_the_task_finishes(log_bench, logs):
    def denied(_: str) -> None:
        raise Refused(400, "AccessDeniedException")

    logs.mood = denied
    agent = log_bench.agent()
    for _ in range(2):
        pipeline = log_bench.bench.shell("echo x")
        assert log_bench.bench.ended(pipeline)["@status"] == "FINISHED"
    told = agent.wait_for("logs_not_shipped")
    assert "logs:PutLogEvents" in told["advice"]
    calls = len(logs.calls)
    log_bench.bench.ended(log_bench.bench.shell("echo y; sleep 1"))
    assert len(logs.calls) == calls
    assert len(agent.events("logs_not_shipped")) == 1


def test_a_drain_does_not_wait_for_a_service_that_is_away(log_bench, logs):
    logs.mood = lambda _: "drop"
    agent = log_bench.agent()
    log_bench.bench.ended(log_bench.bench.shell("echo x"))
    agent.wait_for("logs_not_shipped")
    began = time.monotonic()
    agent.process.send_signal(signal.SIGTERM)
    assert agent.wait() == 0
    assert time.monotonic() - began < 10  # far below the half minute that a hanging call would last


def test_a_deleted_group_is_made_again(log_bench, logs, tmp_path):
    gate = tmp_path / "gate"
    log_bench.agent()
    log_bench.bench.shell(f"echo before; while ! test -e {gate}; do sleep 0.05; done; echo after")
    log_bench.await_messages(["before"])
    with logs.lock:
        logs.groups.clear()
        logs.streams.clear()
    gate.touch()
    log_bench.await_messages(["after"])


def test_expired_lines_are_sent_again_with_the_time_of_now(log_bench, logs):
    logs.retention = 1 / 86_400  # what is older than a second is not taken any more
    logs.mood = lambda _: "drop"
    agent = log_bench.agent()
    log_bench.bench.ended(log_bench.bench.shell("echo precious"))
    agent.wait_for("logs_not_shipped")
    [path] = agent.output.glob("logs/*/Work/*/*/StdOutput")
    eventually(lambda: time.time() - path.stat().st_mtime > 1.5, "the line to expire")
    logs.mood = lambda _: None
    log_bench.await_messages(["precious"])


def test_a_machine_whose_clock_is_three_hours_ahead_sends_times_of_the_service(log_bench, logs):
    logs.ahead = -3 * 3600.0  # what is taken for now here is more than 2 hours in its future
    log_bench.agent()
    log_bench.bench.shell("echo on time")
    log_bench.await_messages(["on time"])
    [event] = logs.events()
    assert abs(event["timestamp"] - logs.now() * 1000) < HOUR


def test_after_kill_9_the_next_agent_sends_what_was_left(log_bench, logs):
    logs.mood = lambda operation: "drop"
    agent = log_bench.agent()
    log_bench.bench.shell("echo before the end; sleep 1000")
    path = eventually(lambda: next(agent.output.glob("logs/*/Work/*/*/StdOutput"), None), "the local log")
    eventually(lambda: path.read_text() or None, "the line in the local log")
    agent.wait_for("logs_not_shipped")
    agent.process.kill()
    agent.process.wait()
    logs.mood = lambda _: None
    second = log_bench.agent()
    second.wait_for("agent_started")
    log_bench.await_messages(["before the end"])
    log_bench.await_text("logs_not_shipped", "agent/")  # the first agent's own lines come too
    eventually(lambda: len([*second.output.glob("shipping/*")]) == 1, "the notes of the first agent to go")
    second.process.send_signal(signal.SIGTERM)
    assert second.wait() == 0
    own_lines = logs.messages("agent/")
    assert len(own_lines) == len(set(own_lines)) == len(agent.text.splitlines()) + len(second.text.splitlines())
    assert [*second.output.glob("shipping/*")] == []


def test_beyond_the_backlog_limit_the_oldest_is_dropped_and_a_line_says_so(log_bench, logs):
    logs.mood = lambda _: "drop"
    agent = log_bench.agent(DUCTRUNNER_LOGGING_BACKLOG_LIMIT="20000")
    log_bench.bench.ended(log_bench.bench.shell("for n in $(seq 10000); do echo line $n; done"))
    agent.wait_for("log_backlog_dropped")
    logs.mood = lambda _: None
    log_bench.await_text("line 10000")
    first, *rest = logs.messages()
    assert "bytes are left out here" in first
    assert "logging.backlog_limit" in first
    assert rest == [f"line {n}" for n in range(10001 - len(rest), 10001)]
    assert len(rest) < 5000


def test_neither_much_output_nor_an_outage_grows_the_agent(log_bench, logs):
    logs.mood = lambda _: "drop"
    agent = log_bench.agent()
    log_bench.bench.ended(log_bench.bench.shell("echo warm up"))
    agent.wait_for("logs_not_shipped")
    before = psutil.Process(agent.process.pid).memory_info().rss
    pipeline = log_bench.bench.shell("head -c 200000000 /dev/zero | tr '\\0' x; seq 1000000")
    assert log_bench.bench.ended(pipeline)["@status"] == "FINISHED"
    [path] = agent.output.glob(f"logs/{pipeline}/Work/*/*/StdOutput")
    assert path.stat().st_size > 206_000_000
    assert psutil.Process(agent.process.pid).memory_info().rss - before < 16 * 1024 * 1024


def test_limits_hold_for_binary_and_endless_lines_of_a_real_command(log_bench, logs):
    log_bench.agent()
    pipeline = log_bench.bench.shell(
        "head -c 3000000 /dev/urandom; head -c 2000000 /dev/zero | tr '\\0' y; echo; echo end"
    )
    assert log_bench.bench.ended(pipeline)["@status"] == "FINISHED"
    eventually(lambda: logs.messages()[-1:] == ["end"], "the last line")
    assert sum(message.count("y") for message in logs.messages()) >= 2_000_000
