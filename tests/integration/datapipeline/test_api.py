"""The API as the botocore model says: shapes, limits, error codes, paging, headers."""

from __future__ import annotations

import http.client
import json
import time
import zlib
from email.utils import parsedate_to_datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError
from botocore.session import get_session

TARGET = "DataPipeline."


def call(service: Any, operation: str, body: Any, target: str = TARGET, **headers: str) -> tuple[int, Any]:
    payload = body if isinstance(body, bytes) else json.dumps(body).encode()
    status, answer, _ = service.raw("POST", "/", payload, {"X-Amz-Target": target + operation, **headers})
    return status, answer


def refused(service: Any, operation: str, **request: Any) -> str:
    """The code of the error that a call is refused with; through raw HTTP, since boto3 would refuse some itself."""
    status, answer = call(service, operation, request)
    assert status == 400, answer
    assert answer["message"]
    return str(answer["__type"])


def test_every_operation_of_the_model_is_answered_by_its_own_rules(service: Any) -> None:
    model = get_session().get_service_model("datapipeline")
    assert len(model.operation_names) == 19
    for name in model.operation_names:
        needed = model.operation_model(name).input_shape.required_members
        status, answer = call(service, name, {})
        assert status == (400 if needed else 200), (name, answer)
        if needed:
            assert answer["__type"] == "InvalidRequestException"
            assert "is required" in answer["message"]


def test_unknown_pipelines_and_tasks_have_their_error_codes(service: Any) -> None:
    gone = service.client.create_pipeline(name="gone", uniqueId="gone")["pipelineId"]
    service.client.delete_pipeline(pipelineId=gone)
    requests: dict[str, dict[str, Any]] = {
        "ActivatePipeline": {},
        "AddTags": {"tags": []},
        "DeactivatePipeline": {},
        "DescribeObjects": {"objectIds": ["A"]},
        "EvaluateExpression": {"objectId": "A", "expression": ""},
        "GetPipelineDefinition": {},
        "PutPipelineDefinition": {"pipelineObjects": []},
        "QueryObjects": {"sphere": "INSTANCE"},
        "RemoveTags": {"tagKeys": []},
        "SetStatus": {"objectIds": ["A"], "status": "PAUSE"},
        "ValidatePipelineDefinition": {"pipelineObjects": []},
    }
    for operation, request in requests.items():
        assert refused(service, operation, pipelineId="df-NONE", **request) == "PipelineNotFoundException"
        assert refused(service, operation, pipelineId=gone, **request) == "PipelineDeletedException"
    assert refused(service, "DescribePipelines", pipelineIds=[gone]) == "PipelineDeletedException"
    assert refused(service, "DescribePipelines", pipelineIds=["df-NONE"]) == "PipelineNotFoundException"
    assert refused(service, "DeletePipeline", pipelineId=gone) == "PipelineNotFoundException"
    assert refused(service, "ReportTaskProgress", taskId="none") == "TaskNotFoundException"
    assert refused(service, "SetTaskStatus", taskId="none", taskStatus="FINISHED") == "TaskNotFoundException"


def test_the_task_of_a_deleted_pipeline_is_told_apart_from_an_unknown_one(service: Any, make_activity: Any) -> None:
    pipeline = service.run(make_activity("A"))
    task = service.take()
    service.client.delete_pipeline(pipelineId=pipeline)
    assert refused(service, "ReportTaskProgress", taskId=task["taskId"]) == "PipelineDeletedException"
    code = refused(service, "SetTaskStatus", taskId=task["taskId"], taskStatus="FINISHED")
    assert code == "PipelineDeletedException"


@pytest.mark.parametrize("target", ["DataPipeline.", "DataPipeline_20121129."])
def test_both_forms_of_the_target_header_are_understood(service: Any, target: str) -> None:
    assert call(service, "ListPipelines", {}, target)[0] == 200


def test_answers_carry_a_request_id_the_time_and_the_crc_of_their_body(service: Any) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=20)
    try:
        seen = set()
        for _ in range(3):
            connection.request("POST", "/", b"{}", {"X-Amz-Target": "DataPipeline.ListPipelines"})
            answer = connection.getresponse()
            body = answer.read()
            assert answer.headers["Content-Type"] == "application/x-amz-json-1.1"
            assert int(answer.headers["x-amz-crc32"]) == zlib.crc32(body)
            assert abs(parsedate_to_datetime(answer.headers["Date"]).timestamp() - time.time()) < 60
            seen.add(answer.headers["x-amzn-RequestId"])
        assert len(seen) == 3
    finally:
        connection.close()


