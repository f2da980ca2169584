"""Recurring schedules: which occurrences there are, when each is created and may start, and when a pipeline ends."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

MINUTE, HOUR, DAY = 60, 3600, 86_400
#: Instances are created as soon as their time has come, so that a test need not wait for the limits of AWS.
QUICK = ("--instance-interval", "0")


@pytest.fixture
def quick(start_service: Any) -> Any:
    return start_service(*QUICK)


def now(service: Any) -> int:
    return int(service.control("GET", "clock")["seconds"])


def text(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%S")


def hourly(make_object: Any, **fields: str) -> Any:
    return make_object("Hourly", type="Schedule", **{"period": "1 hour"} | fields)


CRON = {"scheduleType": "cron", "schedule": ">Hourly"}
SERIES = {"scheduleType": "timeseries", "schedule": ">Hourly"}


def starts(service: Any, pipeline: str, component: str = "A") -> list[str]:
    """The scheduled starts of a component's instances, in the order of their creation."""
    prefix = f"@{component}_"
    return [entry.removeprefix(prefix) for entry in service.ids(pipeline, "INSTANCE") if entry.startswith(prefix)]


def work(service: Any) -> list[str]:
    """Do all the work that is there; return what was done, in order."""
    done = []
    while task := service.poll():
        service.finish(task)
        done.append(task["attemptId"].rpartition("_Attempt")[0])
    return done


def test_a_cron_schedule_runs_at_the_beginning_of_each_interval_until_its_occurrences_are_over(
    service: Any, make_activity: Any, make_object: Any, field_of: Any
) -> None:
    begin = now(service)
    schedule = hourly(make_object, startAt="FIRST_ACTIVATION_DATE_TIME", occurrences="3")
    pipeline = service.run(schedule, make_activity("A"), default=CRON)
    for number in range(3):
        task = service.take()
        attempt = task["objects"][task["attemptId"]]
        assert field_of(attempt, "@scheduledStartTime") == text(begin + number * HOUR)
        assert field_of(attempt, "@scheduledEndTime") == text(begin + (number + 1) * HOUR)
        service.finish(task)
        assert service.state(pipeline) == ("FINISHED" if number == 2 else "SCHEDULED")
        assert service.poll() is None
        service.advance(HOUR)
    assert starts(service, pipeline) == [text(begin + number * HOUR) for number in range(3)]


def test_a_time_series_runs_at_the_end_of_each_interval(service: Any, make_activity: Any, make_object: Any) -> None:
    begin = now(service)
    schedule = hourly(make_object, startAt="FIRST_ACTIVATION_DATE_TIME", endDateTime=text(begin + 2 * HOUR))
    pipeline = service.run(schedule, make_activity("A"), default=SERIES)
    for number in range(2):
        service.advance(HOUR - 1)
        assert service.poll() is None
        service.advance(1)
        assert work(service) == [f"@A_{text(begin + number * HOUR)}"]
    assert service.state(pipeline) == "FINISHED"


def test_an_instance_is_there_a_little_before_its_time(service: Any, make_activity: Any, make_object: Any) -> None:
    schedule = hourly(make_object, startDateTime=text(now(service) + DAY))
    pipeline = service.run(schedule, make_activity("A"), default=CRON)
    service.advance(DAY - 301)
    assert service.ids(pipeline, "INSTANCE") == []
    service.advance(2)
    assert service.statuses(pipeline) == {"A": "SCHEDULED"}
    assert service.poll() is None
    service.advance(300)
    assert service.poll() is not None


def test_the_next_run_is_told_while_nothing_has_been_created_yet(
    service: Any, make_activity: Any, make_object: Any, field_of: Any
) -> None:
    schedule = hourly(make_object, startDateTime="2100-01-31T06:00:00", period="1 month")
    pipeline = service.run(schedule, make_activity("A"), default=SERIES)
    described = service.client.describe_pipelines(pipelineIds=[pipeline])["pipelineDescriptionList"][0]
    assert field_of(described, "@nextRunTime") == "2100-02-28T06:00:00"
    assert field_of(service.describe(pipeline, "A")[0], "@nextRunTime") == "2100-02-28T06:00:00"
    assert service.state(pipeline) == "SCHEDULED"


