"""The redactor knows the secrets of a task as long as the task lasts, and does not grow with the tasks."""

from __future__ import annotations

from agent.source import Handed
from agent.task import parse_task
from core import redaction
from core.redaction import MASK, REMEMBERED, Redactor


def test_a_secret_is_known_while_one_of_its_owners_is_there():
    redactor = Redactor()
    for owner in ("first", "second"):
        redactor.register("shared-secret", owner)
    redactor.forget("first")
    for number in range(2 * REMEMBERED):
        redactor.register(f"other-secret-{number}", "passing")
    redactor.forget("passing")
    assert redactor.redact("a shared-secret b") == f"a {MASK} b"


def test_a_secret_that_was_just_given_up_is_known_for_a_while_and_then_no_more():
    redactor = Redactor()
    redactor.register("first-secret", "task")
    redactor.forget("task")
    assert redactor.redact("first-secret") == MASK
    for number in range(REMEMBERED):
        redactor.register(f"other-secret-{number}", "later")
    redactor.forget("later")
    assert redactor.redact("first-secret") == "first-secret"
    assert redactor.redact(f"other-secret-{REMEMBERED - 1}") == MASK


def test_a_secret_of_the_process_stays_also_when_a_task_has_it_too():
    redactor = Redactor()
    redactor.register("own-secret-1")
    redactor.register("own-secret-1", "task")
    redactor.register("own-secret-2", "task")
    redactor.register("own-secret-2")
    for number in range(2 * REMEMBERED):
        redactor.register(f"other-secret-{number}", "task")
    redactor.forget("task")
    assert redactor.redact("own-secret-1 own-secret-2") == f"{MASK} {MASK}"


def test_the_memory_of_ten_thousand_tasks_is_that_of_a_few():
    redactor = Redactor()
    for number in range(10_000):
        redactor.register(f"secret-of-task-{number}", f"task-{number}")
        redactor.forget(f"task-{number}")
    assert len(redactor.secrets()) < 20 * REMEMBERED


def test_a_task_that_has_ended_is_forgotten(monkeypatch):
    redactor = Redactor()
    monkeypatch.setattr("agent.task.REDACTOR", redactor)
    fields = [{"key": "*password", "stringValue": "password-of-the-task"}]
    document = {"pipelineId": "df", "attemptId": "@A", "objects": {"@A": {"id": "@A", "fields": fields}}}
    parse_task(Handed("task", document))
    assert redactor.redact("password-of-the-task") == MASK
    redactor.forget("task")
    monkeypatch.setattr(redaction, "REMEMBERED", 0)
    redactor.forget("nobody")
    assert redactor.secrets() == frozenset()
