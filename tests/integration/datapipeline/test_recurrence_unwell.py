"""Recurring schedules when things go wrong: kill -9, clocks that jump by years, instances that fail at once."""

from __future__ import annotations

import random
import time
from collections import Counter
from datetime import UTC, datetime
from typing import Any

import pytest

QUARTER, DAY, YEAR = 900, 86_400, 365 * 86_400
PATIENCE = 30.0  # seconds


def text(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%S")


def now(service: Any) -> int:
    return int(service.control("GET", "clock")["seconds"])


def recurring(service: Any, make_object: Any, *objects: Any, **schedule: str) -> str:
    every = make_object("Every", type="Schedule", **{"period": "15 minutes"} | schedule)
    default = {"scheduleType": "cron", "schedule": ">Every", "maximumRetries": "0"}
    return str(service.run(every, *objects, default=default))


def test_a_service_that_is_killed_at_random_creates_and_runs_every_occurrence_once(
    start_service: Any, make_activity: Any, make_object: Any, field_of: Any
) -> None:
    service, chance = start_service("--instance-interval", "0"), random.Random(7)
    begin = now(service)
    schedule = {"startDateTime": text(begin - 12 * QUARTER), "occurrences": "18"}
    node = make_object("Node", type="S3DataNode", directoryPath="s3://b/#{@scheduledStartTime}")
    activities = (make_activity("A", output=">Node"), make_activity("B", input=">Node"))
    pipeline = recurring(service, make_object, node, *activities, **schedule)
    ended: Counter[str] = Counter()
    give_up = time.monotonic() + 120
    while service.state(pipeline) != "FINISHED":
        assert time.monotonic() < give_up, ended
        task = service.poll()
        if task is None:
            service.advance(QUARTER)
        else:
            if chance.random() < 0.2:
                service.kill_and_restart()
            service.finish(task)
            ended[task["attemptId"]] += 1
        if chance.random() < 0.2:
            service.kill_and_restart()
    expected = [text(begin + number * QUARTER) for number in range(-12, 6)]
    assert set(ended.values()) == {1}
    assert sorted(ended) == sorted(f"@{name}_{start}_Attempt=1" for name in "AB" for start in expected)
    instances = service.client.get_paginator("query_objects").paginate(pipelineId=pipeline, sphere="INSTANCE")
    found = [each for page in instances for each in page["ids"]]
    assert sorted(found) == sorted(f"@{name}_{start}" for name in ("A", "B", "Node") for start in expected)


def test_a_clock_that_jumps_by_years_creates_no_more_than_may_be_active(
    start_service: Any, make_activity: Any, make_object: Any
) -> None:
    service = start_service("--instance-interval", "0")
    node = make_object("Node", type="S3DataNode", directoryPath="s3://b/x")
    pipeline = recurring(
        service, make_object, node, make_activity("A", output=">Node"), startAt="FIRST_ACTIVATION_DATE_TIME"
    )
    begin = now(service)
    for _ in range(3):
        service.advance(10 * YEAR)
    assert now(service) == begin + 30 * YEAR
    counts = Counter(each.split("_")[0] for each in service.ids(pipeline, "INSTANCE"))
    assert counts == {"@A": 5, "@Node": 5}
    service.finish(service.take())
    assert service.ids(pipeline, "INSTANCE")[-1] == f"@A_{text(begin + 5 * QUARTER)}"


def test_what_fails_at_once_for_years_is_worked_off_between_calls(
    start_service: Any, make_activity: Any, make_object: Any, field_of: Any
) -> None:
    service = start_service("--instance-interval", "0")
    broken = make_activity("Broken", command="echo #{makeDate(myCount, 1, 1)}")
    every = make_object("Every", type="Schedule", period="15 minutes", startAt="FIRST_ACTIVATION_DATE_TIME")
    default = {"scheduleType": "cron", "schedule": ">Every"}
    values = [{"id": "myCount", "stringValue": "never"}]
    pipeline = service.run(every, broken, default=default, parameterValues=values)

    def latest() -> str:
        return str(field_of(service.describe(pipeline, "Broken")[0], "@latestRunTime"))

    service.advance(YEAR)
    seen = latest()
    assert seen < text(now(service) - 30 * DAY)
    other = service.run(make_activity("Other"))
    assert service.take()["pipelineId"] == other
    give_up = time.monotonic() + PATIENCE
    while latest() == seen:
        assert time.monotonic() < give_up, "what is left is not worked off"
    service.client.delete_pipeline(pipelineId=pipeline)


@pytest.mark.parametrize("seconds", [1e12, 1e300])
def test_a_clock_cannot_be_moved_behind_the_end_of_the_calendar(service: Any, seconds: float) -> None:
    status, answer, _ = service.raw("POST", "/_sandbox/clock", f'{{"advance": {seconds}}}'.encode())
    assert (status, answer["__type"]) == (400, "InvalidRequestException")
    assert "9999" in answer["message"]


def test_an_endless_monthly_schedule_ends_with_the_calendar(
    start_service: Any, make_activity: Any, make_object: Any
) -> None:
    service = start_service("--instance-interval", "0")
    pipeline = recurring(
        service, make_object, make_activity("A"), startDateTime="9999-10-31T00:00:00", period="1 month"
    )
    far = datetime(9999, 12, 30, tzinfo=UTC).timestamp()
    service.advance(far - now(service))
    starts = [each.removeprefix("@A_")[:10] for each in service.ids(pipeline, "INSTANCE")]
    assert starts == ["9999-10-31", "9999-11-30"]
