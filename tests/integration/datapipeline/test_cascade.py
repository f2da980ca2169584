"""``failureAndRerunMode``: what fails with a failure, and what a rerun or a mark brings back. One case per sentence of
the Developer Guide's *Cascading failures and reruns*."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

CASCADE = {"failureAndRerunMode": "cascade", "maximumRetries": "0"}
NONE = {"failureAndRerunMode": "none", "maximumRetries": "0"}
HOUR = 3600


@pytest.fixture
def diamond(make_activity: Any, make_object: Any) -> list[Any]:
    """A writes Node, which B and C read; D waits for both, and so does Alone for nothing but C."""
    return [
        make_activity("A", output=">Node"),
        make_object("Node", type="S3DataNode", directoryPath="s3://bucket/node"),
        make_activity("B", input=">Node"),
        make_activity("C", input=">Node"),
        make_activity("D", dependsOn=[">B", ">C"]),
        make_activity("Alone", dependsOn=">C"),
    ]


def end(service: Any, component: str, status: str) -> None:
    """Do the next task, which must be that component's."""
    task = service.take()
    assert task["attemptId"].startswith(f"@{component}_"), task["attemptId"]
    service.finish(task, status)


def test_a_failure_at_the_top_of_a_diamond_fails_all_of_it_and_its_rerun_runs_all_of_it(
    service: Any, diamond: list[Any]
) -> None:
    pipeline = service.run(*diamond, default=CASCADE)
    end(service, "A", "FAILED")
    below = dict.fromkeys(["Node", "B", "C", "D", "Alone"], "CASCADE_FAILED")
    assert service.statuses(pipeline) == {"A": "FAILED"} | below
    service.set_status(pipeline, "RERUN", "A")
    assert service.statuses(pipeline) == {"A": "WAITING_FOR_RUNNER"} | dict.fromkeys(below, "WAITING_ON_DEPENDENCIES")
    for component in ("A", "B", "C", "D", "Alone"):
        end(service, component, "FINISHED")
    assert service.state(pipeline) == "FINISHED"


def test_a_failure_on_one_side_leaves_the_other_alone(service: Any, diamond: list[Any], field_of: Any) -> None:
    pipeline = service.run(*diamond, default=CASCADE)
    end(service, "A", "FINISHED")
    end(service, "B", "FAILED")
    statuses = service.statuses(pipeline)
    assert (statuses["C"], statuses["D"]) == ("WAITING_FOR_RUNNER", "CASCADE_FAILED")
    assert field_of(service.instance(pipeline, "D"), "@cascadeFailedOn") == service.instance(pipeline, "B")["id"]
    end(service, "C", "FINISHED")
    assert service.statuses(pipeline)["D"] == "CASCADE_FAILED"
    service.set_status(pipeline, "RERUN", "B")
    for component in ("Alone", "B", "D"):
        end(service, component, "FINISHED")
    assert service.state(pipeline) == "FINISHED"


def test_a_rerun_does_not_touch_what_failed_because_of_something_else(
    service: Any, diamond: list[Any], field_of: Any
) -> None:
    pipeline = service.run(*diamond, default=CASCADE)
    end(service, "A", "FINISHED")
    end(service, "B", "FAILED")
    end(service, "C", "FAILED")
    before = service.instance(pipeline, "D")
    service.advance(60)
    service.set_status(pipeline, "RERUN", "C")
    assert service.instance(pipeline, "D") == before
    assert service.statuses(pipeline)["Alone"] == "WAITING_ON_DEPENDENCIES"
    end(service, "C", "FINISHED")
    assert service.statuses(pipeline)["D"] == "CASCADE_FAILED"
    service.set_status(pipeline, "RERUN", "B")
    for component in ("Alone", "B", "D"):
        end(service, component, "FINISHED")


def test_one_of_two_causes_that_still_stands_fails_the_consumer_again(
    service: Any, diamond: list[Any], field_of: Any
) -> None:
    pipeline = service.run(*diamond, default=CASCADE)
    end(service, "A", "FINISHED")
    end(service, "B", "FAILED")
    end(service, "C", "FAILED")
    service.set_status(pipeline, "RERUN", "B")
    end(service, "B", "FINISHED")
    failed = service.instance(pipeline, "D")
    assert field_of(failed, "@status") == "CASCADE_FAILED"
    assert field_of(failed, "@cascadeFailedOn") == service.instance(pipeline, "C")["id"]


def test_what_has_ended_already_is_not_failed_with_it(service: Any, diamond: list[Any]) -> None:
    pipeline = service.run(*diamond, default=CASCADE)
    for component in ("A", "B"):
        end(service, component, "FINISHED")
    service.set_status(pipeline, "TRY_CANCEL", "D")
    end(service, "C", "FAILED")
    expected = {"A": "FINISHED", "B": "FINISHED", "Node": "FINISHED", "C": "FAILED", "D": "CANCELED"}
    assert service.statuses(pipeline) == expected | {"Alone": "CASCADE_FAILED"}


def test_a_cancel_cascades_like_a_failure(service: Any, diamond: list[Any]) -> None:
    pipeline = service.run(*diamond, default=CASCADE)
    end(service, "A", "FINISHED")
    service.set_status(pipeline, "TRY_CANCEL", "C")
    statuses = service.statuses(pipeline)
    assert (statuses["D"], statuses["Alone"]) == ("CASCADE_FAILED", "CASCADE_FAILED")