def test_a_schedule_that_began_in_the_past_makes_up_for_all_its_intervals_oldest_first(
    quick: Any, make_activity: Any, make_object: Any
) -> None:
    begin = now(quick) - 8 * HOUR
    schedule = hourly(make_object, startDateTime=text(begin), occurrences="8")
    quick.run(schedule, make_activity("B", dependsOn=">A"), make_activity("A"), default=CRON)
    done = work(quick)
    intervals = [text(begin + number * HOUR) for number in range(8)]
    assert [name for name in done if name.startswith("@A")] == [f"@A_{start}" for start in intervals]
    assert [name for name in done if name.startswith("@B")] == [f"@B_{start}" for start in intervals]


def test_of_one_object_one_instance_is_created_in_five_minutes(
    service: Any, make_activity: Any, make_object: Any
) -> None:
    begin = now(service) - 5 * HOUR
    schedule = hourly(make_object, startDateTime=text(begin), occurrences="5")
    pipeline = service.run(schedule, make_activity("A"), make_activity("B"), default=CRON)
    for number in range(5):
        assert starts(service, pipeline) == [text(begin + each * HOUR) for each in range(number + 1)]
        assert starts(service, pipeline, "B") == starts(service, pipeline)
        service.advance(299)
        assert len(starts(service, pipeline)) == number + 1
        service.advance(1)
    assert len(work(service)) == 10
    assert service.state(pipeline) == "FINISHED"


@pytest.mark.parametrize(("field", "most"), [({}, 5), ({"maxActiveInstances": "2"}, 2)])
def test_no_more_instances_are_created_than_may_be_active(
    quick: Any, make_activity: Any, make_object: Any, field: dict[str, str], most: int
) -> None:
    schedule = hourly(make_object, startDateTime=text(now(quick) - 20 * HOUR))
    pipeline = quick.run(schedule, make_activity("A", **field), default=CRON)
    assert len(starts(quick, pipeline)) == most
    quick.finish(quick.take())
    assert len(starts(quick, pipeline)) == most + 1
    quick.finish(quick.take(), "FAILED")  # it is tried again, so it is still active
    assert len(starts(quick, pipeline)) == most + 1


def test_no_next_run_is_told_while_none_can_come(
    quick: Any, make_activity: Any, make_object: Any, field_of: Any
) -> None:
    begin = now(quick) - 20 * HOUR
    schedule = hourly(make_object, startDateTime=text(begin), occurrences="20")
    default = CRON | {"maximumRetries": "0"}
    pipeline = quick.run(schedule, make_activity("A"), make_activity("B", dependsOn=">A"), default=default)
    while task := quick.poll():
        quick.finish(task, "FAILED")
    assert len(starts(quick, pipeline, "A")) == 20
    assert len(starts(quick, pipeline, "B")) == 5
    described = quick.client.describe_pipelines(pipelineIds=[pipeline])["pipelineDescriptionList"][0]
    assert [field_of(described, key) for key in ("@pipelineState", "@nextRunTime")] == ["SCHEDULED", None]
    quick.client.set_status(pipelineId=pipeline, objectIds=[f"@B_{text(begin)}"], status="TRY_CANCEL")
    assert len(starts(quick, pipeline, "B")) == 6


def test_a_rerun_does_not_take_the_place_of_a_new_instance(quick: Any, make_activity: Any, make_object: Any) -> None:
    schedule = hourly(make_object, startAt="FIRST_ACTIVATION_DATE_TIME")
    activity = make_activity("A", maxActiveInstances="1", maximumRetries="0")
    pipeline = quick.run(schedule, activity, default=CRON)
    quick.finish(quick.take(), "FAILED")
    failed = quick.ids(pipeline, "INSTANCE")[0]
    quick.client.set_status(pipelineId=pipeline, objectIds=[failed], status="RERUN")
    quick.advance(HOUR)
    assert len(starts(quick, pipeline)) == 2
    assert len(work(quick)) == 2


def test_the_account_may_have_more_active_instances(start_service: Any, make_activity: Any, make_object: Any) -> None:
    service = start_service(*QUICK, "--active-instances", "8")
    schedule = hourly(make_object, startDateTime=text(now(service) - 20 * HOUR))
    pipeline = service.run(schedule, make_activity("A"), default=CRON)
    assert len(starts(service, pipeline)) == 8


