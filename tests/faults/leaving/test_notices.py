"""EC2 wants the machine back: what a real agent does in the time that is left."""

from __future__ import annotations

import signal
import time
from pathlib import Path

import pytest

from tests.integration.agent.conftest import Bench


def _command(bench: Bench) -> tuple[str, Path]:
    """Return a command that runs until the file is there that is returned with it."""
    go = bench.directory / "go"
    return f"while ! [ -e {go} ]; do sleep 0.05; done; echo done", go


def test_an_idle_agent_leaves_a_spot_instance_at_once(bench, machine):
    agent = machine.agent()
    agent.wait_for("agent_started")
    machine.control("spot", seconds=120)
    assert agent.wait() == 0
    assert agent.events("draining")[0]["reason"] == "spot"
    notice = agent.events("notice")[0]
    assert notice["kind"] == "spot"
    assert notice["seconds"] > 100


def test_an_attempt_that_is_done_in_time_finishes(bench, machine):
    command, go = _command(bench)
    pipeline = bench.shell(command)
    agent = machine.agent()
    agent.wait_for("task_started")
    machine.control("spot", seconds=120)
    agent.wait_for("draining")
    later = bench.shell("true")
    go.touch()
    assert agent.wait() == 0
    assert bench.ended(pipeline)["@status"] == "FINISHED"
    [waiting] = bench.attempts(later)
    assert waiting["@status"] == "WAITING_FOR_RUNNER"


def test_an_attempt_that_takes_too_long_is_ended_reported_and_its_logs_are_kept(bench, machine, s3_bucket, s3_client):
    pipeline = bench.shell("echo begun; sleep 600", pipelineLogUri=f"s3://{s3_bucket}/logs")
    agent = machine.agent()
    agent.wait_for("task_started")
    machine.control("spot", seconds=3)
    assert agent.wait() == 0
    ended = bench.ended(pipeline)
    assert ended["errorId"] == "AgentStopped"
    assert "EC2 reclaims this spot instance" in ended["errorMessage"]
    keys = [entry["Key"] for entry in s3_client.list_objects_v2(Bucket=s3_bucket)["Contents"]]
    [key] = [key for key in keys if key.endswith("StdOutput")]
    assert s3_client.get_object(Bucket=s3_bucket, Key=key)["Body"].read() == b"begun\n"


def test_the_reserve_is_kept_for_reports(bench, machine):
    pipeline = bench.shell("sleep 600")
    agent = machine.agent(DUCTRUNNER_AGENT_NOTICE_RESERVE="100")
    agent.wait_for("task_started")
    machine.control("spot", seconds=101)
    assert agent.wait() == 0
    assert bench.ended(pipeline)["errorId"] == "AgentStopped"


def test_a_later_nearer_notice_shortens_the_time(bench, machine):
    pipeline = bench.shell("sleep 600")
    agent = machine.agent()
    agent.wait_for("task_started")
    machine.control("rebalance")
    agent.wait_for("draining")
    machine.control("spot", action="hibernate", seconds=0)
    assert agent.wait() == 0
    assert bench.ended(pipeline)["errorId"] == "AgentStopped"
    assert [line["kind"] for line in agent.events("notice")] == ["rebalance", "spot"]


def test_a_withdrawn_notice_gives_the_attempt_its_time_back(bench, machine, await_condition):
    command, go = _command(bench)
    pipeline = bench.shell(command)
    agent = machine.agent()
    agent.wait_for("task_started")
    end = time.monotonic() + 3
    machine.control("spot", seconds=3)
    agent.wait_for("draining")
    machine.control("spot", "DELETE")
    agent.wait_for("notice_withdrawn")
    await_condition(lambda: time.monotonic() > end + 0.5, "the moment of the notice")
    go.touch()
    assert agent.wait() == 0
    assert not agent.events("hurrying")
    assert bench.ended(pipeline)["@status"] == "FINISHED"


def test_rebalance_can_be_ignored(bench, machine):
    agent = machine.agent(DUCTRUNNER_AGENT_REBALANCE="ignore")
    agent.wait_for("agent_started")
    machine.control("rebalance")
    pipeline = bench.shell("sleep 0.5")
    assert bench.ended(pipeline)["@status"] == "FINISHED"
    assert not agent.events("draining")


