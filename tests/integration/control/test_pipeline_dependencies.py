"""The eight documented rules of waiting for other pipelines, against a real service."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.request

import pytest

from core.errors import DependencyFailed, NotFound, ParameterError
from tests.integration.control.conftest import Looks, run_step

STEP = "pipeline-dependencies"


def test_nothing_listed_is_done_at_once(pipelines):
    assert run_step(STEP).details["pipelines"] == 0


def test_a_name_that_is_unknown_is_an_error(pipelines):
    name, _ = pipelines.make()
    with pytest.raises(NotFound, match="Pipeline not found: no-such-pipeline"):
        run_step(STEP, dependencies=(name, "no-such-pipeline"))


def test_a_pipeline_that_runs_is_waited_for(pipelines):
    name, _ = pipelines.make()
    looks = Looks(lambda number: pipelines.end(name, "FINISHED") if number == 2 else None)
    assert run_step(STEP, looks, dependencies=(name,), refresh_rate=0.01).details["pipelines"] == 1
    assert looks.phases == ["waits for 1 of 1 pipelines"] * 2 + ["waits for 0 of 1 pipelines"]


def test_a_pipeline_without_a_run_of_the_day_is_an_error(pipelines):
    name, _ = pipelines.make()
    with pytest.raises(DependencyFailed, match="does not exist today"):
        run_step(STEP, dependencies=(name,), start_date="2001-01-01")


@pytest.mark.parametrize("status", ["FAILED", "CANCELED"])
def test_a_pipeline_that_ended_badly_is_an_error_that_names_the_status(pipelines, status):
    name, pipeline = pipelines.make()
    if status == "FAILED":
        pipelines.end(name, "FAILED")
    else:
        [instance] = pipelines.client.query_objects(pipelineId=pipeline, sphere="INSTANCE")["ids"]
        pipelines.client.set_status(pipelineId=pipeline, objectIds=[instance], status="TRY_CANCEL")
    with pytest.raises(DependencyFailed, match=rf"{name} has the bad status {status}"):
        run_step(STEP, dependencies=(name,))


def test_failures_that_are_ok_are_waited_for_and_told_together_in_one_message(pipelines, topic):
    bad, other, slow = (pipelines.make()[0] for _ in range(3))
    for name in (bad, other):
        pipelines.end(name, "FAILED")
    looks = Looks(lambda number: pipelines.end(slow, "FINISHED") if number == 1 else None)
    names = (bad, other, slow, "no-such-pipeline")
    given = {"pipeline_name": "mine", "sns_topic_arn": topic.arn, "refresh_rate": 0.01}
    result = run_step(STEP, looks, dependencies_ok_to_fail=names, **given)
    assert len(result.details["failed"]) == 3
    [message] = topic.messages()
    assert message["Subject"] == "Dependency error for pipeline: mine."
    assert all(name in message["Message"] for name in (bad, other, "no-such-pipeline"))
    assert slow not in message["Message"]


def test_without_a_topic_failures_that_are_ok_are_told_on_stderr(pipelines, capsys):
    name, _ = pipelines.make()
    pipelines.end(name, "FAILED")
    run_step(STEP, dependencies_ok_to_fail=(name,), sns_topic_arn="None")
    assert f"Failed dependencies: {name} has the bad status FAILED" in capsys.readouterr().err


def test_a_name_of_two_pipelines_or_of_itself_is_refused(pipelines, monkeypatch):
    name, pipeline = pipelines.make()
    monkeypatch.setenv("DUCTRUNNER_PIPELINE_ID", pipeline)
    with pytest.raises(ParameterError, match="this pipeline itself"):
        run_step(STEP, dependencies=(name,))
    pipelines.make(name)
    with pytest.raises(ParameterError, match="2 pipelines have the name"):
        run_step(STEP, dependencies=(name,))


def test_names_get_the_prefix_of_the_configuration(pipelines, monkeypatch):
    name, _ = pipelines.make("stage_" + pipelines.make()[0])
    pipelines.end(name, "FINISHED")
    monkeypatch.setenv("DUCTRUNNER_ETL_NAME_PREFIX", "stage")
    assert run_step(STEP, dependencies=(name.removeprefix("stage_"),)).details["pipelines"] == 1


def test_throttling_slows_it_down_and_fails_nothing(pipelines, datapipeline_environment):
    name, _ = pipelines.make()
    pipelines.end(name, "FINISHED")
    fault = {"operation": "QueryObjects", "fault": "error", "count": 3, "status": 400, "code": "ThrottlingException"}
    urllib.request.urlopen(f"{datapipeline_environment}/_sandbox/faults", json.dumps(fault).encode()).close()
    assert run_step(STEP, dependencies=(name,)).details["failed"] == []


def test_as_a_command_it_ends_with_1_and_says_which(pipelines):
    name, _ = pipelines.make()
    pipelines.end(name, "FAILED")
    words = ["step", STEP, "--dependencies", name]
    done = subprocess.run([sys.executable, "-m", "ductrunner", *words], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert json.loads(done.stdout)["errorId"] == "DependencyFailed"
