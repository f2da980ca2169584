"""Who we are, what we may do, and the worker group: against a real service, which takes no harm."""

from __future__ import annotations

import email.utils
import json
import socket
import time
from http.client import HTTPConnection
from urllib.parse import urlsplit

import pytest

OPERATIONS = {
    "ReportTaskRunnerHeartbeat",
    "PollForTask",
    "ReportTaskProgress",
    "SetTaskStatus",
    "DescribeObjects",
    "QueryObjects",
}


def test_a_machine_on_which_all_is_well(doctor):
    report = doctor.examine()
    assert report.status == 0, report.text
    assert report.failed == []
    assert doctor.group in report.one("configuration")["message"]
    assert "arn:aws:" in report.one("identity")["message"]
    assert all(name in report.one("permissions")["message"] for name in OPERATIONS)
    assert report.one("clock")["status"] == "ok"
    assert all(set(finding) == {"check", "status", "message", "advice", "statement"} for finding in report.findings)


def test_for_people_each_finding_is_one_line_and_the_last_one_counts_them(doctor):
    done = doctor.say()
    lines = done.stdout.splitlines()
    assert done.returncode == 0
    assert any(line.startswith("ok    permissions ") for line in lines)
    assert lines[-1].startswith("0 to fix, ")
    assert "\x1b" not in done.stdout


def test_it_takes_no_task_that_waits(doctor, bench):
    pipeline = bench.shell("true")
    doctor.endpoint, doctor.group = bench.endpoint, bench.group
    doctor.configure(agent={"worker_group": bench.group})
    assert doctor.examine().status == 0
    [attempt] = bench.attempts(pipeline)
    assert attempt["@status"] == "WAITING_FOR_RUNNER"
    bench.agent("--once")
    assert bench.ended(pipeline)["@status"] == "FINISHED"


def test_each_call_that_is_denied_is_told_with_the_statement_that_is_missing(doctor):
    for operation in OPERATIONS:
        doctor.deny(operation)
    report = doctor.examine()
    assert report.status == 1
    found = {finding["message"]: finding["statement"] for finding in report.of("permissions")}
    assert set(found) == {f"datapipeline:{operation} is denied" for operation in OPERATIONS}
    for message, statement in found.items():
        assert message.removesuffix(" is denied") in statement["Action"]
        assert statement["Effect"] == "Allow"
    group = found["datapipeline:PollForTask is denied"]["Condition"]["StringEquals"]["datapipeline:workerGroup"]
    assert group == doctor.group


def test_a_missing_statement_is_printed_once_ready_to_paste(doctor):
    doctor.deny("PollForTask")
    doctor.deny("SetTaskStatus")
    done = doctor.say()
    assert done.returncode == 1
    assert "FIX   permissions      datapipeline:PollForTask is denied; add the statement" in done.stdout
    printed = done.stdout.partition("policy of the worker's role:\n")[2].partition("\n\n")[0]
    assert "datapipeline:PollForTask" in json.loads(printed)["Action"]


def test_keys_that_the_service_does_not_take_are_no_missing_permission(doctor):
    doctor.deny("*", code="UnrecognizedClientException", count=20)
    [finding, *_] = doctor.examine().of("permissions")
    assert finding["status"] == "failed"
    assert "UnrecognizedClientException" in finding["message"]
    assert finding["statement"] is None


def test_throttling_is_a_warning_and_no_failure(doctor):
    doctor.deny("PollForTask", code="ThrottlingException")
    report = doctor.examine()
    assert report.status == 0
    assert [entry["status"] for entry in report.of("permissions")] == ["warning", "ok"]


def test_without_keys_the_cause_is_told_once(doctor):
    report = doctor.examine(AWS_ACCESS_KEY_ID="", AWS_SECRET_ACCESS_KEY="", AWS_EC2_METADATA_DISABLED="true")
    assert report.status == 1
    assert "no AWS credentials" in report.one("identity")["message"]
    assert report.text.count("no AWS credentials; give this machine a role") == 1
    assert report.one("permissions")["message"] == "see identity"


def test_long_lived_keys_in_a_file_that_others_may_read_are_warned_of(doctor):
    path = doctor.directory / "credentials.json"
    path.write_text('{"access-id": "AKIAEXAMPLE", "private-key": "not-a-real-secret-key"}')
    path.chmod(0o644)
    report = doctor.examine(f"--config={path}", f"--workerGroup={doctor.group}", f"--output={doctor.directory}/out")
    advice = [finding["advice"] for finding in report.of("identity")]
    assert advice == [f"run: chmod 600 {path}", "give the machine a role instead"]
    assert "not-a-real-secret-key" not in report.text


def test_a_region_without_data_pipeline_and_regions_that_differ_are_told(doctor):
    doctor.configure(etl={"region": "eu-west-1"})
    assert "etl.region says eu-west-1" in doctor.examine().one("region")["message"]


def test_a_file_that_cannot_be_read_is_a_finding_and_the_others_go_on(doctor):
    doctor.configure(agent={"wroker_group": "x"})
    report = doctor.examine(f"--workerGroup={doctor.group}", f"--output={doctor.directory}/out")
    assert report.status == 1
    assert "did you mean 'worker_group'" in report.one("configuration")["message"]
    assert report.one("permissions")["status"] == "ok"


def test_a_pipeline_that_names_the_group_is_found_and_one_that_nearly_does_is_warned_of(doctor, bench):
    doctor.endpoint = bench.endpoint
    doctor.configure(agent={"worker_group": bench.group})
    ours = bench.shell("true")
    near = bench.run(
        {"id": "Work", "type": "ShellCommandActivity", "command": "true", "workerGroup": bench.group.upper()}
    )
    report = doctor.examine()
    warned = [finding for finding in report.of("worker group") if finding["status"] == "warning"]
    assert [near in finding["message"] and bench.group.upper() in finding["message"] for finding in warned] == [
        True
    ] * 1
    [found] = [finding for finding in report.of("worker group") if finding["status"] == "ok"]
    assert ours in found["message"]
    assert report.status == 0


@pytest.mark.parametrize(("seconds", "status"), [(-400, "failed"), (60, "warning")])
def test_a_clock_that_is_wrong_is_told_with_its_offset(doctor, http_server, seconds, status):
    backend = urlsplit(doctor.endpoint).netloc

    def relay(handler, body):
        connection = HTTPConnection(backend)
        connection.request(handler.command, handler.path, body, dict(handler.headers.items()))
        answer = connection.getresponse()
        content = answer.read()
        handler.send_response_only(answer.status)
        handler.send_header("Date", email.utils.formatdate(time.time() - seconds, usegmt=True))
        handler.send_header("Content-Length", str(len(content)))
        handler.end_headers()
        handler.wfile.write(content)
        connection.close()

    doctor.endpoint, real = http_server(relay), doctor.endpoint
    finding = doctor.examine().one("clock")
    doctor.endpoint = real
    assert finding["status"] == status
    assert ("ahead of" if seconds > 0 else "behind") in finding["message"]


def test_a_service_that_never_answers_is_told_and_does_not_hold_the_rest_up(doctor):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"http://127.0.0.1:{silent.getsockname()[1]}"
        report = doctor.examine(AWS_ENDPOINT_URL_DATA_PIPELINE=address)
    assert report.status == 1
    assert "no answer from" in report.one("permissions")["message"]
    assert report.one("disk")["status"] == "ok"
