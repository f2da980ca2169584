"""Dependencies, cascades, cancel, rerun, pause, deactivate: what happens between the instances of a run."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

CASCADE = {"failureAndRerunMode": "cascade", "maximumRetries": "0"}
NO_RETRY = {"maximumRetries": "0"}


def test_depends_on_orders_the_work_and_says_what_is_waited_for(
    service: Any, make_activity: Any, field_of: Any
) -> None:
    pipeline = service.run(
        make_activity("C", dependsOn=[">A", ">B"]), make_activity("A"), make_activity("B", dependsOn=">A")
    )
    assert service.statuses(pipeline) == {
        "C": "WAITING_ON_DEPENDENCIES",
        "A": "WAITING_FOR_RUNNER",
        "B": "WAITING_ON_DEPENDENCIES",
    }
    waiting = service.instance(pipeline, "C")
    waited_for = {entry["refValue"] for entry in waiting["fields"] if entry["key"] == "@waitingOn"}
    assert waited_for == {service.instance(pipeline, name)["id"] for name in "AB"}
    for expected in "ABC":
        task = service.take()
        assert task["attemptId"].startswith(f"@{expected}_")
        assert service.poll() is None
        service.finish(task)
    assert service.state(pipeline) == "FINISHED"


def test_a_shared_data_node_makes_the_reader_wait_for_the_writer(
    service: Any, make_activity: Any, make_object: Any
) -> None:
    node = make_object("Node", type="S3DataNode", directoryPath="s3://bucket/node")
    source = make_object("Source", type="S3DataNode", directoryPath="s3://bucket/source")
    pipeline = service.run(
        node, source, make_activity("Read", input=">Node"), make_activity("Write", input=">Source", output=">Node")
    )
    assert service.statuses(pipeline) == {
        "Read": "WAITING_ON_DEPENDENCIES",
        "Write": "WAITING_FOR_RUNNER",
        "Node": "WAITING_ON_DEPENDENCIES",
        "Source": "FINISHED",
    }
    service.finish(service.take())
    assert service.statuses(pipeline)["Node"] == "FINISHED"
    service.finish(service.take())
    assert service.state(pipeline) == "FINISHED"


def test_a_failure_cascades_to_all_consumers_and_one_rerun_brings_them_back(
    service: Any, make_activity: Any, make_object: Any, field_of: Any
) -> None:
    pipeline = service.run(
        make_activity("A", output=">Node"),
        make_activity("B", input=">Node"),
        make_activity("C", dependsOn=">B"),
        make_activity("Other"),
        make_object("Node", type="S3DataNode", directoryPath="s3://bucket/node"),
        default=CASCADE,
    )
    service.finish(service.take(), "FAILED")
    failed = {"A": "FAILED", "B": "CASCADE_FAILED", "C": "CASCADE_FAILED", "Node": "CASCADE_FAILED"}
    assert service.statuses(pipeline) == failed | {"Other": "WAITING_FOR_RUNNER"}
    assert field_of(service.instance(pipeline, "B"), "@cascadeFailedOn") == service.instance(pipeline, "A")["id"]
    service.finish(service.take())
    service.set_status(pipeline, "RERUN", "C")
    assert service.statuses(pipeline)["C"] == "CASCADE_FAILED"
    service.set_status(pipeline, "RERUN", "A")
    assert service.statuses(pipeline)["C"] == "WAITING_ON_DEPENDENCIES"
    for expected in "ABC":
        task = service.take()
        assert task["attemptId"].startswith(f"@{expected}_")
        service.finish(task)
    assert service.state(pipeline) == "FINISHED"


def test_without_cascade_consumers_wait_until_the_failed_one_is_rerun(service: Any, make_activity: Any) -> None:
    pipeline = service.run(make_activity("A"), make_activity("B", dependsOn=">A"), default=NO_RETRY)
    service.finish(service.take(), "FAILED")
    assert service.statuses(pipeline) == {"A": "FAILED", "B": "WAITING_ON_DEPENDENCIES"}
    service.set_status(pipeline, "RERUN", "A")
    again = service.take()
    assert again["attemptId"].endswith("_Attempt=2")
    service.finish(again)
    assert service.take()["attemptId"].startswith("@B_")


def test_an_activity_waits_for_the_data_node_that_it_depends_on(
    service: Any, make_activity: Any, make_object: Any
) -> None:
    node = {"type": "S3DataNode", "directoryPath": "s3://bucket/x"}
    pipeline = service.run(
        make_activity("Write", output=">Node"),
        make_object("Node", **node),
        make_object("Later", **node, dependsOn=">Node"),
        make_activity("Read", dependsOn=">Node"),
        make_activity("ReadLater", dependsOn=">Later"),
    )
    waiting = ("Node", "Read", "ReadLater")
    statuses = service.statuses(pipeline)
    assert {statuses[name] for name in waiting} == {"WAITING_ON_DEPENDENCIES"}
    service.finish(service.take())
    assert {service.take()["attemptId"].split("_")[0] for _ in range(2)} == {"@Read", "@ReadLater"}


def test_an_attempt_stands_for_its_instance_when_a_status_is_set(service: Any, make_activity: Any) -> None:
    pipeline = service.run(make_activity("A", maximumRetries="0"), make_activity("B", maximumRetries="0"))
    failed, running = service.take(), service.take()
    service.finish(failed, "FAILED")
    service.acknowledge(running)
    service.client.set_status(pipelineId=pipeline, objectIds=[failed["attemptId"]], status="RERUN")
    again = service.take()
    assert again["attemptId"] == failed["attemptId"].replace("=1", "=2")
    both = [running["attemptId"], running["attemptId"].partition("_Attempt")[0]]
    service.client.set_status(pipelineId=pipeline, objectIds=both, status="TRY_CANCEL")
    assert service.acknowledge(running) is True
    assert sorted(service.statuses(pipeline).values()) == ["CANCELED", "WAITING_FOR_RUNNER"]
    service.client.set_status(pipelineId=pipeline, objectIds=[again["attemptId"]], status="MARK_FINISHED")
    assert service.acknowledge(again) is True


def test_a_rerun_has_all_its_retries_again(service: Any, make_activity: Any) -> None:
    pipeline = service.run(make_activity("A", maximumRetries="1"))
    for _ in range(2):
        for _ in range(2):
            service.finish(service.take(), "FAILED")
            service.advance(601)
        assert service.poll() is None
        service.set_status(pipeline, "RERUN", "A")
    assert service.take()["attemptId"].endswith("_Attempt=5")


def test_what_runs_cannot_be_rerun(service: Any, make_activity: Any) -> None:
    pipeline = service.run(make_activity("A"))
    with pytest.raises(ClientError, match="has not ended"):
        service.set_status(pipeline, "RERUN", "A")


def test_cancel_of_a_running_task_reaches_its_worker(service: Any, make_activity: Any, field_of: Any) -> None:
    pipeline = service.run(make_activity("A"), make_activity("B", dependsOn=">A"), default=CASCADE)
    task = service.take()
    assert service.acknowledge(task) is False
    service.set_status(pipeline, "TRY_CANCEL", "A")
    assert service.acknowledge(task) is True
    service.finish(task, "FAILED")
    assert service.statuses(pipeline) == {"A": "CANCELED", "B": "CASCADE_FAILED"}
    assert field_of(service.instance(pipeline, "A"), "cancellationReason") is not None
    service.advance(86_400)
    assert service.poll() is None


def test_cancel_takes_a_waiting_task_out_of_the_queue(service: Any, make_activity: Any) -> None:
    pipeline = service.run(make_activity("A"), make_activity("B", dependsOn=">A"))
    service.set_status(pipeline, "TRY_CANCEL", "A", "B")
    assert service.poll() is None
    assert service.statuses(pipeline) == {"A": "CANCELED", "B": "CANCELED"}
    service.set_status(pipeline, "RERUN", "A")
    assert service.poll() is not None


def test_cancel_during_the_retry_delay_ends_the_retries(service: Any, make_activity: Any) -> None:
    pipeline = service.run(make_activity("A"))
    service.finish(service.take(), "FAILED")
    service.set_status(pipeline, "TRY_CANCEL", "A")
    service.advance(3600)
    assert service.poll() is None
    assert service.statuses(pipeline) == {"A": "CANCELED"}


def test_marking_a_failure_as_finished_lets_consumers_go_on(service: Any, make_activity: Any) -> None:
    pipeline = service.run(make_activity("A"), make_activity("B", dependsOn=">A"), default=NO_RETRY)
    service.finish(service.take(), "FAILED")
    service.set_status(pipeline, "MARK_FINISHED", "A")
    service.finish(service.take())
    assert service.statuses(pipeline) == {"A": "FINISHED", "B": "FINISHED"}
    assert service.state(pipeline) == "FINISHED"


def test_a_paused_component_starts_nothing_until_it_is_resumed(service: Any, make_activity: Any) -> None:
    pipeline = service.run(make_activity("A"), make_activity("B", dependsOn=">A"))
    pause = {"pipelineId": pipeline, "objectIds": ["A", "B"]}
    service.client.set_status(**pause, status="PAUSE")
    assert service.statuses(pipeline) == {"A": "PAUSED", "B": "PAUSED"}
    assert service.poll() is None
    service.client.set_status(**pause, status="RESUME")
    service.finish(service.take())
    assert service.take()["attemptId"].startswith("@B_")


def test_a_pause_holds_a_task_that_was_about_to_be_handed_out_again(service: Any, make_activity: Any) -> None:
    pipeline = service.run(make_activity("A"))
    lost = service.take()
    service.advance(121)
    service.client.set_status(pipelineId=pipeline, objectIds=["A"], status="PAUSE")
    with pytest.raises(ClientError):
        service.acknowledge(lost)
    service.advance(600)
    assert service.poll() is None
    service.client.set_status(pipelineId=pipeline, objectIds=["A"], status="RESUME")
    assert service.take()["attemptId"] == lost["attemptId"]


def test_status_is_refused_for_the_wrong_sphere_word_or_state(service: Any, make_activity: Any) -> None:
    pipeline = service.run(make_activity("A"))
    instance = service.instance(pipeline, "A")["id"]
    wrong = [
        ([instance], "PAUSE"),
        (["A"], "RERUN"),
        (["A", instance], "TRY_CANCEL"),
        (["A"], "STOP"),
        (["No"], "PAUSE"),
    ]
    wrong.append(([], "PAUSE"))
    for ids, status in wrong:
        with pytest.raises(ClientError) as caught:
            service.client.set_status(pipelineId=pipeline, objectIds=ids, status=status)
        assert caught.value.response["Error"]["Code"] == "InvalidRequestException"
    service.finish(service.take())
    with pytest.raises(ClientError, match="FINISHED"):
        service.client.set_status(pipelineId=pipeline, objectIds=[instance], status="RERUN")


def test_deactivation_cancels_what_runs_and_activation_goes_on(
    service: Any, make_activity: Any, make_object: Any
) -> None:
    once = make_object("Once", type="Schedule", period="1 day", occurrences="1", startAt="FIRST_ACTIVATION_DATE_TIME")
    pipeline = service.run(
        once,
        make_activity("A"),
        make_activity("B", dependsOn=">A"),
        default={"scheduleType": "cron", "schedule": ">Once"},
    )
    task = service.take()
    service.acknowledge(task)
    service.client.deactivate_pipeline(pipelineId=pipeline)
    assert service.acknowledge(task) is True
    assert service.state(pipeline) == "INACTIVE"
    assert service.statuses(pipeline) == {"A": "CANCELED", "B": "INACTIVE"}
    service.client.deactivate_pipeline(pipelineId=pipeline)
    service.client.activate_pipeline(pipelineId=pipeline)
    again = service.take()
    assert again["attemptId"].endswith("_Attempt=2")
    service.finish(again)
    service.finish(service.take())
    assert service.state(pipeline) == "FINISHED"


def test_deactivation_can_let_what_runs_finish(service: Any, make_activity: Any) -> None:
    pipeline = service.run(make_activity("A"), make_activity("B", dependsOn=">A"), make_activity("C"))
    task = service.take()
    service.client.deactivate_pipeline(pipelineId=pipeline, cancelActive=False)
    assert service.state(pipeline) == "DEACTIVATING"
    assert service.poll() is None
    assert service.acknowledge(task) is False
    service.finish(task)
    assert service.state(pipeline) == "INACTIVE"
    assert service.statuses(pipeline) == {"A": "FINISHED", "B": "INACTIVE", "C": "INACTIVE"}


def test_each_activation_of_an_on_demand_pipeline_is_a_run(service: Any, make_activity: Any) -> None:
    pipeline = service.run(make_activity("A"))
    service.finish(service.take())
    service.client.activate_pipeline(pipelineId=pipeline)
    service.client.activate_pipeline(pipelineId=pipeline)
    ids = service.ids(pipeline, "INSTANCE")
    assert len(ids) == len(set(ids)) == 3
    statuses = [
        next(each["stringValue"] for each in entry["fields"] if each["key"] == "@status")
        for entry in service.describe(pipeline, *ids)
    ]
    assert statuses == ["FINISHED", "CANCELED", "WAITING_FOR_RUNNER"]
    assert service.take()["attemptId"].startswith(ids[-1])
    assert service.poll() is None


def test_what_is_left_of_an_earlier_run_is_canceled_with_the_next_activation(
    service: Any, make_activity: Any, field_of: Any
) -> None:
    pipeline = service.run(make_activity("A"))
    service.finish(service.take(), "FAILED")
    first = service.instance(pipeline, "A")["id"]
    service.client.activate_pipeline(pipelineId=pipeline)
    service.client.deactivate_pipeline(pipelineId=pipeline)
    service.client.set_status(pipelineId=pipeline, objectIds=[first], status="RERUN")
    service.client.activate_pipeline(pipelineId=pipeline)
    assert field_of(service.describe(pipeline, first)[0], "@status") == "CANCELED"
    service.client.set_status(pipelineId=pipeline, objectIds=[first], status="RERUN")
    service.client.deactivate_pipeline(pipelineId=pipeline)
    assert service.poll() is None
    assert field_of(service.describe(pipeline, first)[0], "@status") == "INACTIVE"