def test_notices_can_be_switched_off(bench, machine):
    machine.control("spot", seconds=60)
    agent = machine.agent(DUCTRUNNER_AGENT_INSTANCE_NOTICES="off")
    assert bench.ended(bench.shell("true"))["@status"] == "FINISHED"
    assert not agent.events("notice")


def test_where_metadata_are_disabled_nobody_asks(bench, machine):
    machine.control("spot", seconds=60)
    machine.agent(AWS_EC2_METADATA_DISABLED="true", DUCTRUNNER_AGENT_INSTANCE_NOTICES="on")
    assert bench.ended(bench.shell("true"))["@status"] == "FINISHED"
    assert machine.control("instance", "GET")["answers"] == {}


def test_an_agent_that_starts_on_a_machine_with_a_notice_takes_nothing_until_it_is_taken_back(bench, machine):
    machine.control("spot", seconds=3600)
    pipeline = bench.shell("true")
    agent = machine.agent()
    assert "EC2 reclaims" in agent.wait_for("intake_held")["why"]
    agent.wait_for("agent_started")
    [waiting] = bench.attempts(pipeline)
    assert waiting["@status"] == "WAITING_FOR_RUNNER"
    machine.control("spot", "DELETE")
    agent.wait_for("intake_released")
    assert bench.ended(pipeline)["@status"] == "FINISHED"


def test_a_held_agent_can_be_stopped(bench, machine):
    machine.control("spot", seconds=3600)
    agent = machine.agent()
    agent.wait_for("agent_started")
    agent.process.terminate()
    assert agent.wait() == 0


@pytest.mark.parametrize(
    "fault",
    [{"fault": "error", "status": 500}, {"fault": "error", "status": 403}, {"fault": "drop"}, {"fault": "delay"}],
    ids=lambda fault: "-".join(map(str, fault.values())),
)
def test_an_unwell_metadata_service_disturbs_nothing_and_is_believed_again_afterwards(bench, machine, fault):
    machine.control("fault", **fault)
    agent = machine.agent()
    assert bench.ended(bench.shell("true"))["@status"] == "FINISHED"
    agent.wait_for("notices_unreadable")
    machine.control("fault", "DELETE")
    agent.wait_for("notices_readable")
    machine.control("spot", seconds=60)
    assert agent.wait() == 0
    assert agent.events("draining")[0]["reason"] == "spot"


@pytest.mark.parametrize("text", ["<html>", "[]", '{"action": "terminate"}', '{"action": "terminate", "time": "soon"}'])
def test_garbage_in_one_item_hides_no_notice_in_another(bench, machine, text):
    machine.control("raw", path="meta-data/spot/instance-action", text=text)
    agent = machine.agent()
    agent.wait_for("notices_unreadable")
    assert bench.ended(bench.shell("true"))["@status"] == "FINISHED"
    machine.control("rebalance")
    assert agent.wait() == 0
    assert agent.events("draining")[0]["reason"] == "rebalance"


def test_a_metadata_service_that_disappears_ends_nothing(bench, machine):
    agent = machine.agent()
    agent.wait_for("agent_started")
    machine.part.stop()
    agent.wait_for("notices_unreadable")
    assert bench.ended(bench.shell("true"))["@status"] == "FINISHED"


def test_a_token_that_is_not_good_any_more_is_renewed(bench, machine):
    agent = machine.agent()
    agent.wait_for("agent_started")
    machine.control("tokens")
    machine.control("spot", seconds=60)
    assert agent.wait() == 0
    assert not agent.events("notices_unreadable")


def test_termination_waits_for_the_attempt_and_goes_on_after_it(bench, machine):
    instance = machine.launch(drain=1)
    command, go = _command(bench)
    pipeline = bench.shell(command)
    agent = machine.agent()
    agent.wait_for("task_started")
    machine.terminate(instance)
    agent.wait_for("lifecycle_heartbeat", count=6)  # of a hook that would have let go after the third
    assert machine.state(instance) == "Terminating:Wait"
    go.touch()
    assert agent.wait() == 0
    assert bench.ended(pipeline)["@status"] == "FINISHED"
    assert agent.events("lifecycle_completed")[0]["waited"] is True
    assert machine.state(instance) is None


