"""``emr-streaming`` and ``emr-step`` on the engines of one machine."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import psutil
import pytest
from pydantic import ValidationError

from core.errors import CommandFailed, ParameterError, ProgramMissing, ScriptNotFound
from steps_impl.activities.cluster.applications import run_tag
from steps_impl.compute.emr_streaming import EmrStreamingParameters, job_words
from tests.acceptance.cluster.conftest import MAPPER
from tests.acceptance.compute.conftest import Place
from tests.integration.agent.conftest import eventually

REDUCER = """#!/usr/bin/env python3
import itertools, sys
pairs = (line.rstrip("\\n").split("\\t") for line in sys.stdin)
for word, group in itertools.groupby(pairs, lambda pair: pair[0]):
    print(f"{word.removeprefix('LongValueSum:')}\\t{sum(int(count) for _, count in group)}\\t{sys.argv[1]}")
"""
COUNTED = ["again\t1\tx", "hello\t2\tx", "world\t1\tx"]


@pytest.fixture
def words(place: Place, engines: Path) -> dict[str, object]:
    """A job that counts words, from a folder and a file, into ``out``."""
    place.put("in/a.txt", "hello world\n")
    place.put("b.txt", "hello again\n")
    return {
        "mapper": place.put("code/map.py", MAPPER),
        "reducer": f"{place.put('code/reduce.py', REDUCER)} x",
        "input": [place.uri("in/"), place.uri("b.txt")],
        "output_path": place.uri("out/"),
        "hadoop_params": ["-D", "mapreduce.job.reduces=2"],
    }


def lines(objects: dict[str, bytes]) -> list[str]:
    return sorted(line for body in objects.values() for line in body.decode().splitlines())


def test_a_job_of_scripts_in_s3_counts_words_and_run_twice_leaves_the_same(
    place: Place, words: dict[str, object]
) -> None:
    place.put("out/former", "gone\t1\n")
    place.put("out_of_this/kept", "kept")
    for _ in range(2):
        result = place.run("emr-streaming", **words)
        found = place.objects("out/")
        assert sorted(found) == ["_SUCCESS", "part-00000", "part-00001"]
        assert lines(found) == COUNTED
        assert result.details["files"] == 2
    assert set(place.objects("out")) == {f"/{name}" for name in found} | {"_of_this/kept"}


def test_a_job_that_fails_or_may_not_replace_leaves_the_former_output(place: Place, words: dict[str, object]) -> None:
    place.put("out/former", "kept")
    with pytest.raises(CommandFailed, match="the streaming job"):
        place.run("emr-streaming", **{**words, "mapper": "false"})
    with pytest.raises(ParameterError, match="is there already"):
        place.run("emr-streaming", **words, existing_output="refuse")
    assert place.objects("out") == {"/former": b"kept"}


def test_on_the_clusters_own_file_system_the_output_takes_its_place_too(
    place: Place, engines: Path, tmp_path: Path
) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "f").write_text("b\na\n")
    mapper = tmp_path / "upper.sh"
    mapper.write_text("#!/bin/sh\ntr a-z A-Z\n")
    mapper.chmod(0o755)
    (tmp_path / "new" / "out").mkdir(parents=True)
    (tmp_path / "new" / "out" / "former").write_text("gone")
    given = {"mapper": str(mapper), "input": [str(tmp_path / "in")], "output_path": str(tmp_path / "new" / "out")}
    place.run("emr-streaming", **given)
    [part] = (tmp_path / "new").rglob("part-*")
    assert (part.parent, part.read_text().split()) == (tmp_path / "new" / "out", ["A", "B"])
    assert not (tmp_path / "new" / "out" / "former").exists()


def test_a_cancelled_job_leaves_no_process_and_a_rerun_takes_nothing_of_it(
    place: Place, words: dict[str, object]
) -> None:
    begun = place.directory / "begun"
    place.put("code/map.py", f"#!/bin/sh\ntest -e {begun} && exec cat\ntouch {begun}\nsleep 1000\n")
    flags = ["--mapper", str(words["mapper"]), "--reducer", "cat", "--input", place.uri("in/")]
    flags += ["--output-path", place.uri("out")]
    place.put("out/former", "kept")
    process = place.start("emr-streaming", *flags)
    eventually(begun.exists, "the mapper")
    family = psutil.Process(process.pid).children(recursive=True)
    os.kill(process.pid, signal.SIGTERM)
    process.communicate(timeout=60)
    assert process.returncode == 143
    assert not any(member.is_running() and member.status() != psutil.STATUS_ZOMBIE for member in family)
    assert place.objects("out") == {"/former": b"kept"}
    draft = f"out_{run_tag('draft', place.uri('out'))}"
    for name in ("part-00000", "_temporary/0/x"):
        place.put(f"{draft}/{name}", "what a run that was killed with -9 leaves")
    status, _, err = place.command("emr-streaming", *flags)
    assert status == 0, err
    found = place.objects("out")
    assert sorted(found) == ["/_SUCCESS", "/part-00000"]
    assert lines(found) == ["hello world\t"]


def test_bad_parameters_are_refused(place: Place, words: dict[str, object], monkeypatch: pytest.MonkeyPatch) -> None:
    for wrong in ({"mapper": ""}, {"input": []}, {"output_path": f"{place.uri('in')}/deep"}):
        with pytest.raises(ValidationError):
            place.run("emr-streaming", **{**words, **wrong})
    for whole in (f"s3://{place.bucket}/", "hdfs:///", "/"):
        with pytest.raises((ParameterError, ValidationError), match=r"is a whole|in one another"):
            place.run("emr-streaming", **{**words, "output_path": whole, "input": ["other:/in"]})
    for wrong in ({"reducer": f"{place.uri('code/gone.py')} x"}, {"files": [f"{place.uri('gone.txt')}#here"]}):
        with pytest.raises(ScriptNotFound, match=r"gone\.(py|txt#here) is not there"):
            place.run("emr-streaming", **{**words, **wrong})
    monkeypatch.setenv("PATH", os.defpath)
    with pytest.raises(ProgramMissing, match="needs the program 'hadoop'"):
        place.run("emr-streaming", **words)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"mapper": "cat"}, ["-input", "i", "-output", "o", "-mapper", "cat"]),
        (
            {"mapper": "s3://b/m.py --x 1", "reducer": "NONE", "hadoop_params": ["-D", "a=b"]},
            ["-files", "s3://b/m.py", "-D", "a=b", "-input", "i", "-output", "o", "-mapper", "m.py --x 1", "-reducer",
             "NONE"],
        ),
        (
            {"mapper": "s3://b/m", "combiner": "s3://b/m", "files": ["s3://b/f"], "hadoop_params": ["-files", "g"]},
            ["-files", "g,s3://b/f,s3://b/m", "-input", "i", "-output", "o", "-mapper", "m", "-combiner", "m"],
        ),
    ],
)  # fmt: skip
def test_hadoops_options_come_before_those_of_streaming(given: dict[str, object], expected: list[str]) -> None:
    parameters = EmrStreamingParameters.model_validate({"input": "i", "output_path": "x", **given})
    assert job_words(parameters, "o") == expected


def test_an_emr_step_runs_as_emr_writes_it_and_run_twice_leaves_the_jobs_first_output(
    place: Place, words: dict[str, object]
) -> None:
    jar = "/home/hadoop/contrib/streaming/hadoop-streaming.jar"
    job = f"{jar},-D,mapreduce.job.reduces=1,-files,{place.uri('code/map.py')}\\\\,{place.uri('code/reduce.py')}"
    job += f",-output,{place.uri('counted')},-input,{place.uri('in')},-mapper,map.py,-reducer,reduce.py y"
    assert place.run("emr-step", step_string=job).details["steps"] == 1
    with pytest.raises(CommandFailed, match="step 1 of 2"):
        place.run("emr-step", step_string=[job, f"command-runner.jar,hadoop,fs,-rm,-r,{place.uri('counted')}"])
    assert lines(place.objects("counted/")) == ["hello\t1\ty", "world\t1\ty"]


def test_an_emr_step_that_fails_or_names_nothing_is_told(place: Place, engines: Path) -> None:
    with pytest.raises(CommandFailed, match=r"step 1 of 1 \(command-runner.jar false\)"):
        place.run("emr-step", step_string="command-runner.jar,false")
    with pytest.raises(ParameterError, match="names no jar"):
        place.run("emr-step", step_string=["command-runner.jar,true", ",a"])
    with pytest.raises(ValidationError):
        place.run("emr-step", step_string=[])


def test_a_cancelled_emr_step_leaves_no_process_and_no_file(place: Place, engines: Path) -> None:
    begun = place.directory / "begun"
    script = place.put("wait.sh", f"test -e {begun} && exit; touch {begun}; sleep 1000")
    step = ["--step-string", f"s3://elasticmapreduce/libs/script-runner/script-runner.jar,{script}"]
    process = place.start("emr-step", *step)
    eventually(begun.exists, "the script")
    family = psutil.Process(process.pid).children(recursive=True)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=60)
    assert process.returncode == 143
    assert not any(member.is_running() and member.status() != psutil.STATUS_ZOMBIE for member in family)
    assert [path.name for path in place.result.parent.iterdir()] == ["result.json"]
    assert place.command("emr-step", *step)[0] == 0
