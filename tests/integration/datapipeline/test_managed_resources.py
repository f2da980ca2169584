"""``runsOn``: what AWS would start a machine for goes to a worker group; the resource only shows a life."""

from __future__ import annotations

from typing import Any

RESOURCE = {"type": "Ec2Resource", "role": "r", "resourceRole": "rr", "region": "eu-west-1"}
NO_RETRY = {"maximumRetries": "0"}


def test_what_runs_on_a_resource_is_given_to_the_managed_worker_group(
    service: Any, make_activity: Any, make_object: Any, field_of: Any
) -> None:
    pipeline = service.run(
        make_activity(
            "A", runsOn=">Machine", workerGroup="ignored", command="in #{runsOn.region} #{runsOn.@pipelineId}"
        ),
        make_object("Machine", **RESOURCE),
    )
    assert service.poll("ignored") is None
    task = service.take("managed")
    attempt = task["objects"][task["attemptId"]]
    assert field_of(attempt, "command") == f"in eu-west-1 {pipeline}"
    machine = task["objects"][field_of(attempt, "runsOn")]
    assert field_of(machine, "type") == "Ec2Resource"
    assert machine["id"] == service.instance(pipeline, "Machine")["id"]


def test_the_managed_worker_group_is_an_option(start_service: Any, make_activity: Any, make_object: Any) -> None:
    service = start_service("--managed-worker-group", "mine")
    service.run(make_activity("A", runsOn=">Cluster"), make_object("Cluster", type="EmrCluster"))
    assert service.take("mine")["attemptId"].startswith("@A_")


def test_a_resource_runs_from_the_first_that_needs_it_to_the_last(
    service: Any, make_activity: Any, make_object: Any, field_of: Any
) -> None:
    pipeline = service.run(
        make_activity("Before"),
        make_activity("A", runsOn=">Machine", dependsOn=">Before"),
        make_activity("B", runsOn=">Machine", dependsOn=">A"),
        make_object("Machine", **RESOURCE),
        make_object("Idle", **RESOURCE),
    )
    assert service.statuses(pipeline)["Machine"] == "WAITING_ON_DEPENDENCIES"
    assert "Idle" not in service.statuses(pipeline)
    service.advance(30)
    service.finish(service.take())
    assert service.statuses(pipeline)["Machine"] == "RUNNING"
    shown = service.instance(pipeline, "Machine")
    assert field_of(shown, "@actualStartTime") == service.control("GET", "clock")["now"]
    assert "starts no machine" in field_of(shown, "attemptStatus")
    service.finish(service.take("managed"))
    assert service.statuses(pipeline)["Machine"] == "RUNNING"
    service.finish(service.take("managed"))
    assert service.statuses(pipeline)["Machine"] == "FINISHED"
    assert service.state(pipeline) == "FINISHED"


def test_a_resource_is_up_again_for_what_is_rerun(service: Any, make_activity: Any, make_object: Any) -> None:
    pipeline = service.run(
        make_activity("A", runsOn=">Machine", **NO_RETRY),
        make_activity("B", runsOn=">Machine", dependsOn=">A", failureAndRerunMode="cascade"),
        make_object("Machine", **RESOURCE),
    )
    service.finish(service.take("managed"), "FAILED")
    assert service.statuses(pipeline) == {"A": "FAILED", "B": "CASCADE_FAILED", "Machine": "FINISHED"}
    service.set_status(pipeline, "RERUN", "A")
    assert service.statuses(pipeline)["Machine"] == "RUNNING"
    service.finish(service.take("managed"))
    service.finish(service.take("managed"))
    assert service.statuses(pipeline)["Machine"] == "FINISHED"
    assert service.state(pipeline) == "FINISHED"


