"""What attempts print and what the agent says, in CloudWatch Logs."""

from __future__ import annotations

import json
import signal
import socket


def test_the_output_of_an_attempt_is_in_its_stream_while_it_runs(bench, streams, tmp_path):
    gate = tmp_path / "gate"
    bench.agent()
    pipeline = bench.shell(f"echo first; echo second >&2; while ! test -e {gate}; do sleep 0.05; done; echo third")
    stream = streams.of(pipeline)
    streams.await_messages(stream, lambda found: found == ["first", "second"])
    assert bench.attempts(pipeline)[0]["@status"] == "RUNNING"
    gate.touch()
    streams.await_messages(stream, lambda found: found == ["first", "second", "third"])


def test_a_stream_is_named_for_pipeline_component_and_attempt_without_colons(bench, streams):
    bench.agent()
    pipeline = bench.shell("echo x")
    attempt = bench.ended(pipeline)["id"]
    assert streams.of(pipeline) == f"tasks/{pipeline}/Work/{attempt.replace(':', '-')}"
    assert ":" in attempt


def test_an_attempt_without_output_has_no_stream(bench, streams):
    bench.agent()
    silent, loud = bench.shell("true"), bench.shell("echo x")
    bench.ended(silent)
    streams.of(loud)
    assert streams.names(f"tasks/{silent}") == []


def test_the_agents_own_lines_are_in_a_stream_of_its_host_to_the_last(bench, streams):
    agent = bench.agent()
    agent.wait_for("agent_started")
    agent.process.send_signal(signal.SIGTERM)
    assert agent.wait() == 0
    lines = [json.loads(message) for message in streams.messages(f"agent/{socket.gethostname()}")]
    actions = [line["action"] for line in lines]
    assert actions[0] == "agent_started"
    assert actions[-1] == "agent_stopped"


def test_switched_off_nothing_is_asked_of_cloudwatch(bench, streams):
    bench.agent(DUCTRUNNER_LOGGING_CLOUDWATCH="false")
    bench.ended(bench.shell("echo x"))
    bench.worker.process.send_signal(signal.SIGTERM)
    assert bench.worker.wait() == 0
    assert streams.names() == []
    assert not (bench.worker.output / "shipping").exists()
