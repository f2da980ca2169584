"""``qa-transform``: the exit status of a script as the result of a check."""

from __future__ import annotations

import signal

import pytest

from core.errors import ActivityTimedOut, CheckFailed, CommandKilled, ScriptNotFound
from tests.acceptance.compute.conftest import Place
from tests.integration.agent.conftest import eventually
from tests.integration.control.conftest import Topic

TASK = {"DUCTRUNNER_PIPELINE_ID": "df-1", "DUCTRUNNER_ATTEMPT_ID": "@Check_it_2026-11-01T00:00:00_Attempt=2"}
SHOW = 'printf "%s\\n" "$@" > $OUTPUT1_STAGING_DIR/x'


def test_the_script_is_told_its_name_and_its_topic_behind_its_own_arguments(place: Place) -> None:
    given = {"command": SHOW, "output": [place.uri("out")], "script_arguments": {"limit": 3}}
    result = place.run("qa-transform", TASK, **given)
    assert place.objects("out/")["x"].decode().splitlines() == ["--limit=3", "--test_name=df-1.Check_it"]
    assert (result.details["success"], result.details["files"]) == (True, 1)
    topic = "arn:aws:sns:us-east-1:123456789012:t"
    place.run("qa-transform", test_name="nightly.rows", sns_topic_arn=topic, **given)
    told = place.objects("out/")["x"].decode().splitlines()
    assert told[1:] == ["--test_name=nightly.rows", f"--sns_topic_arn={topic}"]


@pytest.mark.parametrize("on_failure", ["fail", "warn"])
def test_another_status_than_0_fails_or_warns_and_is_reported(place: Place, on_failure: str) -> None:
    topic = Topic()
    given = {
        "command": f"{SHOW}; echo row of a customer >&2; exit 4",
        "output": [place.uri("out")],
        "on_failure": on_failure,
        "sns_topic_arn": topic.arn,
        "test_name": "nightly.rows",
        "log_to_s3": True,
    }
    variables = {"DUCTRUNNER_ETL_S3_ETL_BUCKET": place.bucket}
    for _ in range(2):
        if on_failure == "fail":
            with pytest.raises(CheckFailed, match="exit status 4"):
                place.run("qa-transform", variables, **given)
        else:
            result = place.run("qa-transform", variables, **given)
            assert (result.details["success"], result.details["exit_status"]) == (False, 4)
        [message] = topic.messages()
        assert message["Subject"] == "Failure on nightly.rows"
        assert "exit status 4" in message["Message"]
        assert "customer" not in message["Message"]
    assert bool(place.objects("out/")) == (on_failure == "warn")
    rows = [row.decode().split("\t") for row in place.objects("qa/dba_table_qa_tests/").values()]
    assert {(row[2], row[4], row[5]) for row in rows} == {("nightly", "nightly.rows", "0")}


def test_a_script_that_came_to_no_result_fails_whatever_is_said(place: Place) -> None:
    with pytest.raises(CommandKilled):
        place.run("qa-transform", command="kill -9 $$", on_failure="warn")
    with pytest.raises(ActivityTimedOut):
        place.run("qa-transform", command="sleep 100", timeout=0.1, on_failure="warn")
    with pytest.raises(ScriptNotFound):
        place.run("qa-transform", script=place.uri("nowhere.sh"), on_failure="warn")


def test_as_a_command_it_ends_with_3_and_killed_in_the_middle_a_rerun_tells_the_result(place: Place) -> None:
    begun = place.directory / "begun"
    words = ["--command", f"test -e {begun} && exit 4; touch {begun}; sleep 1000"]
    process = place.start("qa-transform", *words)
    eventually(begun.exists, "the script's beginning")
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=60)
    assert process.returncode == 143
    status, _, err = place.command("qa-transform", *words)
    assert (status, place.told()["errorId"]) == (3, "CheckFailed")
    assert "qa-transform of qa-transform FAILED: the command ended with exit status 4" in err
