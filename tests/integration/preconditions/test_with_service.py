"""Preconditions from the service to the worker and back."""

from __future__ import annotations

WORK = {"id": "Work", "type": "ShellCommandActivity", "command": "echo done", "maximumRetries": "0"}
READY = {"id": "Ready", "type": "ShellCommandPrecondition", "retryDelay": "0 seconds", "maximumRetries": "0"}


def attempts_of(bench, pipeline, name):
    return [entry for entry in bench.attempts(pipeline) if entry["id"].startswith(f"@{name}_")]


def ended_as(bench, pipeline, name, await_condition):
    """The attempt of this component, once it has ended."""

    def ended():
        return [entry for entry in attempts_of(bench, pipeline, name) if entry["@status"] in {"FINISHED", "FAILED"}]

    return await_condition(ended, f"the end of {name}")[-1]


def test_an_activity_begins_when_its_precondition_is_true(served, await_condition, tmp_path):
    marker = tmp_path / "marker"
    command = f"echo x >> {marker}; test $(wc -l < {marker}) -ge 2"
    pipeline = served.run({**READY, "command": command}, {**WORK, "precondition": {"ref": "Ready"}})
    assert ended_as(served, pipeline, "Work", await_condition)["@status"] == "FINISHED"
    [ready] = attempts_of(served, pipeline, "Ready")
    assert (ready["@status"], ready["currentRetryCount"]) == ("FINISHED", "2")


def test_an_activity_whose_precondition_is_never_true_does_not_begin(served, await_condition):
    ready = {**READY, "command": "exit 1", "preconditionTimeout": "1 second"}
    pipeline = served.run(ready, {**WORK, "precondition": {"ref": "Ready"}})
    ended = ended_as(served, pipeline, "Ready", await_condition)
    assert (ended["@status"], ended["errorId"]) == ("FAILED", "PreconditionFalse"), ended
    assert attempts_of(served, pipeline, "Work") == []


def pipeline_with_node(bench, s3_bucket):
    node = {"id": "In", "type": "S3DataNode", "filePath": f"s3://{s3_bucket}/in.csv", "precondition": {"ref": "There"}}
    there = {"id": "There", "type": "Exists", "retryDelay": "0 seconds"}
    return bench.run(there, node, {**WORK, "input": {"ref": "In"}})


def test_a_data_node_is_waited_for(served, s3_client, s3_bucket, await_condition):
    pipeline = pipeline_with_node(served, s3_bucket)
    log = f"logs/{pipeline}/There/*/*/StdOutput"
    await_condition(lambda: any("not there" in path.read_text() for path in served.worker.output.glob(log)), "a look")
    assert attempts_of(served, pipeline, "Work") == []
    s3_client.put_object(Bucket=s3_bucket, Key="in.csv", Body=b"x")
    assert ended_as(served, pipeline, "Work", await_condition)["@status"] == "FINISHED"


def test_a_data_node_that_does_not_come_with_the_task_is_asked_for(
    attempt_only_bench,
    s3_client,
    s3_bucket,
    await_condition,
):
    s3_client.put_object(Bucket=s3_bucket, Key="in.csv", Body=b"x")
    attempt_only_bench.agent()
    pipeline = pipeline_with_node(attempt_only_bench, s3_bucket)
    assert ended_as(attempt_only_bench, pipeline, "Work", await_condition)["@status"] == "FINISHED"