def test_an_old_start_can_be_refused_as_a_mistake(start_service: Any, make_activity: Any, make_object: Any) -> None:
    service = start_service("--past-start", "refuse")
    old, recent = (hourly(make_object, startDateTime=text(now(service) - age)) for age in (DAY + HOUR, DAY - HOUR))
    refused = service.pipeline(old, make_activity("A"), default=CRON)
    with pytest.raises(ClientError, match="more than a day ago"):
        service.client.activate_pipeline(pipelineId=refused)
    assert service.state(refused) == "PENDING"
    service.client.activate_pipeline(pipelineId=refused, startTimestamp=now(service))
    assert service.state(service.run(recent, make_activity("A"), default=CRON)) == "SCHEDULED"


def test_months_go_by_the_calendar(quick: Any, make_activity: Any, make_object: Any) -> None:
    schedule = hourly(make_object, startDateTime="2024-01-31T06:00:00", period="1 Month", occurrences="4")
    pipeline = quick.run(schedule, make_activity("A"), default=CRON)
    expected = ["2024-01-31", "2024-02-29", "2024-03-31", "2024-04-30"]
    assert [name[:10] for name in starts(quick, pipeline)] == expected
    last = quick.describe(pipeline, "@A_2024-04-30T06:00:00")[0]["fields"]
    assert {"key": "@scheduledEndTime", "stringValue": "2024-05-31T06:00:00"} in last


def test_components_have_schedules_and_schedule_types_of_their_own(
    quick: Any, make_activity: Any, make_object: Any
) -> None:
    begin = now(quick)
    pipeline = quick.run(
        hourly(make_object, startDateTime=text(begin), occurrences="2"),
        make_object("Base", schedule=">Daily", scheduleType="timeseries"),
        make_object("Daily", type="Schedule", period="1 day", startDateTime=text(begin), occurrences="1"),
        make_activity("Hour"),
        make_activity("Day", parent=">Base"),
        make_activity("DayAtOnce", schedule=">Daily"),
        default=CRON,
    )
    assert sorted(work(quick)) == [f"@DayAtOnce_{text(begin)}", f"@Hour_{text(begin)}"]
    quick.advance(HOUR)
    assert work(quick) == [f"@Hour_{text(begin + HOUR)}"]
    assert quick.state(pipeline) == "SCHEDULED"
    quick.advance(23 * HOUR)
    assert work(quick) == [f"@Day_{text(begin)}"]
    assert quick.state(pipeline) == "FINISHED"


def test_data_nodes_have_an_instance_for_each_occurrence_and_it_is_what_references_mean(
    quick: Any, make_activity: Any, make_object: Any, field_of: Any
) -> None:
    begin = now(quick)
    quick.run(
        hourly(make_object, startDateTime=text(begin), occurrences="2"),
        make_object("Out", type="S3DataNode", directoryPath="s3://b/#{format(@scheduledStartTime,'HHmm')}"),
        make_activity("Write", output=">Out", command="echo #{output.directoryPath}"),
        make_activity("Read", input=">Out"),
        default=CRON,
    )
    quick.advance(HOUR)
    seen = []
    while task := quick.poll():
        attempt = task["objects"][task["attemptId"]]
        start = field_of(attempt, "@scheduledStartTime")
        key = "output" if field_of(attempt, "@componentParent") == "Write" else "input"
        assert field_of(attempt, key) == f"@Out_{start}"
        path = "s3://b/" + start[11:16].replace(":", "")
        assert field_of(task["objects"][f"@Out_{start}"], "directoryPath") == path
        if key == "output":
            assert field_of(attempt, "command") == f"echo {path}"
        seen.append((start, key))
        quick.finish(task)
    assert sorted(seen) == [(text(begin + n * HOUR), key) for n in (0, 1) for key in ("input", "output")]


def test_a_daily_activity_waits_for_every_hour_of_its_day_also_those_to_come(
    quick: Any, make_activity: Any, make_object: Any, field_of: Any
) -> None:
    begin = now(quick)
    pipeline = quick.run(
        make_object("Daily", type="Schedule", period="1 day", startDateTime=text(begin), occurrences="1"),
        hourly(make_object, startDateTime=text(begin - HOUR), occurrences="30"),
        make_object("Out", type="S3DataNode", directoryPath="s3://b/#{@scheduledStartTime}"),
        make_activity("Hour", output=">Out"),
        make_activity("Day", schedule=">Daily", input=">Out", scriptArgument="#{input.directoryPath}"),
        default=CRON,
    )
    for _ in range(23):
        assert "Day" not in "".join(work(quick))
        assert field_of(quick.instance(pipeline, "Day"), "@status") == "WAITING_ON_DEPENDENCIES"
        quick.advance(HOUR)
    assert work(quick) == [f"@Hour_{text(begin + 23 * HOUR)}", f"@Day_{text(begin)}"]
    task = quick.describe(pipeline, f"@Day_{text(begin)}_Attempt=1")[0]
    inputs = [entry["refValue"] for entry in task["fields"] if entry["key"] == "input"]
    assert inputs == [f"@Out_{text(begin + number * HOUR)}" for number in range(24)]


