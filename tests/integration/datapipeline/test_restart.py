"""State survives kill -9 at every step: what was answered to a client stands."""

from __future__ import annotations

import subprocess
import sys
from typing import Any


def test_a_service_killed_after_every_call_ends_the_run_as_if_nothing_had_happened(
    start_service: Any, make_activity: Any, make_object: Any, field_of: Any
) -> None:
    service = start_service()
    client = service.client
    created = client.create_pipeline(name="kept", uniqueId="1", tags=[{"key": "a", "value": "b"}])["pipelineId"]
    service.kill_and_restart()
    objects = [
        make_object("Default", scheduleType="ondemand", maximumRetries="1", retryDelay="3 minutes"),
        make_activity("A", attemptTimeout="1 hour"),
        make_activity("B", dependsOn=">A", command="echo #{myWord}"),
    ]
    values = [{"id": "myWord", "stringValue": "later"}]
    service.client.put_pipeline_definition(pipelineId=created, pipelineObjects=objects, parameterValues=values)
    service.kill_and_restart()
    service.client.activate_pipeline(pipelineId=created)
    service.kill_and_restart()
    task = service.take()
    service.kill_and_restart()
    assert service.poll() is None
    assert service.acknowledge(task) is False
    service.kill_and_restart()
    assert service.statuses(created) == {"A": "RUNNING", "B": "WAITING_ON_DEPENDENCIES"}
    service.finish(task, "FAILED", errorMessage="first")
    service.kill_and_restart()
    assert service.poll() is None
    service.advance(181)
    service.kill_and_restart()
    second = service.take()
    assert second["attemptId"].endswith("_Attempt=2")
    service.finish(second)
    service.kill_and_restart()
    service.finish(second)
    third = service.take()
    assert field_of(third["objects"][third["attemptId"]], "command") == "echo later"
    service.finish(third)
    service.kill_and_restart()
    assert service.state(created) == "FINISHED"
    assert service.poll() is None
    described = service.client.describe_pipelines(pipelineIds=[created])["pipelineDescriptionList"][0]
    assert described["tags"] == [{"key": "a", "value": "b"}]
    assert service.client.create_pipeline(name="kept", uniqueId="1")["pipelineId"] == created


def test_windows_go_on_after_a_restart(start_service: Any, make_activity: Any) -> None:
    service = start_service()
    service.run(make_activity("A", attemptTimeout="10 minutes", maximumRetries="0"))
    first = service.take()
    service.advance(60)
    service.kill_and_restart()
    service.advance(59)
    assert service.poll() is None
    service.advance(2)
    second = service.take()
    assert second["taskId"] != first["taskId"]
    service.acknowledge(second)
    service.kill_and_restart()
    service.advance(301)
    third = service.take()
    service.acknowledge(third)
    service.kill_and_restart()
    service.advance(240)
    assert service.acknowledge(third) is True


def test_a_manual_clock_that_was_never_moved_stands_still_through_a_restart(start_service: Any) -> None:
    service = start_service()
    before = service.control("GET", "clock")
    service.kill_and_restart()
    assert service.control("GET", "clock") == before


def test_cancel_pause_deactivation_and_deletion_survive(start_service: Any, make_activity: Any) -> None:
    service = start_service()
    canceled = service.run(make_activity("A"))
    task = service.take()
    service.set_status(canceled, "TRY_CANCEL", "A")
    paused = service.run(make_activity("A"))
    service.client.set_status(pipelineId=paused, objectIds=["A"], status="PAUSE")
    inactive = service.run(make_activity("A"))
    service.client.deactivate_pipeline(pipelineId=inactive)
    deleted = service.run(make_activity("A"))
    service.client.delete_pipeline(pipelineId=deleted)
    service.kill_and_restart()
    assert service.acknowledge(task) is True
    assert service.poll() is None
    assert service.statuses(paused) == {"A": "PAUSED"}
    assert service.state(inactive) == "INACTIVE"
    listed = {entry["id"] for entry in service.client.list_pipelines()["pipelineIdList"]}
    assert listed == {canceled, paused, inactive}
    service.client.set_status(pipelineId=paused, objectIds=["A"], status="RESUME")
    assert service.take()["pipelineId"] == paused


def test_the_database_can_be_read_by_its_owner_only(start_service: Any, tmp_path: Any) -> None:
    start_service()
    modes = {path.stat().st_mode & 0o077 for path in tmp_path.glob("*/state.db*")}
    assert modes == {0}


def test_a_second_service_on_the_same_database_is_refused(start_service: Any, tmp_path: Any) -> None:
    start_service()
    database = next(tmp_path.glob("*/state.db"))
    second = subprocess.run(
        [sys.executable, "-m", "sandbox.datapipeline", "--database", database], capture_output=True, timeout=60
    )
    assert second.returncode == 1
    assert b"database is locked" in second.stderr
