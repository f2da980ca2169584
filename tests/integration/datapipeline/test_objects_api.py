"""DescribeObjects, QueryObjects, EvaluateExpression, and the objects of a task."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError


def values(entry: dict[str, Any], key: str) -> list[str]:
    return [each.get("stringValue", each.get("refValue")) for each in entry["fields"] if each["key"] == key]


@pytest.fixture
def linked(make_activity: Any, make_object: Any) -> list[dict[str, Any]]:
    """An activity that reads a table of a database and writes a directory named after its scheduled time."""
    return [
        make_object("Db", type="RdsDatabase", rdsInstanceId="db", username="me", star_password="top-secret-word"),
        make_object("Table", type="SqlDataNode", table="users", database=">Db", selectQuery="select 1"),
        make_object(
            "Out", type="S3DataNode", directoryPath="s3://b/#{format(@scheduledStartTime,'YYYY-MM-dd')}/#{myWord}"
        ),
        make_activity(
            "A",
            command=r"tr -d '\\000' #{output.directoryPath}",
            scriptArgument=["3", "1", "2"],
            input=">Table",
            output=">Out",
        ),
    ]


WORD = {"parameterValues": [{"id": "myWord", "stringValue": "hello"}]}


def test_a_task_carries_what_the_attempt_refers_to_evaluated(
    service: Any, linked: list[dict[str, Any]], field_of: Any
) -> None:
    pipeline = service.run(*linked, **WORD)
    task = service.take()
    attempt = task["objects"][task["attemptId"]]
    day = field_of(attempt, "@scheduledStartTime")[:10]
    assert field_of(attempt, "command") == rf"tr -d '\000' s3://b/{day}/hello"
    assert values(attempt, "scriptArgument") == ["3", "1", "2"]
    out = task["objects"][field_of(attempt, "output")]
    table = task["objects"][field_of(attempt, "input")]
    assert field_of(out, "directoryPath") == f"s3://b/{day}/hello"
    assert field_of(task["objects"][field_of(table, "database")], "*password") == "top-secret-word"
    expected = {
        "@sphere": "ATTEMPT",
        "@componentParent": "A",
        "parent": "A",
        "type": "ShellCommandActivity",
        "@status": "WAITING_FOR_RUNNER",
        "@pipelineId": pipeline,
        "@version": "1",
        "@instanceParent": task["attemptId"].rpartition("_")[0],
    }
    assert {key: field_of(attempt, key) for key in expected} == expected
    assert attempt["name"] == task["attemptId"]


def test_the_variants_of_a_task_can_be_chosen(start_service: Any, linked: list[dict[str, Any]], field_of: Any) -> None:
    alone = start_service("--task-map", "attempt", "--unescape", "off", "--empty-poll", "null")
    pipeline = alone.run(*linked, **WORD)
    task = alone.take()
    assert list(task["objects"]) == [task["attemptId"]]
    attempt = task["objects"][task["attemptId"]]
    assert field_of(attempt, "command").startswith(r"tr -d '\\000'")
    found = alone.describe(pipeline, field_of(attempt, "output"), evaluateExpressions=True)[0]
    assert field_of(found, "directoryPath").endswith("/hello")
    table = alone.describe(pipeline, field_of(attempt, "input"), evaluateExpressions=True)[0]
    assert field_of(alone.describe(pipeline, field_of(table, "database"))[0], "*password") == "top-secret-word"
    status, answer, _ = alone.raw(
        "POST", "/", b'{"workerGroup": "group"}', {"X-Amz-Target": "DataPipeline.PollForTask"}
    )
    assert (status, answer) == (200, {"taskObject": None})
    plain = start_service("--secret-key", "plain")
    plain.run(*linked, **WORD)
    task = plain.take()
    assert field_of(task["objects"]["Db"], "password") == "top-secret-word"


def test_an_empty_poll_has_no_task_object(service: Any) -> None:
    _, answer, _ = service.raw("POST", "/", b'{"workerGroup": "g"}', {"X-Amz-Target": "DataPipeline.PollForTask"})
    assert answer == {}


def test_an_expression_that_cannot_be_evaluated_fails_the_instance_with_its_place(
    service: Any, make_activity: Any, make_object: Any, field_of: Any
) -> None:
    pipeline = service.run(make_activity("A", command="echo #{makeDate(myCount, 1, 1)}"),
                           parameterValues=[{"id": "myCount", "stringValue": "never"}])  # fmt: skip
    assert service.poll() is None
    instance = service.instance(pipeline, "A")
    assert field_of(instance, "@status") == "FAILED"
    assert "command" in field_of(instance, "errorMessage")


def test_at_most_25_objects_are_described_and_all_must_be_there(service: Any, make_activity: Any) -> None:
    pipeline = service.run(make_activity("A"))
    for ids in ([], ["A"] * 26, ["A", "Nothing"]):
        with pytest.raises(ClientError) as caught:
            service.describe(pipeline, *ids)
        assert caught.value.response["Error"]["Code"] == "InvalidRequestException"
    assert len(service.describe(pipeline, *["A"] * 25)) == 25


def test_components_are_as_written_and_evaluated_on_demand(
    service: Any, make_activity: Any, make_object: Any, field_of: Any
) -> None:
    base = make_object("Base", attemptTimeout="#{myLimit}")
    pipeline = service.pipeline(
        base, make_activity("A", parent=">Base"), parameterValues=[{"id": "myLimit", "stringValue": "1 hour"}]
    )
    written = service.describe(pipeline, "A")[0]
    assert field_of(written, "attemptTimeout") is None
    assert field_of(written, "@sphere") == "COMPONENT"
    evaluated = service.describe(pipeline, "A", evaluateExpressions=True)[0]
    assert field_of(evaluated, "attemptTimeout") == "1 hour"


def query(field: str, kind: str, *wanted: str) -> dict[str, Any]:
    return {"selectors": [{"fieldName": field, "operator": {"type": kind, "values": list(wanted)}}]}


def test_queries_select_by_every_documented_operator(service: Any, make_activity: Any, field_of: Any) -> None:
    pipeline = service.run(make_activity("A"), make_activity("B", dependsOn=">A"))
    instance = service.instance(pipeline, "A")
    started = field_of(instance, "@scheduledStartTime")
    a, b = instance["id"], service.instance(pipeline, "B")["id"]

    def ids(sphere: str, *arguments: str) -> list[str]:
        return list(service.ids(pipeline, sphere, query=query(*arguments)))

    assert ids("INSTANCE", "@status", "EQ", "WAITING_FOR_RUNNER") == [a]
    assert ids("INSTANCE", "@status", "EQ", "WAITING_FOR_RUNNER", "WAITING_ON_DEPENDENCIES") == [a, b]
    assert ids("INSTANCE", "@componentParent", "REF_EQ", "B") == [b]
    assert ids("ATTEMPT", "@instanceParent", "REF_EQ", a) == [a + "_Attempt=1"]
    assert ids("COMPONENT", "name", "EQ", "B") == ["B"]
    for operator in (("GE", started), ("LE", started), ("BETWEEN", started, started), ("EQ", started)):
        assert ids("INSTANCE", "@scheduledStartTime", *operator) == [a, b]
    assert ids("INSTANCE", "@scheduledStartTime", "GE", "2999-01-01T00:00:00") == []
    assert ids("INSTANCE", "@actualEndTime", "LE", "2999-01-01T00:00:00") == []
    both = query("@status", "EQ", "WAITING_FOR_RUNNER")["selectors"] + query("name", "EQ", "x")["selectors"]
    assert service.ids(pipeline, "INSTANCE", query={"selectors": both}) == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"sphere": "PLANET"},
        {"sphere": "INSTANCE", "limit": 0},
        {"sphere": "INSTANCE", "limit": 101},
        {"sphere": "INSTANCE", "marker": "x"},
        {"sphere": "INSTANCE", "query": query("@status", "GE", "A")},
        {"sphere": "INSTANCE", "query": query("command", "EQ", "true")},
        {"sphere": "INSTANCE", "query": query("@actualStartTime", "BETWEEN", "one")},
        {"sphere": "INSTANCE", "query": query("@status", "LIKE", "A")},
        {"sphere": "INSTANCE", "query": {"selectors": query("@status", "EQ", "A")["selectors"] * 11}},
    ],
)
def test_queries_outside_the_documented_limits_are_refused(
    service: Any, make_activity: Any, wrong: dict[str, Any]
) -> None:
    pipeline = service.run(make_activity("A"))
    with pytest.raises(ClientError) as caught:
        service.client.query_objects(pipelineId=pipeline, **{"limit": 5} | wrong)
    assert caught.value.response["Error"]["Code"] == "InvalidRequestException"


def test_queries_come_in_pages_of_the_asked_size(service: Any, make_activity: Any) -> None:
    pipeline = service.run(*[make_activity(f"A{n}") for n in range(7)])
    pages = service.client.get_paginator("query_objects").paginate(
        pipelineId=pipeline, sphere="INSTANCE", PaginationConfig={"PageSize": 3}
    )
    sizes = [len(page["ids"]) for page in pages]
    assert sizes == [3, 3, 1]


def test_pages_of_a_query_hold_what_is_selected_each_once_and_none_is_missing(service: Any, make_activity: Any) -> None:
    pipeline = service.run(*[make_activity(f"A{n}", **({"dependsOn": ">A0"} if n % 3 else {})) for n in range(10)])
    waiting = query("@status", "EQ", "WAITING_ON_DEPENDENCIES")
    pages = service.client.get_paginator("query_objects").paginate(
        pipelineId=pipeline, sphere="INSTANCE", query=waiting, PaginationConfig={"PageSize": 2}
    )
    found = [page["ids"] for page in pages]
    assert [len(ids) for ids in found] == [2, 2, 2]
    assert [each.split("_")[0] for ids in found for each in ids] == [f"@A{n}" for n in (1, 2, 4, 5, 7, 8)]


def test_expressions_are_evaluated_in_the_context_of_any_object(service: Any, make_activity: Any) -> None:
    pipeline = service.run(make_activity("A", myNumber="7"))
    instance = service.ids(pipeline, "INSTANCE")[0]
    attempt = service.ids(pipeline, "ATTEMPT")[0]
    evaluate = service.client.evaluate_expression
    for context in ("A", instance, attempt):
        answer = evaluate(pipelineId=pipeline, objectId=context, expression="n=#{myNumber}")
        assert answer["evaluatedExpression"] == "n=7"
    answer = evaluate(pipelineId=pipeline, objectId=attempt, expression="#{year(@scheduledStartTime)}")
    assert answer["evaluatedExpression"] == instance.split("_")[1][:4]
    with pytest.raises(ClientError) as caught:
        evaluate(pipelineId=pipeline, objectId="A", expression="#{noSuchField}")
    assert caught.value.response["Error"]["Code"] == "InvalidRequestException"
