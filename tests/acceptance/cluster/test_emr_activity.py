"""EmrActivity: steps in order on real engines; what fails says which step."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.acceptance.cluster.conftest import Bucket, Steps
from tests.integration.agent.conftest import Bench, eventually

STREAMING = "/home/hadoop/contrib/streaming/hadoop-streaming.jar"
EXAMPLES = "/home/hadoop/hadoop-examples.jar"
COUNTED = ["again\t1", "hello\t2", "world\t1"]


def emr(*step: str, **fields: Any) -> dict[str, Any]:
    return {"type": "EmrActivity", "step": list(step), **fields}


def test_steps_run_in_order_between_the_commands_before_and_after_them(
    steps: Steps, bucket: Bucket, engines: Path
) -> None:
    [examples] = engines.parent.glob("share/hadoop/mapreduce/hadoop-mapreduce-examples-*.jar")
    jar = bucket.put("jars/my examples.jar", examples.read_bytes())
    out = steps.finish(
        emr(
            f"{jar},wordcount,-D,mapreduce.job.reduces=2,{bucket}/in,{bucket}/counted",
            f"command-runner.jar,hadoop,fs,-mv,{bucket}/counted,{bucket}/moved",
            preStepCommand=["echo one", "echo two > made"],
            postStepCommand="cat made; echo three",
        )
    )
    assert out.splitlines()[:3] == ["one", "two", "three"]
    assert bucket.lines("moved/") == COUNTED
    assert len([key for key in bucket.keys("moved/") if "/part-r-" in key]) == 2
    assert bucket.keys("counted/") == []


def test_a_script_of_s3_gets_an_argument_with_commas(steps: Steps, bucket: Bucket) -> None:
    script = bucket.put("echo.sh", 'printf "<%s>\\n" "$@"')
    runner = "s3://eu-west-1.elasticmapreduce/libs/script-runner/script-runner.jar"
    out = steps.finish(emr(f"{runner},{script},a\\,b\\\\,c,d e"))
    assert out.splitlines()[:2] == ["<a,b,c>", "<d e>"]


def test_emrs_own_script_for_pig_runs_a_script_of_s3(steps: Steps, bucket: Bucket) -> None:
    text = f"STORE (LOAD '$INPUT' USING PigStorage(' ') AS (a, b)) INTO '{bucket}/out' USING PigStorage(',');"
    script = bucket.put("script.pig", text)
    runner = "s3://elasticmapreduce/libs/script-runner/script-runner.jar,s3://elasticmapreduce/libs/pig/pig-script"
    steps.finish(
        emr(
            f"{runner},--base-path,s3://elasticmapreduce/libs/pig/,--install-pig,--pig-versions,latest",
            f"{runner},--run-pig-script,--args,-f,{script},-p,INPUT={bucket}/in",
        )
    )
    assert bucket.lines("out/") == ["hello,again", "hello,world"]


def test_a_step_that_fails_is_named_and_nothing_after_it_runs(steps: Steps, bucket: Bucket) -> None:
    document = steps.fail(
        emr(
            "command-runner.jar,true",
            f"{EXAMPLES},wordcount,{bucket}/nothing-there,{bucket}/out",
            f"command-runner.jar,hadoop,fs,-mv,{bucket}/in,{bucket}/moved",
            postStepCommand=f"hadoop fs -rm -r {bucket}/in",
        )
    )
    assert document["errorId"] == "CommandFailed"
    assert f"step 2 of 3 ({EXAMPLES}) ended with exit status" in document["errorMessage"]
    assert len(bucket.keys("in/")) == 2


def test_what_is_missing_is_named(steps: Steps, bucket: Bucket) -> None:
    nowhere = steps.fail(emr(f"{bucket}/no.jar,a"))
    assert (nowhere["errorId"], f"'{bucket}/no.jar' is not there" in nowhere["errorMessage"]) == (
        "ScriptNotFound",
        True,
    )
    program = steps.fail(emr("command-runner.jar,s3-dist-cp,--src,a"))
    assert program["errorId"] == "ProgramMissing"
    assert "needs the program 's3-dist-cp'" in program["errorMessage"]
    script = steps.fail(emr("s3://elasticmapreduce/libs/script-runner/script-runner.jar,/no/such/script"))
    assert script["errorId"] == "ScriptNotFound"
    assert "the script '/no/such/script' is not on this machine" in script["errorMessage"]


def test_without_hadoop_nothing_is_run_and_the_error_says_what_this_machine_is(
    steps: Steps, bucket: Bucket, tmp_path: Path
) -> None:
    document = steps.fail(emr(f"{bucket}/x.jar", preStepCommand=f"touch {tmp_path}/ran"), PATH=os.defpath)
    assert document["errorId"] == "ProgramMissing"
    assert "Work needs the program 'hadoop'" in document["errorMessage"]
    assert "no node of an EMR cluster" in document["errorMessage"]
    assert not (tmp_path / "ran").exists()


def test_a_cancelled_step_leaves_no_process_and_no_file(steps: Steps, bucket: Bucket, tmp_path: Path) -> None:
    begun = tmp_path / "begun"
    bucket.put("wait.sh", f"touch {begun}; sleep 1000")
    process = steps.start(
        emr(f"{STREAMING},-files,{bucket}/wait.sh,-mapper,bash wait.sh,-input,{bucket}/in,-output,{bucket}/out")
    )
    eventually(begun.exists, "the mapper")
    step = psutil.Process(process.pid)
    eventually(lambda: {"java", "sleep"} <= {member.name() for member in step.children(recursive=True)}, "its sleep")
    family = step.children(recursive=True)
    os.kill(process.pid, signal.SIGTERM)
    process.communicate(timeout=60)
    assert process.returncode == 143
    assert not any(member.is_running() and member.status() != psutil.STATUS_ZOMBIE for member in family)
    assert [path.name for path in steps.result.parent.iterdir()] == ["result.json"]


def test_keys_of_the_workers_own_flags_reach_the_cluster_but_no_script_of_the_user(
    bench: Bench, engines: Path, bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    script = bucket.put("show.sh", 'echo "script: ${AWS_SECRET_ACCESS_KEY-none}"')
    runner = f"s3://elasticmapreduce/libs/script-runner/script-runner.jar,{script}"
    activity = emr(
        runner,
        "command-runner.jar,sh,-c,echo program: ${#AWS_SECRET_ACCESS_KEY}",
        preStepCommand='echo "command: ${AWS_SECRET_ACCESS_KEY-none}"',
    )
    bench.agent("--once", "--accessId=AKIDOFFLAGS", "--secretKey=secret-of-the-flags")
    pipeline = bench.run({"id": "Work", "maximumRetries": "0", **activity})
    assert bench.ended(pipeline)["@status"] == "FINISHED"
    lines = bench.log_of(pipeline).splitlines()
    assert lines[:3] == ["command: none", "script: none", "program: 19"]
