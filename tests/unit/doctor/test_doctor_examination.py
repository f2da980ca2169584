"""How the checks are run and shown, and the policy that they quote."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import click
import pytest

from agent.doctor import examination, show
from agent.doctor.checks.permissions import _principal
from agent.doctor.checks.pipelines import _note, _Seen
from agent.doctor.examination import Check, examine, is_well
from agent.doctor.finding import Status, failed, ok, skipped, warning
from agent.doctor.patient import Patient
from agent.doctor.policy import actions, statement_for
from core.errors import AccessDenied
from core.redaction import REDACTOR
from core.sections.worker import AgentSettings
from core.settings import Settings

PACKAGING = Path(__file__).parents[3] / "packaging"
PATIENT = Patient(Settings(), AgentSettings(), {})


def found(*looks):
    return list(examine(PATIENT, [Check(f"check {number}", look) for number, look in enumerate(looks)]))


def raising(error):
    def look(patient):
        yield ok("first", "this was seen before")
        raise error

    return look


def test_findings_come_in_the_order_of_the_checks_whichever_is_done_first():
    done = threading.Event()

    def slow(patient):
        assert done.wait(30)
        return [ok("slow", "a")]

    def quick(patient):
        done.set()
        return [ok("quick", "b")]

    assert [finding.check for finding in found(slow, quick)] == ["slow", "quick"]


def test_a_check_that_hangs_becomes_a_finding(monkeypatch):
    monkeypatch.setattr(examination, "PATIENCE", 0.2)
    never = threading.Event()
    [finding, other] = found(lambda patient: never.wait(), lambda patient: [ok("other", "fine")])
    assert (finding.check, finding.status) == ("check 0", Status.FAILED)
    assert finding.message.startswith("no answer within")
    assert other.status is Status.OK
    never.set()


def test_what_a_check_raises_is_a_finding_beside_those_it_had():
    first, second = found(raising(AccessDenied("not for you")))
    assert first.status is Status.OK
    assert (second.status, second.message) == (Status.FAILED, "not for you")
    _, broken = found(raising(KeyError("x")))
    assert "the check itself broke: KeyError" in broken.message


def test_the_same_cause_is_told_once():
    def fault(patient):
        raise AccessDenied("no keys")

    first, second = found(fault, fault)
    assert (first.status, second.status, second.message) == (Status.FAILED, Status.SKIPPED, "see check 0")


def test_no_finding_shows_a_secret():
    REDACTOR.register("secret-of-a-finding")
    [finding] = found(lambda patient: [failed("x", "it is secret-of-a-finding", "not secret-of-a-finding")])
    assert "secret-of-a-finding" not in finding.message + finding.advice


def test_only_what_failed_makes_it_ill():
    assert is_well([ok("a", "x"), warning("b", "x", "y"), skipped("c", "x")])
    assert not is_well([ok("a", "x"), failed("b", "x")])


def test_a_finding_of_several_lines_is_shown_on_one():
    line = click.unstyle(show.line(failed("disk", "first\nsecond", "do this")))
    assert line == "FIX   disk             first second; do this"


def test_statements_are_filled_in_and_nothing_else_is_touched():
    statement = statement_for("sns:Publish", REGION="eu-west-1", ACCOUNT="1", TOPIC="t")
    assert statement["Resource"] == "arn:aws:sns:eu-west-1:1:t"
    polling = statement_for("datapipeline:PollForTask", WORKER_GROUP="etl")
    assert polling["Condition"] == {"StringEquals": {"datapipeline:workerGroup": "etl"}}
    assert statement_for("datapipeline:PollForTask")["Condition"]["StringEquals"] == {
        "datapipeline:workerGroup": "WORKER_GROUP"
    }


def test_the_policy_and_the_unit_are_those_of_the_packaging():
    ours = Path(examination.__file__).parent
    for name in ("iam-policy.json", "ductrunner-agent.service"):
        assert (ours / name).resolve() == (PACKAGING / name).resolve()


def test_every_call_of_the_doctor_is_in_the_policy_and_its_own_are_not_the_workers():
    document = json.loads((PACKAGING / "iam-policy.json").read_text())
    named = {action for statement in document["Statement"] for action in statement["Action"]}
    assert {"datapipeline:ListPipelines", "iam:SimulatePrincipalPolicy", "logs:PutLogEvents"} <= named
    assert "datapipeline:ListPipelines" not in actions("datapipeline:")
    assert "datapipeline:PollForTask" in actions("datapipeline:")


@pytest.mark.parametrize(
    ("arn", "principal"),
    [
        ("arn:aws:sts::12:assumed-role/etl/i-0abc", "arn:aws:iam::12:role/etl"),
        ("arn:aws:iam::12:user/ann", "arn:aws:iam::12:user/ann"),
    ],
)
def test_the_role_behind_a_session_is_asked_about(arn, principal):
    assert _principal(arn) == principal


@pytest.mark.parametrize("near", ["ETL-Reports", " etl-reports", "etl_reports", "etl reports"])
def test_a_group_that_differs_by_case_blanks_or_hyphens_is_near(near):
    seen = _Seen()
    _note(seen, "df-1", definition(near), "etl-reports")
    assert (seen.near, seen.ours) == ({"df-1": near}, [])


def test_a_group_that_is_a_parameter_is_looked_up():
    seen = _Seen()
    values = [{"id": "myGroup", "stringValue": "etl"}]
    _note(seen, "df-1", {**definition("#{myGroup}"), "parameterValues": values}, "etl")
    assert seen.ours == ["df-1"]


def definition(group):
    fields = [{"key": "workerGroup", "stringValue": group}]
    return {"pipelineObjects": [{"id": "Default", "name": "Default", "fields": fields}]}