def test_marking_the_failure_as_finished_lets_go_on_what_failed_because_of_it(service: Any, diamond: list[Any]) -> None:
    pipeline = service.run(*diamond, default=CASCADE)
    end(service, "A", "FAILED")
    service.set_status(pipeline, "MARK_FINISHED", "A")
    for component in ("B", "C", "D", "Alone"):
        end(service, component, "FINISHED")
    assert service.state(pipeline) == "FINISHED"


def test_a_failure_is_final_for_consumers_only_when_no_retry_is_left(service: Any, diamond: list[Any]) -> None:
    pipeline = service.run(*diamond, default=CASCADE | {"maximumRetries": "1"})
    end(service, "A", "FAILED")
    assert service.statuses(pipeline)["B"] == "WAITING_ON_DEPENDENCIES"
    service.advance(601)
    end(service, "A", "FAILED")
    assert service.statuses(pipeline)["B"] == "CASCADE_FAILED"


def test_the_mode_is_each_consumers_own(service: Any, make_activity: Any) -> None:
    pipeline = service.run(
        make_activity("A"),
        make_activity("Fails", dependsOn=">A", failureAndRerunMode="CASCADE"),
        make_activity("Waits", dependsOn=">A"),
        make_activity("Later", dependsOn=">Fails"),
        default=NONE,
    )
    end(service, "A", "FAILED")
    expected = {"A": "FAILED", "Fails": "CASCADE_FAILED", "Waits": "WAITING_ON_DEPENDENCIES"}
    assert service.statuses(pipeline) == expected | {"Later": "WAITING_ON_DEPENDENCIES"}
    service.set_status(pipeline, "RERUN", "A")
    assert service.statuses(pipeline)["Fails"] == "WAITING_ON_DEPENDENCIES"


def test_without_cascade_a_rerun_runs_one_object_only(service: Any, diamond: list[Any]) -> None:
    pipeline = service.run(*diamond, default=NONE)
    end(service, "A", "FAILED")
    below = dict.fromkeys(["Node", "B", "C", "D", "Alone"], "WAITING_ON_DEPENDENCIES")
    assert service.statuses(pipeline) == {"A": "FAILED"} | below
    service.set_status(pipeline, "RERUN", "A")
    for component in ("A", "B", "C"):
        end(service, component, "FINISHED")
    service.set_status(pipeline, "RERUN", "A")
    statuses = service.statuses(pipeline)
    assert (statuses["A"], statuses["B"], statuses["Node"]) == ("WAITING_FOR_RUNNER", "FINISHED", "FINISHED")


def test_a_failure_stays_within_its_occurrence(start_service: Any, make_activity: Any, make_object: Any) -> None:
    service = start_service("--instance-interval", "0")
    begin = int(service.control("GET", "clock")["seconds"]) - HOUR
    starts = [datetime.fromtimestamp(begin + n * HOUR, UTC).strftime("%Y-%m-%dT%H:%M:%S") for n in (0, 1)]
    hourly = make_object("Hourly", type="Schedule", period="1 hour", startDateTime=starts[0], occurrences="2")
    default = CASCADE | {"scheduleType": "cron", "schedule": ">Hourly"}
    pipeline = service.run(hourly, make_activity("A"), make_activity("B", dependsOn=">A"), default=default)

    def statuses() -> dict[str, str]:
        described = service.describe(pipeline, *service.ids(pipeline, "INSTANCE"))
        values = {entry["id"]: entry["fields"] for entry in described}
        return {
            name: next(each["stringValue"] for each in fields if each["key"] == "@status")
            for name, fields in values.items()
        }

    end(service, "A", "FAILED")
    assert statuses() == {
        f"@A_{starts[0]}": "FAILED",
        f"@B_{starts[0]}": "CASCADE_FAILED",
        f"@A_{starts[1]}": "WAITING_FOR_RUNNER",
        f"@B_{starts[1]}": "WAITING_ON_DEPENDENCIES",
    }
    end(service, "A", "FAILED")
    service.client.set_status(pipelineId=pipeline, objectIds=[f"@A_{starts[0]}"], status="RERUN")
    assert statuses()[f"@B_{starts[1]}"] == "CASCADE_FAILED"
    end(service, "A", "FINISHED")
    end(service, "B", "FINISHED")
    assert service.state(pipeline) == "SCHEDULED"
    service.client.set_status(pipelineId=pipeline, objectIds=[f"@A_{starts[1]}"], status="RERUN")
    end(service, "A", "FINISHED")
    end(service, "B", "FINISHED")
    assert service.state(pipeline) == "FINISHED"


@pytest.mark.parametrize(
    ("mode", "start", "warned"),
    [("cascade", "2012-12-12T00:00:00", True), ("none", "2012-12-12T00:00:00", False),
     ("cascade", "2999-12-12T00:00:00", False)],
)  # fmt: skip
def test_a_back_fill_with_cascading_failures_is_warned_of_as_by_aws(
    service: Any, make_activity: Any, make_object: Any, mode: str, start: str, warned: bool
) -> None:
    created = service.client.create_pipeline(name="warned", uniqueId=mode + start)["pipelineId"]
    default = make_object("Default", scheduleType="cron", schedule=">Daily", failureAndRerunMode=mode)
    daily = make_object("Daily", type="Schedule", period="1 day", startDateTime=start)
    answer = service.client.put_pipeline_definition(
        pipelineId=created, pipelineObjects=[default, daily, make_activity("A")]
    )
    assert not answer["errored"]
    told = [text for entry in answer["validationWarnings"] if entry["id"] == "Default" for text in entry["warnings"]]
    expected = (
        "Default has 'failureAndRerunMode' field set to 'cascade' and you are about to create a backfill with "
        f"scheduleStartTime {start}. This can result in rapid creation of pipeline objects in case of failures."
    )
    assert (expected in told) == warned
