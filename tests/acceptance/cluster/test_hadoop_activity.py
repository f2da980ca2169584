"""HadoopActivity: a jar with its scripts before and after, on the real Hadoop."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.acceptance.cluster.conftest import Bucket, Steps

STREAMING = "/home/hadoop/contrib/streaming/hadoop-streaming.jar"
COUNTED = ["again\t1", "hello\t2", "world\t1"]


def hadoop(jar: str, *argument: str, **fields: Any) -> dict[str, Any]:
    return {"type": "HadoopActivity", "jarUri": jar, "argument": list(argument), **fields}


def config(uri: str, *argument: str) -> dict[str, Any]:
    return {"id": "Config", "type": "ShellScriptConfig", "scriptUri": uri, "scriptArgument": list(argument)}


def test_the_guides_example_counts_words_between_its_two_scripts(
    steps: Steps, bucket: Bucket, streaming: Callable[[str], list[str]]
) -> None:
    before = bucket.put("before.sh", 'echo "before $@"')
    after = bucket.put("after.sh", "#!/usr/bin/env python3\nimport sys\nprint('after', *sys.argv[1:])\n")
    activity = hadoop(
        STREAMING,
        *streaming("out"),
        hadoopQueue="high",
        preActivityTaskConfig=config(before, "test", "argument"),
        postActivityTaskConfig=config(after, "test", "argument"),
    )
    out = steps.finish(activity)
    assert out.splitlines()[:2] == ["before test argument", "after test argument"]
    assert bucket.lines("out/") == COUNTED


def test_the_main_class_of_the_definition_wins_over_that_of_the_jar(
    steps: Steps, bucket: Bucket, engines: Path, tmp_path: Path
) -> None:
    [examples] = engines.parent.glob("share/hadoop/mapreduce/hadoop-mapreduce-examples-*.jar")
    with zipfile.ZipFile(examples) as archive:
        assert b"Main-Class: org.apache.hadoop.examples.ExampleDriver" in archive.read("META-INF/MANIFEST.MF")
    steps.finish(
        hadoop(str(examples), f"{bucket}/in", f"{bucket}/out", mainClass="org.apache.hadoop.examples.WordCount")
    )
    assert bucket.lines("out/") == COUNTED


def test_a_script_before_that_fails_is_named_and_the_jar_is_not_run(
    steps: Steps, bucket: Bucket, streaming: Callable[[str], list[str]]
) -> None:
    script = bucket.put("before.sh", "exit 3")
    document = steps.fail(hadoop(STREAMING, *streaming("out"), preActivityTaskConfig=config(script)))
    assert document["errorId"] == "CommandFailed"
    assert f"preActivityTaskConfig ({script}) ended with exit status 3" in document["errorMessage"]
    assert bucket.keys("out/") == []
