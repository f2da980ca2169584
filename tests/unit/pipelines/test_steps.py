from __future__ import annotations

from datetime import UTC, datetime

import pytest

from core.errors import SandboxError, SettingsError
from pipelines.places import find_place, is_loopback
from pipelines.report import Places, summary
from pipelines.steps import Step, blocked, unfinished
from pipelines.watch import Look, Occurrences


def step(name: str, status: str, *waiting_on: str, kind: str = "ShellCommandActivity", **fields: str) -> Step:
    return Step(name, name.split("_")[0].lstrip("@"), kind, status, fields, waiting_on)


def test_what_waits_for_something_failed_is_blocked_through_others_too() -> None:
    steps = [
        step("@C_1", "WAITING_ON_DEPENDENCIES", "@B_1"),
        step("@B_1", "WAITING_ON_DEPENDENCIES", "@A_1"),
        step("@A_1", "FAILED"),
        step("@D_1", "WAITING_ON_DEPENDENCIES", "@E_1"),
        step("@E_1", "RUNNING"),
        step("@R_1", "RUNNING", kind="EmrCluster"),
    ]
    assert blocked(steps) == {"@B_1", "@C_1"}
    assert [one.id for one in unfinished(steps)] == ["@D_1", "@E_1"]


def test_a_circle_of_waiting_steps_is_no_endless_loop() -> None:
    steps = [step("@A_1", "WAITING_ON_DEPENDENCIES", "@B_1"), step("@B_1", "WAITING_ON_DEPENDENCIES", "@A_1")]
    assert not blocked(steps)


def test_the_first_occurrences_of_each_component() -> None:
    steps = [
        step("@A_2", "RUNNING", **{"@scheduledStartTime": "2024-01-02T00:00:00"}),
        step("@A_1", "FINISHED", **{"@scheduledStartTime": "2024-01-01T00:00:00"}),
        step("@B_1", "FINISHED", **{"@scheduledStartTime": "2024-01-01T00:00:00"}),
    ]
    look = Look("SCHEDULED", steps, "2024-01-03T00:00:00")
    assert not look.done
    first = look.first(Occurrences(1, frozenset({"A", "B"})))
    assert first is not None
    assert [one.id for one in first.steps] == ["@A_1", "@B_1"]
    assert first.done
    assert look.first(Occurrences(2, frozenset({"A", "B"}))) is None, "B has had one only"
    assert look.first(Occurrences(1, frozenset({"A", "B", "C"}))) is None, "C has had none yet"


def test_counts_and_times_are_read_from_what_the_worker_says() -> None:
    one = step("@A_1", "RUNNING", attemptStatus="load rows=1200 bytes=7", **{"@actualStartTime": "2024-01-01T00:00:00"})
    assert (one.count("rows"), one.count("bytes"), one.count("files")) == (1200, 7, None)
    assert one.seconds(datetime(2024, 1, 1, 0, 1, tzinfo=UTC)) == 60
    assert step("@A_1", "CANCELED").seconds() is None
    begun = one.begun("2024-01-01T00:00:30")
    assert begun.seconds(datetime(2024, 1, 1, 0, 1, tzinfo=UTC)) == 30
    assert begun.begun(None).seconds() is None


@pytest.mark.parametrize(
    ("url", "here"),
    [
        ("http://127.0.0.1:4566", True),
        ("http://[::1]:80", True),
        ("http://localhost:1", True),
        ("https://datapipeline.us-east-1.amazonaws.com", False),
        ("http://127.0.0.1.example.org", False),
        ("http://127.0.0.1@example.org", False),
        ("http://10.0.0.1", False),
        ("http://[", False),
        ("", False),
    ],
)
def test_only_this_machine_is_this_machine(url: str, here: bool) -> None:
    assert is_loopback(url) is here


HERE = "http://127.0.0.1:9"


@pytest.mark.parametrize(
    "environment",
    [
        {"AWS_ENDPOINT_URL_DATA_PIPELINE": HERE},
        {"AWS_ENDPOINT_URL": HERE},
        {"AWS_ENDPOINT_URL_DATA_PIPELINE": "https://aws.example.com", "AWS_ENDPOINT_URL": HERE},
        {
            "AWS_ENDPOINT_URL_DATA_PIPELINE": HERE,
            "AWS_ENDPOINT_URL": HERE,
            "AWS_ENDPOINT_URL_S3": "https://s3.example.com",
        },
    ],
)
def test_an_environment_that_leads_to_aws_in_part_is_refused(environment: dict[str, str]) -> None:
    with pytest.raises(SettingsError, match="--aws"):
        find_place(aws=False, state_dir=None, environment=environment)
    assert not find_place(aws=True, state_dir=None, environment=environment).local


def test_aws_is_never_where_nothing_is_said(tmp_path_factory: pytest.TempPathFactory) -> None:
    nowhere = tmp_path_factory.mktemp("none")
    environment = {"DUCTRUNNER_SANDBOX_STATE": str(nowhere), "PATH": "/usr/bin:/bin", "AWS_REGION": "us-east-1"}
    with pytest.raises(SandboxError, match="ductrunner sandbox up"):
        find_place(aws=False, state_dir=None, environment=environment)


def test_the_place_of_logs_in_s3_is_not_told_while_it_is_an_expression() -> None:
    tried = {"@headAttempt": "@A_1_Attempt=1"}
    written = step("@A_1", "FINISHED", pipelineLogUri="#{myLogs}/x", **tried)
    known = step("@A_1", "FINISHED", pipelineLogUri="s3://b/x/", **tried)
    assert Places("df-1").remote(written) is None
    assert Places("df-1").remote(known) == "s3://b/x/df-1/A/@A_1/@A_1_Attempt=1"
    assert not any("#{" in line for line in summary([written], Places("df-1")))
