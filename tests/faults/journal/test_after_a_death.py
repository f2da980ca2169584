"""The agent that starts after a death says at once how the attempts of the dead one ended, and ends what runs on."""

from __future__ import annotations

import psutil


def kill_all(agent):
    """Kill the agent and everything that it has started: nobody is left to tidy up."""
    first = psutil.Process(agent.process.pid)
    family = [first, *first.children(recursive=True)]
    for process in family:
        process.suspend()  # or the guard would see the agent's end, and end the others before us
    for process in family:
        process.kill()
    agent.process.wait()


def kill_agent_and_guard(agent):
    """Kill the agent together with its guard; the commands of its attempts live."""
    for child in psutil.Process(agent.process.pid).children():
        if "guard_process" in " ".join(child.cmdline()):
            child.kill()
    agent.process.kill()
    agent.process.wait()


def journal_files(agent):
    return [path for path in agent.output.glob("journal/*/*") if "-" in path.name]


def test_an_interrupted_attempt_is_reported_as_failed_at_once(bench, sleeper):
    inside = sleeper()
    pipeline = bench.shell(f"echo begun >&2; {inside.command}")
    first = bench.agent()
    inside.wait_for(1)
    kill_all(first)
    second = bench.agent()
    attempt = bench.ended(pipeline)
    assert (attempt["@status"], attempt["errorId"]) == ("FAILED", "AttemptInterrupted")
    assert "died while Work was running" in attempt["errorMessage"]
    assert "StdError" not in attempt["errorMessage"]
    assert "/output/logs/" in attempt["errorMessage"]
    recovered = second.wait_for("attempt_recovered")
    assert recovered["status"] == "failed"
    assert journal_files(second) == []


def test_the_service_tries_an_interrupted_attempt_again_without_waiting(bench, sleeper, await_condition):
    inside = sleeper()
    marker = bench.directory / "second"
    pipeline = bench.shell(f"test -e {marker} && exit 0; touch {marker}; {inside.command}", maximumRetries="1")
    first = bench.agent()
    inside.wait_for(1)
    kill_all(first)
    bench.agent()
    assert bench.ended(pipeline, 2)["@status"] == "FINISHED"


def test_an_end_that_was_owed_is_delivered_as_it_was(bench, await_condition):
    pipeline = bench.shell("exit 7")
    bench.control("faults", operation="SetTaskStatus", fault="error", count=10_000)
    first = bench.agent()
    first.wait_for("status_failed")
    kill_all(first)
    bench.control_delete("faults")
    second = bench.agent()
    second.wait_for("attempt_recovered")
    attempt = bench.ended(pipeline)
    assert attempt["errorId"] == "CommandFailed"
    assert attempt["errorMessage"].startswith("the command ended with exit status 7")
    assert journal_files(second) == []


def test_an_end_that_was_delivered_before_the_death_counts_once(bench, await_condition):
    pipeline = bench.shell("true")
    bench.control("faults", operation="SetTaskStatus", fault="drop-after", count=10_000)
    first = bench.agent()
    first.wait_for("status_failed")
    kill_all(first)
    bench.control_delete("faults")
    assert bench.ended(pipeline)["@status"] == "FINISHED"
    second = bench.agent()
    assert second.wait_for("attempt_recovered")["status"] == "finished"
    assert [attempt["@status"] for attempt in bench.attempts(pipeline)] == ["FINISHED"]


def test_what_outlived_agent_and_guard_is_ended_before_the_first_poll(bench, sleeper):
    inside, apart = sleeper(), sleeper()
    pipeline = bench.shell(f"setsid {apart.command} & {inside.command}")
    first = bench.agent()
    inside.wait_for(1)
    apart.wait_for(1)
    kill_agent_and_guard(first)
    second = bench.agent()
    second.wait_for("journal_taken_over")
    assert inside.processes() == apart.processes() == []
    assert bench.ended(pipeline)["errorId"] == "AttemptInterrupted"
    assert list(second.output.glob("tmp/*")) == []