def test_terminate_after_ends_the_resource_and_cancels_what_runs_on_it(
    start_service: Any, make_activity: Any, make_object: Any, field_of: Any
) -> None:
    service = start_service("--ownership-window", "86400")
    pipeline = service.run(
        make_activity("A", runsOn=">Machine"),
        make_activity("B", runsOn=">Machine", dependsOn=">A"),
        make_activity("C", dependsOn=">A", failureAndRerunMode="cascade"),
        make_object("Machine", terminateAfter="#{'2 ' + 'Hours'}", actionOnResourceFailure="retryAll", **RESOURCE),
    )
    task = service.take("managed")
    service.acknowledge(task)
    service.kill_and_restart()
    service.advance(7199)
    assert service.acknowledge(task) is False
    service.advance(1)
    assert service.acknowledge(task) is True
    expected = {"A": "CANCELED", "B": "CANCELED", "C": "CASCADE_FAILED", "Machine": "TIMEDOUT"}
    assert service.statuses(pipeline) == expected
    assert "terminateAfter" in field_of(service.instance(pipeline, "Machine"), "@failureReason")
    service.set_status(pipeline, "RERUN", "Machine")
    service.finish(service.take("managed"))
    service.finish(service.take("managed"))
    service.finish(service.take())
    assert service.state(pipeline) == "FINISHED"


def test_a_canceled_resource_takes_along_what_runs_on_it(service: Any, make_activity: Any, make_object: Any) -> None:
    pipeline = service.run(make_activity("A", runsOn=">Machine"), make_object("Machine", **RESOURCE))
    task = service.take("managed")
    service.set_status(pipeline, "TRY_CANCEL", "Machine")
    assert service.acknowledge(task) is True
    assert service.statuses(pipeline) == {"A": "CANCELED", "Machine": "CANCELED"}


def test_a_resource_has_an_occurrence_for_each_interval(service: Any, make_activity: Any, make_object: Any) -> None:
    hourly = make_object("H", type="Schedule", period="1 hour", occurrences="2", startAt="FIRST_ACTIVATION_DATE_TIME")
    pipeline = service.run(
        make_activity("A", runsOn=">Machine", schedule=">H"),
        make_object("Machine", **RESOURCE),
        hourly,
        default={"scheduleType": "cron"},
    )
    for _ in range(2):
        assert service.statuses(pipeline)["Machine"] == "RUNNING"
        service.finish(service.take("managed"))
        assert service.statuses(pipeline)["Machine"] == "FINISHED"
        service.advance(3600)
    assert service.state(pipeline) == "FINISHED"
    assert len([name for name in service.ids(pipeline, "INSTANCE") if name.startswith("@Machine_")]) == 2


def test_a_resource_of_a_longer_interval_stays_up_for_all_that_runs_within(
    service: Any, make_activity: Any, make_object: Any, field_of: Any
) -> None:
    start = {"type": "Schedule", "startAt": "FIRST_ACTIVATION_DATE_TIME"}
    pipeline = service.run(
        make_activity("A", runsOn=">Machine", schedule=">H"),
        make_object("Machine", schedule=">Long", **RESOURCE),
        make_object("H", period="1 hour", occurrences="3", **start),
        make_object("Long", period="2 hours", occurrences="1", **start),
        default={"scheduleType": "cron"},
    )
    service.finish(service.take("managed"))
    assert service.statuses(pipeline)["Machine"] == "RUNNING"
    service.advance(3600)
    service.finish(service.take("managed"))
    assert service.statuses(pipeline)["Machine"] == "FINISHED"
    service.advance(3600)
    service.finish(service.take("managed"))
    assert service.state(pipeline) == "FINISHED"


def test_a_deactivated_resource_goes_on_with_its_activities(service: Any, make_activity: Any, make_object: Any) -> None:
    hourly = make_object("H", type="Schedule", period="1 hour", occurrences="1", startAt="FIRST_ACTIVATION_DATE_TIME")
    pipeline = service.run(
        make_activity("A", runsOn=">Machine"),
        make_object("Machine", **RESOURCE),
        hourly,
        default={"scheduleType": "cron", "schedule": ">H"},
    )
    service.take("managed")
    service.client.deactivate_pipeline(pipelineId=pipeline)
    assert service.state(pipeline) == "INACTIVE"
    service.client.activate_pipeline(pipelineId=pipeline)
    assert service.statuses(pipeline) == {"A": "WAITING_FOR_RUNNER", "Machine": "RUNNING"}
    service.finish(service.take("managed"))
    assert service.state(pipeline) == "FINISHED"
