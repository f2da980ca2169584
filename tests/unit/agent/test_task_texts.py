"""What no command can be given is refused where the task is read, under words that can be written anywhere."""

from __future__ import annotations

import pytest

from agent.source import Handed
from agent.task import digest, parse_task
from core.errors import TaskMalformed


def document(**changes):
    attempt = {"id": "@A", "name": "A", "fields": [{"key": "command", "stringValue": "true"}]}
    return {"pipelineId": "df-1", "attemptId": "@A", "objects": {"@A": attempt}} | changes


@pytest.mark.parametrize("odd", ["\0", "a\0b", "\ud800", "x\udfff"])
@pytest.mark.parametrize("where", ["pipeline", "id", "key", "value", "reference"])
def test_a_nul_or_half_a_surrogate_pair_is_refused_by_its_place(odd, where):
    field = {"key": odd if where == "key" else "note"}
    field |= {"refValue": odd} if where == "reference" else {"stringValue": odd if where == "value" else "v"}
    attempt = {"id": odd if where == "id" else "@A", "name": "A", "fields": [field]}
    given = document(objects={"@A": attempt}, pipelineId=odd if where == "pipeline" else "df-1")
    with pytest.raises(TaskMalformed, match="surrogate") as refused:
        parse_task(Handed("task", given))
    str(refused.value).encode()


def test_any_task_id_has_a_digest():
    assert len(digest("\ud800")) == len(digest("task")) == 16
