"""Faults of Dataduct's extract commands, transforms, checks by script and dependencies."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import psutil
import pytest

from core.errors import CheckFailed, DependencyFailed
from tests.acceptance.compute.conftest import Place
from tests.integration.agent.conftest import Bench, eventually
from tests.integration.control.conftest import Looks, Pipelines, Topic, run_step
from tests.integration.extract.conftest import Source

SED_AND_TR = "cat ${INPUT1_STAGING_DIR}/* | sed 's/\\\\\\\\n/NULL/g' | tr -d '\\\\000' > ${OUTPUT1_STAGING_DIR}/part-0"


def test_an_extract_rewrites_no_data_and_null_is_not_the_text_null(source: Source) -> None:
    """Its sed made ``C:NULLew`` of ``C:\\new``, and NULL, the text NULL and the text ``\\n`` the same."""
    source.execute("CREATE TABLE t (id INT, v VARCHAR(20))")
    texts = ["C:\\new", None, "NULL", "\\n", "\\N", "", "1000\\0"]
    source.insert("t", [*enumerate(texts)])
    source.extract(table="t", compression="none")
    lines = source.text().decode().splitlines()
    assert lines == ["0\tC:\\\\new", "1\t\\N", "2\tNULL", "3\t\\\\n", "4\t\\\\\\N", "5\t", "6\t1000\\\\0"]


def test_no_record_is_cut_where_an_extract_has_several_files(source: Source) -> None:
    """``split -l`` counted lines, and a text with a line end has two."""
    source.execute("CREATE TABLE t (id INT, v VARCHAR(20))")
    source.insert("t", [(number, f"{number}\nof two\r\nlines") for number in range(20)])
    source.extract(table="t", compression="none", splits=3, output_format="csv")
    paths = [source.output / entry["url"] for entry in source.manifest()["entries"]]
    records = [list(csv.reader(io.StringIO(path.read_bytes().decode(), newline=""))) for path in paths]
    assert all(len(record) == 2 for file in records for record in file)
    assert sorted(int(record[0]) for file in records for record in file) == list(range(20))
    assert len(records) == 3


def test_a_compiled_command_runs_under_bash_and_loses_no_zero_and_no_backslash(bench: Bench, place: Place) -> None:
    """Run as the definition holds them, tr deleted every backslash and every 0, and sh knows no ``[[``."""
    place.put("in/part-0", b"1\t\\n\n100\ta\\\\b\x00\n")
    condition = "[[ $(find ${INPUT1_STAGING_DIR} -type f ! -size 0 | wc -l) -eq 0 ]]"
    text = f"if {condition} ; then exit 9 ; else {SED_AND_TR} ; fi"
    work = {
        "id": "Work",
        "type": "ShellCommandActivity",
        "command": text,
        "stage": "true",
        "input": {"ref": "In"},
        "output": {"ref": "Out"},
        "maximumRetries": "0",
    }
    nodes = [
        {"id": name, "type": "S3DataNode", "directoryPath": place.uri(f"{name.lower()}/")} for name in ("In", "Out")
    ]
    bench.agent("--once")
    attempt = bench.ended(bench.run(work, *nodes))
    assert attempt["@status"] == "FINISHED", attempt
    assert place.objects("out/") == {"part-0": b"1\tNULL\n100\ta\\\\b\n"}


def test_what_a_step_is_told_stands_in_no_argument_of_a_process_and_is_not_printed(place: Place) -> None:
    """DDL, SQL and S3 addresses went in argv, which every user of the machine can read, and were printed."""
    begun = place.directory / "begun"
    command = f"touch {begun}; SECRET=text-of-the-command; while [[ -e {begun} ]]; do :; done"
    parameters = place.directory / "parameters.json"
    parameters.write_text(json.dumps({"command": command}))
    process = place.start("transform", "--params", str(parameters))
    eventually(begun.exists, "the command")
    step = psutil.Process(process.pid)
    words = [word for member in (step, *step.children(recursive=True)) for word in member.cmdline()]
    begun.unlink()
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert "text-of-the-command" not in " ".join(words) + out + err


def test_arguments_pass_no_shell(place: Place) -> None:
    """A dict of arguments was one argument of qa-transform; what a shell would expand came as it is, or not at all."""
    given = {"text": "$(touch x) `id` ; | > < * ~ 'q' \"d\" \\", "number": 7}
    command = 'printf "%s\\n" "$@" > $OUTPUT1_STAGING_DIR/x'
    place.run("qa-transform", command=command, script_arguments=given, test_name="p.c", output=[place.uri("out")])
    told = place.objects("out/")["x"].decode().splitlines()
    assert told == [f"--text={given['text']}", "--number=7", "--test_name=p.c"]


def test_a_check_by_script_that_fails_fails_its_step_with_a_topic_too(place: Place) -> None:
    """With a topic a failed check was a finished step."""
    topic = Topic()
    with pytest.raises(CheckFailed):
        place.run("qa-transform", command="exit 1", test_name="p.c", sns_topic_arn=topic.arn)
    assert [message["Subject"] for message in topic.messages()] == ["Failure on p.c"]


def test_the_failures_of_all_pipelines_are_told_not_only_those_of_the_last(pipelines: Pipelines, topic: Topic) -> None:
    """The list of failures began anew with each pipeline, and grew with each look."""
    bad, fine, slow = (pipelines.make()[0] for _ in range(3))
    pipelines.end(bad, "FAILED")
    pipelines.end(fine, "FINISHED")
    looks = Looks(lambda number: pipelines.end(slow, "FINISHED") if number == 3 else None)
    names = (bad, fine, slow)
    result = run_step(
        "pipeline-dependencies", looks, dependencies_ok_to_fail=names, sns_topic_arn=topic.arn, refresh_rate=0.01,
        pipeline_name="x" * 200,
    )  # fmt: skip
    [message] = topic.messages()
    assert message["Message"].count(bad) == 1
    assert len(result.details["failed"]) == 1
    assert len(message["Subject"]) <= 100, "SNS takes 100 characters"


def test_a_pipeline_without_a_run_of_the_day_is_not_waited_for_for_ever(pipelines: Pipelines) -> None:
    """The documented error never came."""
    name, _ = pipelines.make()
    with pytest.raises(DependencyFailed, match="does not exist today"):
        run_step("pipeline-dependencies", dependencies=(name,), start_date="2001-01-01", refresh_rate=3600)


def test_no_topic_is_no_topic_although_its_name_is_none(
    pipelines: Pipelines, capsys: pytest.CaptureFixture[str]
) -> None:
    """The text ``None`` went to SNS as the name of a topic."""
    name, _ = pipelines.make()
    pipelines.end(name, "FAILED")
    run_step("pipeline-dependencies", dependencies_ok_to_fail=(name, name), sns_topic_arn="None")
    assert capsys.readouterr().err.count(f"Failed dependencies: {name}") == 1


def test_no_file_of_a_step_outlives_it(place: Place, tmp_path: Path) -> None:
    """Scripts and data of a run stayed in the machine's temporary folder."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    words = ["--command", "touch left; mktemp > $OUTPUT1_STAGING_DIR/x; exit 1", "--output", place.uri("out")]
    status, _, err = place.command("transform", *words, TMPDIR=str(folder), DUCTRUNNER_RESULT="")
    assert status == 1, err
    assert list(folder.iterdir()) == []
