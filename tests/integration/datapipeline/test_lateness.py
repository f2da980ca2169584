"""lateAfterTimeout and onLateAction, with messages and with Terminate."""

from __future__ import annotations

from typing import Any

import pytest

HOURLY = {"type": "Schedule", "period": "1 hour", "occurrences": "1", "startAt": "FIRST_ACTIVATION_DATE_TIME"}
CRON = {"scheduleType": "cron", "schedule": ">H"}
LATE = {"lateAfterTimeout": "30 minutes"}


def alarm(make_object: Any, inbox: Any) -> Any:
    texts = {"subject": "#{node.name} is late", "message": "#{node.@status}"}
    return make_object("Alarm", type="SnsAlarm", role="r", topicArn=inbox.arn, **texts)


def test_what_has_not_completed_in_time_is_late_once(
    connected: Any, make_activity: Any, make_object: Any, inbox: Any
) -> None:
    pipeline = connected.run(
        make_activity("A", onLateAction=">Alarm", **LATE),
        make_activity("B", onLateAction=">Alarm", lateAfterTimeout="#{'40 ' + 'minutes'}"),
        make_activity("InTime", onLateAction=">Alarm", workerGroup="other", **LATE),
        make_object("H", **HOURLY),
        alarm(make_object, inbox),
        default=CRON,
    )
    connected.finish(connected.take("other"))
    running = connected.take()
    connected.advance(299)
    connected.acknowledge(running)
    for _ in range(5):
        connected.advance(299)
        connected.acknowledge(running)
    assert inbox.messages() == []
    connected.advance(6)
    inbox.await_messages(("A is late", "RUNNING"))
    connected.advance(600)
    inbox.await_messages(("A is late", "RUNNING"), ("B is late", "WAITING_FOR_RUNNER"))
    connected.acknowledge(running)
    connected.finish(running)
    connected.kill_and_restart()
    connected.advance(7200)
    connected.await_statuses(pipeline, A="FINISHED", B="WAITING_FOR_RUNNER")
    assert sum(name.startswith("@Alarm_") for name in connected.ids(pipeline, "ATTEMPT")) == 2


def test_on_demand_is_never_late(service: Any, make_activity: Any, make_object: Any) -> None:
    pipeline = service.run(make_activity("A", onLateAction=">Stop", **LATE), make_object("Stop", type="Terminate"))
    service.advance(86_400)
    assert service.statuses(pipeline) == {"A": "WAITING_FOR_RUNNER"}


def test_terminate_ends_the_attempt_of_what_is_late(
    service: Any, make_activity: Any, make_object: Any, field_of: Any
) -> None:
    pipeline = service.run(
        make_activity("A", onLateAction=">Stop", lateAfterTimeout="4 minutes"),
        make_activity("Waits", dependsOn=">A", onLateAction=">Stop", lateAfterTimeout="4 minutes"),
        make_object("H", **HOURLY),
        make_object("Stop", type="Terminate"),
        default=CRON,
    )
    task = service.take()
    assert service.acknowledge(task) is False
    service.advance(240)
    assert service.acknowledge(task) is True
    service.finish(task)
    canceled = service.instance(pipeline, "A")
    assert field_of(canceled, "@status") == "CANCELED"
    assert "Stop" in field_of(canceled, "cancellationReason")
    assert service.statuses(pipeline) == {"A": "CANCELED", "Waits": "CANCELED", "Stop": "FINISHED"}
    assert service.poll() is None


@pytest.mark.parametrize(("choice", "moment"), [("scheduled-start", 1800), ("due", 5400)])
def test_a_time_series_is_late_from_its_scheduled_start_or_from_when_it_may_start(
    start_service: Any, make_activity: Any, make_object: Any, choice: str, moment: int
) -> None:
    service = start_service("--late-from", choice, "--creation-lead", "7200")
    pipeline = service.run(
        make_activity("A", onLateAction=">Stop", **LATE),
        make_object("H", **HOURLY),
        make_object("Stop", type="Terminate"),
        default=CRON | {"scheduleType": "timeseries"},
    )
    service.advance(moment - 2)
    assert service.statuses(pipeline)["A"] in {"SCHEDULED", "WAITING_FOR_RUNNER"}
    service.kill_and_restart()
    service.advance(2)
    assert service.statuses(pipeline)["A"] == "CANCELED"


def test_what_a_worker_has_started_may_be_in_time(start_service: Any, make_activity: Any, make_object: Any) -> None:
    service = start_service("--late-until", "started")
    pipeline = service.run(
        make_activity("A", onLateAction=">Stop", reportProgressTimeout="1 day", **LATE),
        make_activity("B", onLateAction=">Stop", workerGroup="nobody", **LATE),
        make_object("H", **HOURLY),
        make_object("Stop", type="Terminate"),
        default=CRON,
    )
    service.acknowledge(service.take())
    service.advance(1800)
    assert service.statuses(pipeline) == {"A": "RUNNING", "B": "CANCELED", "Stop": "FINISHED"}


@pytest.mark.parametrize(("choice", "late"), [("scheduled-start", True), ("creation", False)])
def test_what_is_made_up_for_is_late_at_once_or_from_its_creation(
    start_service: Any, make_activity: Any, make_object: Any, choice: str, late: bool
) -> None:
    service = start_service("--late-from", choice)
    past = {"type": "Schedule", "period": "1 day", "occurrences": "1", "startDateTime": "2020-01-01T00:00:00"}
    pipeline = service.run(
        make_activity("A", onLateAction=">Stop", **LATE),
        make_object("H", **past),
        make_object("Stop", type="Terminate"),
        default=CRON,
    )
    service.advance(1)
    assert service.statuses(pipeline)["A"] == ("CANCELED" if late else "WAITING_FOR_RUNNER")
    service.advance(1800)
    assert service.statuses(pipeline)["A"] == "CANCELED"


def test_nothing_is_late_while_its_pipeline_is_deactivated(service: Any, make_activity: Any, make_object: Any) -> None:
    pipeline = service.run(
        make_activity("A", onLateAction=">Stop", **LATE),
        make_object("H", **HOURLY),
        make_object("Stop", type="Terminate"),
        default=CRON,
    )
    service.client.deactivate_pipeline(pipelineId=pipeline)
    service.advance(3000)
    assert service.statuses(pipeline) == {"A": "INACTIVE"}
    service.client.activate_pipeline(pipelineId=pipeline)
    service.advance(1)
    assert service.statuses(pipeline)["A"] == "CANCELED"
