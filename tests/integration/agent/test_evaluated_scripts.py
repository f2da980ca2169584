"""Expressions in scripts that lie in S3: left as they are, unless somebody asks for their evaluation."""

from __future__ import annotations

import pytest

SCRIPT = "#!/usr/bin/env bash\nprintf '%s|%s|%s\\n' '#{@pipelineId}' \"$1\" 'back\\slash é'\n"


@pytest.fixture
def script(s3_client, s3_bucket):
    """A function that puts a script into S3 and returns its address."""

    def put(text):
        s3_client.put_object(Bucket=s3_bucket, Key="script.sh", Body=text.encode())
        return f"s3://{s3_bucket}/script.sh"

    return put


def test_by_default_they_stay_as_they_are(served, script):
    pipeline = served.shell(None, scriptUri=script(SCRIPT), scriptArgument="one")
    assert served.ended(pipeline)["@status"] == "FINISHED"
    assert served.log_of(pipeline) == "#{@pipelineId}|one|back\\slash é\n"


def test_a_task_may_ask_for_it(served, script):
    pipeline = served.shell(None, scriptUri=script(SCRIPT), scriptArgument="a b", myEvaluateScript="TRUE")
    assert served.ended(pipeline)["@status"] == "FINISHED", served.ended(pipeline)
    assert served.log_of(pipeline) == f"{pipeline}|a b|back\\slash é\n"


def test_the_agent_may_ask_for_it_and_a_task_may_decline(bench, script):
    uri = script("echo '#{@pipelineId}'\n")
    bench.agent(DUCTRUNNER_AGENT_EVALUATE_SCRIPTS="true")
    asked = bench.shell(None, scriptUri=uri)
    assert bench.ended(asked)["@status"] == "FINISHED"
    assert bench.log_of(asked) == f"{asked}\n"
    declined = bench.shell(None, scriptUri=uri, myEvaluateScript="false")
    assert bench.ended(declined)["@status"] == "FINISHED"
    assert bench.log_of(declined) == "#{@pipelineId}\n"


@pytest.mark.parametrize(
    ("body", "error", "words"),
    [
        (b"echo '#{nowhere.field}'\n", "RequestRefused", "nowhere"),
        (b"echo \xff #{@pipelineId}\n", "TaskMalformed", "is not UTF-8"),
    ],
)
def test_what_cannot_be_evaluated_is_a_failure(served, s3_client, s3_bucket, body, error, words):
    s3_client.put_object(Bucket=s3_bucket, Key="script.sh", Body=body)
    pipeline = served.shell(None, scriptUri=f"s3://{s3_bucket}/script.sh", myEvaluateScript="true")
    attempt = served.ended(pipeline)
    assert (attempt["@status"], attempt["errorId"]) == ("FAILED", error)
    assert words in attempt["errorMessage"]


def test_a_script_that_is_not_there_is_missed_when_it_is_to_be_evaluated_too(served, s3_bucket):
    pipeline = served.shell(None, scriptUri=f"s3://{s3_bucket}/none.sh", myEvaluateScript="true")
    assert served.ended(pipeline)["errorId"] == "ScriptNotFound"
