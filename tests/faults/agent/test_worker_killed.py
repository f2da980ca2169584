"""kill -9 of the worker in each phase of an attempt: another machine finishes it, nothing is left of the first."""

from __future__ import annotations

import socket
import threading

import pytest


@pytest.fixture
def silent_s3():
    """The address of an S3 that takes connections and never answers, and the event that one has come."""
    server = socket.create_server(("127.0.0.1", 0))
    connected, kept = threading.Event(), []

    def accept():
        while True:
            try:
                kept.append(server.accept()[0])
            except OSError:
                return
            connected.set()

    thread = threading.Thread(target=accept)
    thread.start()
    yield f"http://127.0.0.1:{server.getsockname()[1]}", connected
    server.shutdown(socket.SHUT_RDWR)
    server.close()
    thread.join()
    for connection in kept:
        connection.close()


@pytest.fixture
def staged_work(s3_client, s3_bucket):
    """The objects of an activity that copies its input to its output, and a function that reads what it has written."""
    s3_client.put_object(Bucket=s3_bucket, Key="in/a", Body=b"content")
    work = {"id": "Work", "type": "ShellCommandActivity", "stage": "true", "maximumRetries": "0"}
    work["command"] = "cp $INPUT1_STAGING_DIR/a $OUTPUT1_STAGING_DIR/b"
    objects = [
        {"id": "In", "type": "S3DataNode", "directoryPath": f"s3://{s3_bucket}/in"},
        {"id": "Out", "type": "S3DataNode", "directoryPath": f"s3://{s3_bucket}/out"},
        {**work, "input": {"ref": "In"}, "output": {"ref": "Out"}},
    ]
    return objects, lambda: s3_client.get_object(Bucket=s3_bucket, Key="out/b")["Body"].read()


@pytest.fixture
def finish_with_another(bench, await_condition):
    """Kill the worker, let the window pass, and let another one finish the pipeline."""

    def finish(pipeline):
        first = bench.worker
        first.process.kill()
        first.process.wait()
        await_condition(lambda: not list(first.output.glob("staging/*")), "the guard to remove what was staged")
        await_condition(lambda: not list(first.output.glob("tmp/*")), "the guard to remove the scripts")
        bench.control("clock", advance=301)
        second = bench.agent("--once", output="elsewhere")
        assert second.wait() == 0
        [ended] = second.events("task_ended")
        assert ended["status"] == "finished", ended
        attempt = bench.ended(pipeline)
        assert (attempt["@status"], attempt["id"][-1]) == ("FINISHED", "1")

    return finish


def test_killed_before_the_acknowledgement(bench, staged_work, finish_with_another, await_condition):
    objects, written = staged_work
    pipeline = bench.run(*objects)
    bench.control("faults", operation="ReportTaskProgress", fault="error", count=10_000)
    bench.agent()
    await_condition(lambda: "hostname" in next(iter(bench.attempts(pipeline)), {}), "the task to be handed over")
    bench.worker.process.kill()
    bench.control_delete("faults")
    finish_with_another(pipeline)
    assert written() == b"content"


def test_killed_while_staging_in(bench, staged_work, silent_s3, finish_with_another):
    objects, written = staged_work
    endpoint, connected = silent_s3
    pipeline = bench.run(*objects)
    bench.agent(AWS_ENDPOINT_URL_S3=endpoint)
    assert connected.wait(30)
    finish_with_another(pipeline)
    assert written() == b"content"


def test_killed_while_staging_out(bench, staged_work, silent_s3, finish_with_another):
    objects, written = staged_work
    endpoint, connected = silent_s3
    *nodes, work = objects
    del work["input"]
    work["command"] = "printf content > $OUTPUT1_STAGING_DIR/b"
    pipeline = bench.run(*nodes, work)
    bench.agent(AWS_ENDPOINT_URL_S3=endpoint)
    assert connected.wait(30)
    assert list(bench.worker.output.glob("staging/*/b"))
    finish_with_another(pipeline)
    assert written() == b"content"


def test_killed_before_the_status(bench, staged_work, finish_with_another):
    objects, written = staged_work
    pipeline = bench.run(*objects)
    bench.control("faults", operation="SetTaskStatus", fault="error", count=10_000)
    bench.agent().wait_for("status_failed")
    bench.worker.process.kill()
    bench.control_delete("faults")
    finish_with_another(pipeline)
    assert written() == b"content"