def test_a_data_node_that_nobody_writes_is_waited_for_in_all_its_occurrences(
    quick: Any, make_activity: Any, make_object: Any, field_of: Any
) -> None:
    begin = now(quick)
    pipeline = quick.run(
        make_object("Daily", type="Schedule", period="1 day", startDateTime=text(begin), occurrences="1"),
        hourly(make_object, startDateTime=text(begin)),
        make_object("In", type="S3DataNode", directoryPath="s3://b/#{@scheduledStartTime}"),
        make_activity("Day", schedule=">Daily", input=">In"),
        default=CRON,
    )
    quick.advance(23 * HOUR - 301)
    assert field_of(quick.instance(pipeline, "Day"), "@status") == "WAITING_ON_DEPENDENCIES"
    quick.advance(302)
    task = quick.take()
    attempt = task["objects"][task["attemptId"]]["fields"]
    inputs = [entry["refValue"] for entry in attempt if entry["key"] == "input"]
    assert inputs == [f"@In_{text(begin + number * HOUR)}" for number in range(24)]
    paths = [field_of(task["objects"][name], "directoryPath") for name in inputs]
    assert paths == [f"s3://b/{text(begin + number * HOUR)}" for number in range(24)]


def test_data_nodes_do_not_run_ahead_of_what_uses_them(quick: Any, make_activity: Any, make_object: Any) -> None:
    pipeline = quick.run(
        make_object("Daily", type="Schedule", period="1 day", startDateTime="2012-01-01T00:00:00"),
        hourly(make_object, startDateTime="2012-01-01T00:00:00"),
        make_object("In", type="S3DataNode", directoryPath="s3://b/x"),
        make_activity("Day", schedule=">Daily", input=">In"),
        default=CRON,
    )
    for days in (6, 7):  # five are active, and the next one's data may be there
        query = {"selectors": [{"fieldName": "@componentParent", "operator": {"type": "REF_EQ", "values": ["In"]}}]}
        pages = quick.client.get_paginator("query_objects").paginate(
            pipelineId=pipeline, sphere="INSTANCE", query=query
        )
        assert sum(len(page["ids"]) for page in pages) == days * 24
        quick.finish(quick.take())


def test_a_data_node_is_there_for_the_last_run_of_one_activity_though_another_is_far_behind(
    quick: Any, make_activity: Any, make_object: Any
) -> None:
    begin = now(quick) - 10 * DAY
    daily = {"type": "Schedule", "period": "1 day", "startDateTime": text(begin)}
    pipeline = quick.run(
        make_object("Daily", **daily, occurrences="10"),
        make_object("Week", type="Schedule", period="1 week", startDateTime=text(begin), occurrences="1"),
        make_object("Days", **daily, occurrences="7"),
        make_object("In", type="S3DataNode", directoryPath="s3://b/x", schedule=">Days"),
        make_activity("Behind", input=">In", workerGroup="nobody"),
        make_activity("Weekly", input=">In", schedule=">Week"),
        default={"scheduleType": "cron", "schedule": ">Daily"},
    )
    assert len(starts(quick, pipeline, "Behind")) == 5
    assert len(starts(quick, pipeline, "In")) == 7
    assert work(quick) == [f"@Weekly_{text(begin)}"]


def test_an_hourly_activity_waits_for_the_day_that_it_lies_in(quick: Any, make_activity: Any, make_object: Any) -> None:
    begin = now(quick)
    quick.run(
        make_object("Daily", type="Schedule", period="1 day", startDateTime=text(begin), occurrences="2"),
        hourly(make_object, startDateTime=text(begin + 22 * HOUR), occurrences="3"),
        make_activity("Day", schedule=">Daily"),
        make_activity("Hour", dependsOn=">Day"),
        default=CRON,
    )
    quick.advance(23 * HOUR)
    day = quick.take()
    assert quick.poll() is None
    quick.finish(day)
    assert work(quick) == [f"@Hour_{text(begin + number * HOUR)}" for number in (22, 23)]