@pytest.mark.parametrize(
    ("target", "body"),
    [("DataPipeline.NoSuch", b"{}"), ("Elsewhere.ListPipelines", b"{}"), ("", b"{}"),
     ("DataPipeline.ListPipelines", b"not json"), ("DataPipeline.ListPipelines", b"[]"),
     ("DataPipeline.ListPipelines", b"\xff"), ("DataPipeline.ListPipelines", b'{"marker": 7}')],
)  # fmt: skip
def test_what_cannot_be_understood_is_a_client_error(service: Any, target: str, body: bytes) -> None:
    status, answer, _ = service.raw("POST", "/", body, {"X-Amz-Target": target})
    assert (status, answer["__type"]) == (400, "InvalidRequestException")


@pytest.mark.parametrize(
    ("operation", "request_"),
    [
        ("CreatePipeline", {"name": "", "uniqueId": "u"}),
        ("CreatePipeline", {"name": "n" * 1025, "uniqueId": "u"}),
        ("CreatePipeline", {"name": "n", "uniqueId": "u\x01"}),
        ("CreatePipeline", {"name": "n", "uniqueId": "\ud800"}),
        ("CreatePipeline", {"name": "n", "uniqueId": "u", "description": "d" * 1025}),
        ("CreatePipeline", {"name": "n", "uniqueId": "u", "tags": [{"key": "k" * 129, "value": ""}]}),
        ("CreatePipeline", {"name": "n", "uniqueId": "u", "tags": [{"key": str(n), "value": ""} for n in range(11)]}),
        ("PollForTask", {"workerGroup": 3}),
        ("PollForTask", {"workerGroup": "g", "hostname": ""}),
        ("PollForTask", {"workerGroup": "g", "instanceIdentity": {"document": "d" * 1025}}),
        ("SetTaskStatus", {"taskId": "t", "taskStatus": "DONE"}),
        ("SetTaskStatus", {"taskId": "t" * 2049, "taskStatus": "FINISHED"}),
        ("DescribePipelines", {"pipelineIds": ["df-1"] * 26}),
        ("ListPipelines", {"marker": "elsewhere"}),
    ],
)
def test_documented_lengths_and_words_are_enforced(service: Any, operation: str, request_: dict[str, Any]) -> None:
    assert refused(service, operation, **request_) == "InvalidRequestException"
    assert service.client.list_pipelines()["pipelineIdList"] == []


def test_create_is_idempotent_by_name_and_unique_id(service: Any) -> None:
    create = service.client.create_pipeline
    first = create(name="n", uniqueId="u", description="d")["pipelineId"]
    assert create(name="n", uniqueId="u")["pipelineId"] == first
    assert create(name="m", uniqueId="u")["pipelineId"] != first
    service.client.delete_pipeline(pipelineId=first)
    assert create(name="n", uniqueId="u")["pipelineId"] != first


def test_tags_are_added_changed_removed_and_limited(service: Any) -> None:
    pipeline = service.client.create_pipeline(name="n", uniqueId="u", tags=[{"key": "a", "value": "1"}])["pipelineId"]
    service.client.add_tags(pipelineId=pipeline, tags=[{"key": "a", "value": "2"}, {"key": "b", "value": ""}])
    service.client.remove_tags(pipelineId=pipeline, tagKeys=["b", "none"])
    described = service.client.describe_pipelines(pipelineIds=[pipeline])["pipelineDescriptionList"][0]
    assert described["tags"] == [{"key": "a", "value": "2"}]
    with pytest.raises(ClientError, match="10 tags"):
        service.client.add_tags(pipelineId=pipeline, tags=[{"key": f"k{n}", "value": ""} for n in range(10)])


def test_lists_come_in_pages_that_sdks_follow(service: Any) -> None:
    made = [service.client.create_pipeline(name="n", uniqueId=str(n))["pipelineId"] for n in range(103)]
    first = service.client.list_pipelines()
    assert (len(first["pipelineIdList"]), first["hasMoreResults"]) == (100, True)
    everything = service.client.get_paginator("list_pipelines").paginate().build_full_result()["pipelineIdList"]
    assert [entry["id"] for entry in everything] == made


