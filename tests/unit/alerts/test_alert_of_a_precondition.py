"""A precondition that was false at the end of its time is told like a failure, and by its own name."""

from __future__ import annotations

from agent import report
from agent.alerts.message import OUTCOMES, failure
from agent.observer import Ended
from agent.task import known_task
from core.errors import PreconditionFalse


def test_a_false_precondition_is_told_with_what_it_waited_for():
    verdict = report.failed(PreconditionFalse("Ready was not true within its preconditionTimeout of 1 hour"))
    task = known_task("t", "df-1", "@Ready_T_Attempt=1", "Ready", "ShellCommandPrecondition")
    message = failure(Ended("etl", task, verdict, verdict.outcome, 3600.0, None, "", "s3://logs"), left_out=0)
    assert verdict.outcome in OUTCOMES
    assert message.subject == "Ductrunner: Ready failed: PreconditionFalse"
    assert message.text.startswith("Ready did not become true in its time.")
    assert "preconditionTimeout of 1 hour" in message.text
