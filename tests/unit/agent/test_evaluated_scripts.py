"""The text of a script takes the place of its address, in the field that its type has for it."""

from __future__ import annotations

from threading import Event

import pytest

from agent.evaluated_scripts import wants_evaluation, with_evaluated_script
from agent.task import Field, PipelineObject, Task


class Store:
    def get_bytes(self, uri, limit):
        return b"text of #{x} at " + uri.encode()


class Source:
    def evaluate(self, pipeline_id, object_id, text):
        return f"{pipeline_id} {object_id} {text.replace('#{x}', 'X')}"


def task_of(kind, **fields):
    given = tuple(Field(key, value, is_reference=False) for key, value in {"type": kind, **fields}.items())
    return Task("t", "df-1", PipelineObject("@A", "A", given), {})


@pytest.mark.parametrize(
    ("kind", "field"),
    [
        ("ShellCommandActivity", "command"),
        ("ShellCommandPrecondition", "command"),
        ("HiveActivity", "hiveScript"),
        ("PigActivity", "script"),
        ("SqlActivity", "script"),
    ],
)
def test_each_type_gets_the_text_in_its_own_field(kind, field):
    task = with_evaluated_script(task_of(kind, scriptUri="s3://b/k"), Store, Source(), Event())
    assert task.attempt.text(field) == "df-1 @A text of X at s3://b/k"
    assert task.attempt.text("scriptUri") is None


@pytest.mark.parametrize(
    ("fields", "default", "wanted"),
    [
        ({"scriptUri": "s3://b/k"}, False, False),
        ({"scriptUri": "s3://b/k"}, True, True),
        ({"scriptUri": "s3://b/k", "myEvaluateScript": " True "}, False, True),
        ({"scriptUri": "s3://b/k", "myEvaluateScript": "false"}, True, False),
        ({"command": "x"}, True, False),
    ],
)
def test_it_is_asked_for_by_the_task_or_else_by_the_agent(fields, default, wanted):
    assert wants_evaluation(task_of("ShellCommandActivity", **fields), default) is wanted