def test_what_is_put_comes_back_and_the_active_version_stays(service: Any, make_activity: Any) -> None:
    parameters = [{"id": "myWord", "attributes": [{"key": "type", "stringValue": "String"}]}]
    values = [{"id": "myWord", "stringValue": "one"}]
    pipeline = service.pipeline(make_activity("A"), parameterObjects=parameters, parameterValues=values)
    get = service.client.get_pipeline_definition
    put = get(pipelineId=pipeline)
    assert put["parameterObjects"] == parameters
    assert put["pipelineObjects"][1] == make_activity("A")
    assert get(pipelineId=pipeline, version="active")["pipelineObjects"] == []
    new_value = [{"id": "myWord", "stringValue": "two"}]
    service.client.activate_pipeline(pipelineId=pipeline, parameterValues=new_value)
    service.client.put_pipeline_definition(pipelineId=pipeline, pipelineObjects=put["pipelineObjects"][:1])
    assert get(pipelineId=pipeline, version="active")["parameterValues"] == new_value
    assert len(get(pipelineId=pipeline)["pipelineObjects"]) == 1
    assert refused(service, "GetPipelineDefinition", pipelineId=pipeline, version="7") == "InvalidRequestException"


def test_a_definition_with_errors_is_kept_and_not_activated(service: Any, make_activity: Any, make_object: Any) -> None:
    pipeline = service.client.create_pipeline(name="n", uniqueId="u")["pipelineId"]
    broken = [make_object("Default", scheduleType="ondemand"), make_activity("A", dependsOn=">Nowhere")]
    assert service.client.validate_pipeline_definition(pipelineId=pipeline, pipelineObjects=broken)["errored"] is True
    assert service.client.get_pipeline_definition(pipelineId=pipeline)["pipelineObjects"] == []
    answer = service.client.put_pipeline_definition(pipelineId=pipeline, pipelineObjects=broken)
    assert "A" in {entry["id"] for entry in answer["validationErrors"]}
    assert len(service.client.get_pipeline_definition(pipelineId=pipeline)["pipelineObjects"]) == 2
    with pytest.raises(ClientError, match="Nowhere"):
        service.client.activate_pipeline(pipelineId=pipeline)
    empty = [make_object("Default", scheduleType="ondemand"), make_activity("B", command="")]
    with pytest.raises(ClientError, match=r"due to FATAL errors: .*'command' of object 'B' is empty"):
        service.client.put_pipeline_definition(pipelineId=pipeline, pipelineObjects=empty)
    assert service.client.get_pipeline_definition(pipelineId=pipeline)["pipelineObjects"][1]["id"] == "A"


def test_a_circle_is_an_error_and_can_still_be_looked_at(service: Any, make_activity: Any, make_object: Any) -> None:
    pipeline = service.client.create_pipeline(name="n", uniqueId="u")["pipelineId"]
    circle = [make_object("Default", scheduleType="ondemand"), make_activity("A", dependsOn=">B")]
    circle.append(make_activity("B", dependsOn=">A"))
    assert service.client.put_pipeline_definition(pipelineId=pipeline, pipelineObjects=circle)["errored"] is True
    assert service.ids(pipeline, "COMPONENT") == ["Default", "A", "B"]
    assert service.describe(pipeline, "A")[0]["name"] == "A"
    with pytest.raises(ClientError, match="circle"):
        service.client.activate_pipeline(pipelineId=pipeline)


def test_more_than_a_hundred_objects_are_refused_and_not_kept(service: Any, make_activity: Any) -> None:
    pipeline = service.client.create_pipeline(name="n", uniqueId="u")["pipelineId"]
    many = [make_activity(f"A{n}") for n in range(101)]
    with pytest.raises(ClientError, match=r"due to FATAL errors: .*at most 100"):
        service.client.put_pipeline_definition(pipelineId=pipeline, pipelineObjects=many)
    assert service.client.get_pipeline_definition(pipelineId=pipeline)["pipelineObjects"] == []
    with pytest.raises(ClientError, match="no definition"):
        service.client.activate_pipeline(pipelineId=pipeline)


def test_a_finished_pipeline_with_a_schedule_is_closed(service: Any, make_activity: Any, make_object: Any) -> None:
    once = make_object("Once", type="Schedule", period="1 day", occurrences="1", startAt="FIRST_ACTIVATION_DATE_TIME")
    default = {"scheduleType": "cron", "schedule": ">Once"}
    pipeline = service.run(once, make_activity("A"), default=default)
    service.finish(service.take())
    assert (
        refused(service, "PutPipelineDefinition", pipelineId=pipeline, pipelineObjects=[]) == "InvalidRequestException"
    )
    assert refused(service, "ActivatePipeline", pipelineId=pipeline) == "InvalidRequestException"
    assert refused(service, "DeactivatePipeline", pipelineId=pipeline) == "InvalidRequestException"
