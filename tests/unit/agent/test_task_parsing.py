"""Reading a task as the service sends it."""

from __future__ import annotations

from threading import Event

import pytest

from agent.source import Handed
from agent.task import Objects, digest, parse_task
from core.errors import TaskMalformed
from core.redaction import REDACTOR

ATTEMPT = "@SayHello_2012-12-12T00:00:00_Attempt=1"


def handed(*fields, **changes):
    attempt = {"id": ATTEMPT, "name": ATTEMPT, "fields": list(fields)}
    document = {"taskId": "t" * 900, "pipelineId": "df-1", "attemptId": ATTEMPT, "objects": {ATTEMPT: attempt}}
    return Handed("t" * 900, {**document, **changes})


def text(key, value):
    return {"key": key, "stringValue": value}


def ref(key, value):
    return {"key": key, "refValue": value}


def test_repeated_fields_keep_their_order():
    task = parse_task(handed(text("scriptArgument", "b"), text("x", "1"), text("scriptArgument", "a")))
    assert task.attempt.texts("scriptArgument") == ["b", "a"]


def test_component_and_instance_come_from_the_references():
    task = parse_task(handed(ref("@componentParent", "SayHello"), ref("@instanceParent", "@SayHello_X")))
    assert (task.component, task.instance) == ("SayHello", "@SayHello_X")


def test_component_and_instance_are_read_from_the_id_when_there_is_no_reference():
    task = parse_task(handed())
    assert (task.component, task.instance) == ("SayHello", "@SayHello_2012-12-12T00:00:00")


@pytest.mark.parametrize("key", ["*password", "password", "*myToken"])
def test_secret_fields_are_known_to_the_redactor(key):
    secret = f"s3cret-of-{key}"
    parse_task(handed(text(key, secret)))
    assert secret not in REDACTOR.redact(f"using {secret} now")


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"objects": None}, "objects"),
        ({"objects": []}, "objects"),
        ({"attemptId": "@Other"}, "@Other"),
        ({"objects": {ATTEMPT: "text"}}, ATTEMPT),
        ({"objects": {ATTEMPT: {"id": ATTEMPT, "fields": [{"value": "x"}]}}}, "stringValue"),
        ({"objects": {ATTEMPT: {"id": ATTEMPT, "fields": [{"key": "x", "stringValue": 7}]}}}, "stringValue"),
    ],
)
def test_a_malformed_task_is_refused_by_name(changes, named):
    with pytest.raises(TaskMalformed, match=named):
        parse_task(handed(**changes))


def test_a_task_is_never_shown_by_its_whole_id():
    assert len(digest("t" * 900)) == 16
    assert digest("a") != digest("b")


class Described:
    """Answers DescribeObjects, and counts."""

    def __init__(self, *ids):
        self.ids = ids
        self.asked = []

    def describe(self, pipeline_id, object_ids):
        self.asked.append((pipeline_id, list(object_ids)))
        return [{"id": name, "name": name, "fields": [text("type", "S3DataNode")]} for name in self.ids]


def test_objects_in_the_task_are_used_without_asking():
    source = Described()
    task = parse_task(handed())
    assert Objects(task, source, Event()).get([ATTEMPT])[0].id == ATTEMPT
    assert source.asked == []


def test_missing_objects_are_asked_for_once_and_returned_in_the_order_wanted():
    source = Described("A", "B")
    objects = Objects(parse_task(handed()), source, Event())
    assert [found.id for found in objects.get(["B", "A", "B"])] == ["B", "A", "B"]
    objects.get(["A"])
    assert source.asked == [("df-1", ["B", "A"])]


def test_a_reference_to_nothing_is_named():
    with pytest.raises(TaskMalformed, match="Gone"):
        Objects(parse_task(handed()), Described("A"), Event()).get(["A", "Gone"])