def test_one_resource_serves_all_runs_in_its_interval_and_is_there_from_its_beginning(
    quick: Any, make_activity: Any, make_object: Any, field_of: Any
) -> None:
    begin = now(quick)
    pipeline = quick.run(
        hourly(make_object, startDateTime=text(begin), occurrences="2"),
        make_object("Often", type="Schedule", period="20 minutes", startDateTime=text(begin), occurrences="6"),
        make_object("Machine", type="Ec2Resource", role="r", resourceRole="rr"),
        make_activity("A", runsOn=">Machine", schedule=">Often"),
        default=SERIES,
    )
    machine = f"@Machine_{text(begin)}"
    for run in range(3):
        expected = "RUNNING" if run else "WAITING_ON_DEPENDENCIES"
        assert field_of(quick.describe(pipeline, machine)[0], "@status") == expected
        quick.advance(20 * MINUTE)
        task = quick.take("managed")
        assert field_of(task["objects"][task["attemptId"]], "runsOn") == machine
        quick.finish(task)
    assert field_of(quick.describe(pipeline, machine)[0], "@status") == "FINISHED"
    quick.advance(HOUR)
    while task := quick.poll("managed"):
        quick.finish(task)
    assert quick.state(pipeline) == "FINISHED"


def test_the_health_of_a_pipeline_is_that_of_the_last_run_of_each_component(
    quick: Any, make_activity: Any, make_object: Any, field_of: Any
) -> None:
    schedule = hourly(make_object, startAt="FIRST_ACTIVATION_DATE_TIME")
    pipeline = quick.run(schedule, make_activity("A", maximumRetries="0"), default=CRON)
    begin = now(quick)
    seen = []
    for status in ("", "FINISHED", "FAILED", "FINISHED"):
        if status:
            quick.finish(quick.take(), status)
            quick.advance(HOUR)
        described = quick.client.describe_pipelines(pipelineIds=[pipeline])["pipelineDescriptionList"][0]
        seen.append((field_of(described, "@healthStatus"), field_of(described, "@latestCompletedRunTime")))
    runs = [None, *(text(begin + number * HOUR) for number in range(3))]
    assert seen == list(zip(("-", "HEALTHY", "ERROR", "HEALTHY"), runs, strict=True))
    assert field_of(quick.describe(pipeline, "A")[0], "@healthStatusFromInstanceId") == f"@A_{runs[-1]}"


def test_a_pipeline_tells_when_its_schedule_begins_recurs_and_ends(
    quick: Any, make_activity: Any, make_object: Any, field_of: Any
) -> None:
    begin = now(quick)
    keys = ("@scheduledStartTime", "@scheduledPeriod", "@scheduledEndTime", "@finishedTime", "@nextRunTime")

    def told(pipeline: str) -> list[str | None]:
        described = quick.client.describe_pipelines(pipelineIds=[pipeline])["pipelineDescriptionList"][0]
        return [field_of(described, key) for key in keys]

    endless = quick.run(hourly(make_object, startDateTime=text(begin)), make_activity("A"), default=CRON)
    assert told(endless) == [text(begin), "1 hour", None, None, text(begin + HOUR)]
    schedule = hourly(make_object, startDateTime=text(begin), occurrences="2", period="1 month")
    twice = quick.run(schedule, make_activity("A", workerGroup="twice"), default=CRON)
    ended = told(twice)[2]
    quick.advance(32 * DAY)
    while task := quick.poll("twice"):
        quick.finish(task)
    assert told(twice) == [text(begin), "1 month", ended, text(begin + 32 * DAY), None]
    assert told(quick.run(make_activity("A")))[:3] == [None, None, None]


def test_the_schedule_type_of_who_says_none_is_an_option(
    quick: Any, start_service: Any, make_activity: Any, make_object: Any
) -> None:
    for service, delay in ((quick, 0), (start_service("--schedule-type", "timeseries"), HOUR)):
        once = hourly(make_object, startAt="FIRST_ACTIVATION_DATE_TIME", occurrences="1")
        created = service.client.create_pipeline(name="typeless", uniqueId="1")["pipelineId"]
        objects = [make_object("Default", schedule=">Hourly"), once, make_activity("A")]
        service.client.put_pipeline_definition(pipelineId=created, pipelineObjects=objects)
        service.client.activate_pipeline(pipelineId=created)
        service.advance(max(0, delay - 1))
        assert (service.poll() is None) == bool(delay)
        service.advance(1)
        assert (service.poll() is None) != bool(delay)