def test_every_hook_is_completed_when_there_was_nothing_to_do(bench, machine):
    instance = machine.launch(first=300, second=300)
    agent = machine.agent()
    agent.wait_for("agent_started")
    machine.terminate(instance)
    assert agent.wait() == 0
    assert {line["hook"] for line in agent.events("lifecycle_completed")} == {"first", "second"}
    assert machine.state(instance) is None


def test_only_the_named_hook_is_completed(bench, machine):
    instance = machine.launch(ours=300, theirs=300)
    agent = machine.agent(DUCTRUNNER_AGENT_LIFECYCLE_HOOK="ours")
    agent.wait_for("agent_started")
    machine.terminate(instance)
    assert agent.wait() == 0
    assert [line["hook"] for line in agent.events("lifecycle_completed")] == ["ours"]
    assert machine.state(instance) == "Terminating:Wait"


def test_a_machine_that_no_hook_holds_back_ends_its_attempts_at_once(bench, machine):
    machine.launch()
    pipeline = bench.shell("sleep 600")
    agent = machine.agent()
    agent.wait_for("task_started")
    machine.control("lifecycle", state="Terminated")
    assert agent.wait() == 0
    assert "Auto Scaling takes this instance out of service" in bench.ended(pipeline)["errorMessage"]


def test_the_action_is_completed_when_a_signal_came_first(bench, machine):
    instance = machine.launch(drain=300)
    agent = machine.agent(DUCTRUNNER_AGENT_NOTICE_INTERVAL="600")
    agent.wait_for("agent_started")
    machine.terminate(instance)
    agent.process.terminate()
    assert agent.wait() == 0
    assert machine.state(instance) is None


def test_an_agent_that_is_started_again_completes_what_a_dead_one_has_left(bench, machine, sleeper):
    instance = machine.launch(drain=300)
    inside = sleeper()
    bench.shell(inside.command)
    agent = machine.agent()
    inside.wait_for(1)
    machine.terminate(instance)
    agent.wait_for("lifecycle_heartbeat")
    agent.process.send_signal(signal.SIGKILL)
    agent.wait()
    again = machine.agent()
    again.wait_for("lifecycle_completed")
    assert again.process.poll() is None
    assert machine.state(instance) is None
    inside.wait_for(0)


def test_the_last_agent_of_a_machine_lets_it_go(bench, machine):
    instance = machine.launch(drain=300)
    command, go = _command(bench)
    pipeline = bench.shell(command)
    busy = machine.agent("--tasks=1")
    busy.wait_for("task_started")
    idle = machine.agent("--tasks=1")
    idle.wait_for("agent_started")
    machine.terminate(instance)
    assert idle.wait() == 0
    assert idle.events("lifecycle_left")
    assert machine.state(instance) == "Terminating:Wait"
    go.touch()
    assert busy.wait() == 0
    assert bench.ended(pipeline)["@status"] == "FINISHED"
    assert machine.state(instance) is None


def test_agents_of_a_machine_are_called_after_it_and_numbered(bench, machine):
    first = machine.agent()
    one = first.wait_for("agent_started")["taskrunner_id"]
    second = machine.agent()
    two = second.wait_for("agent_started")["taskrunner_id"]
    assert (one, two) == ("i-0123456789abcdef0-0", "i-0123456789abcdef0-1")
    first.process.kill()
    first.wait()
    assert machine.agent().wait_for("agent_started")["taskrunner_id"] == one


def test_auto_scaling_that_cannot_be_reached_is_asked_again(machine):
    instance = machine.launch(drain=300)
    agent = machine.agent(AWS_ENDPOINT_URL_AUTO_SCALING="http://127.0.0.1:9")
    agent.wait_for("agent_started")
    machine.terminate(instance)
    agent.wait_for("lifecycle_not_completed", count=2)
    agent.process.terminate()
    assert agent.wait() == 0
    assert machine.state(instance) == "Terminating:Wait"