def test_the_logs_of_an_interrupted_attempt_reach_s3(bench, sleeper, s3_client, s3_bucket, await_condition):
    inside = sleeper()
    pipeline = bench.shell(f"echo begun; {inside.command}", pipelineLogUri=f"s3://{s3_bucket}/logs")
    first = bench.agent()
    inside.wait_for(1)
    await_condition(lambda: "begun" in bench.log_of(pipeline), "the output")
    kill_all(first)
    bench.agent()

    def uploaded():
        return s3_client.list_objects_v2(Bucket=s3_bucket, Prefix=f"logs/{pipeline}/").get("Contents")

    keys = [entry["Key"] for entry in await_condition(uploaded, "the logs in S3")]
    assert f"s3://{s3_bucket}/logs/{pipeline}" in bench.ended(pipeline)["errorMessage"]
    [stdout] = [key for key in keys if key.endswith("StdOutput")]
    assert s3_client.get_object(Bucket=s3_bucket, Key=stdout)["Body"].read() == b"begun\n"


def test_a_living_agent_of_the_same_directory_is_left_alone(bench, sleeper):
    inside = sleeper()
    bench.shell(inside.command)
    first = bench.agent("--tasks=1")
    inside.wait_for(1)
    second = bench.agent("--tasks=1", "--once")
    bench.shell("true")
    assert second.wait() == 0
    assert second.events("journal_taken_over") == []
    assert len(inside.processes()) == 1
    assert len(journal_files(first)) == 1


def test_past_the_ownership_window_nothing_is_reported(bench, sleeper):
    """The service has given the task to somebody else by then, perhaps under the same handle."""
    inside = sleeper()
    pipeline = bench.shell(inside.command)
    first = bench.agent()
    inside.wait_for(1)
    kill_all(first)
    second = bench.agent(DUCTRUNNER_AGENT_OWNERSHIP_WINDOW="0.001")
    assert second.wait_for("attempt_recovered")["status"] == "not_taken"
    assert [attempt["@status"] for attempt in bench.attempts(pipeline)] == ["RUNNING"]
    assert journal_files(second) == []


def test_the_tasks_of_another_service_are_left_for_an_agent_of_that_one(bench, sleeper):
    inside = sleeper()
    pipeline = bench.shell(inside.command)
    first = bench.agent()
    inside.wait_for(1)
    kill_all(first)
    stranger = bench.agent(AWS_ENDPOINT_URL_DATA_PIPELINE="http://127.0.0.1:9")
    stranger.wait_for("journal_of_another_service")
    stranger.process.terminate()
    assert stranger.wait() == 0
    assert len(journal_files(stranger)) == 1
    bench.agent()
    assert bench.ended(pipeline)["errorId"] == "AttemptInterrupted"


def test_a_service_that_is_away_when_the_next_agent_starts_is_told_when_it_is_back(bench, sleeper):
    inside = sleeper()
    pipeline = bench.shell(inside.command)
    first = bench.agent()
    inside.wait_for(1)
    kill_all(first)
    bench.control("faults", operation="SetTaskStatus", fault="error", count=3)
    second = bench.agent()
    second.wait_for("status_failed", count=3)
    assert second.wait_for("attempt_recovered")["status"] == "failed"
    assert bench.ended(pipeline)["errorId"] == "AttemptInterrupted"


def test_a_good_end_leaves_no_journal(bench):
    bench.shell("true")
    agent = bench.agent("--once")
    assert agent.wait() == 0
    assert list(agent.output.glob("journal/*")) == []


def test_a_disk_without_room_for_the_journal_refuses_the_task_by_name(bench, mount_disk):
    place = mount_disk(bench.directory / "output", "size=28k")
    pipeline = bench.shell("true")
    agent = bench.agent("--once", DUCTRUNNER_AGENT_MINIMUM_FREE_DISK="0")
    agent.wait_for("agent_started")
    assert bench.ended(pipeline)["errorId"] == "DiskFull"
    assert agent.wait() == 0
    assert list(place.glob("staging/*")) == []


def test_the_journal_is_private(bench, sleeper):
    inside = sleeper()
    bench.shell(inside.command)
    agent = bench.agent()
    inside.wait_for(1)
    [path] = journal_files(agent)
    assert path.stat().st_mode & 0o077 == 0
    assert path.parent.stat().st_mode & 0o077 == 0