def test_deactivation_stops_the_schedule_and_activation_makes_up_for_what_was_missed(
    quick: Any, make_activity: Any, make_object: Any
) -> None:
    begin = now(quick)
    schedule = hourly(make_object, startDateTime=text(begin), occurrences="6")
    pipeline = quick.run(schedule, make_activity("A"), default=CRON)
    assert work(quick) == [f"@A_{text(begin)}"]
    quick.client.deactivate_pipeline(pipelineId=pipeline)
    quick.advance(4 * HOUR)
    assert quick.poll() is None
    assert len(starts(quick, pipeline)) == 1
    quick.client.activate_pipeline(pipelineId=pipeline)
    assert work(quick) == [f"@A_{text(begin + number * HOUR)}" for number in range(1, 5)]


def test_an_activation_with_a_start_timestamp_skips_what_lies_before_it(
    quick: Any, make_activity: Any, make_object: Any
) -> None:
    begin = now(quick)
    schedule = hourly(make_object, startDateTime=text(begin), occurrences="6")
    pipeline = quick.run(schedule, make_activity("A"), default=CRON)
    quick.client.deactivate_pipeline(pipelineId=pipeline)
    quick.advance(4 * HOUR)
    quick.client.activate_pipeline(pipelineId=pipeline, startTimestamp=begin + 3 * HOUR)
    assert quick.statuses(pipeline)["A"] in ("WAITING_FOR_RUNNER", "SKIPPED")
    assert work(quick) == [f"@A_{text(begin + number * HOUR)}" for number in (3, 4)]
    quick.advance(HOUR)
    work(quick)
    assert quick.state(pipeline) == "FINISHED"
    first = quick.describe(pipeline, f"@A_{text(begin)}")[0]["fields"]
    assert {"key": "@status", "stringValue": "SKIPPED"} in first


def test_a_changed_definition_is_what_later_occurrences_run(quick: Any, make_activity: Any, make_object: Any) -> None:
    begin = now(quick)
    schedule = hourly(make_object, startDateTime=text(begin))
    pipeline = quick.run(schedule, make_activity("A", command="first"), default=CRON)
    work(quick)
    definition = [
        make_object("Default", **CRON),
        hourly(make_object, startDateTime=text(begin), endDateTime=text(begin + 2 * HOUR)),
        make_activity("A", command="second"),
    ]
    quick.client.put_pipeline_definition(pipelineId=pipeline, pipelineObjects=definition)
    quick.client.activate_pipeline(pipelineId=pipeline)
    quick.advance(HOUR)
    task = quick.take()
    fields = task["objects"][task["attemptId"]]["fields"]
    assert {"key": "command", "stringValue": "second"} in fields
    quick.finish(task)
    assert quick.state(pipeline) == "FINISHED"


def test_a_schedule_that_ends_before_it_begins_cannot_be_activated(
    service: Any, make_activity: Any, make_object: Any
) -> None:
    schedule = hourly(make_object, startAt="FIRST_ACTIVATION_DATE_TIME", endDateTime="2012-01-01T00:00:00")
    pipeline = service.pipeline(schedule, make_activity("A"), default=CRON | {"failureAndRerunMode": "cascade"})
    with pytest.raises(ClientError, match="Hourly"):
        service.client.activate_pipeline(pipelineId=pipeline)


def test_as_many_executions_of_an_on_demand_pipeline_go_on_as_it_allows(service: Any, make_activity: Any) -> None:
    pipeline = service.run(make_activity("A"), default={"maxActiveInstances": "2"})
    for _ in range(2):
        service.client.activate_pipeline(pipelineId=pipeline)
    described = service.describe(pipeline, *service.ids(pipeline, "INSTANCE"))
    statuses = [
        next(each["stringValue"] for each in entry["fields"] if each["key"] == "@status") for entry in described
    ]
    assert statuses == ["CANCELED", "WAITING_FOR_RUNNER", "WAITING_FOR_RUNNER"]
    service.finish(service.take())
    assert service.state(pipeline) == "SCHEDULED"
    service.finish(service.take())
    assert service.state(pipeline) == "FINISHED"
