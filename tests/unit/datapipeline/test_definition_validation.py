from __future__ import annotations

import contextlib
import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import PipelineInvalid
from sandbox.datapipeline import limits
from sandbox.datapipeline.catalogue import TYPES
from sandbox.datapipeline.definition import Definition
from sandbox.datapipeline.scope import evaluate_object
from sandbox.datapipeline.validation import ObjectReport, fatal_errors, validate

# The sample of the API Reference (ValidatePipelineDefinition, example 1), with a place for logs.
SAMPLE = {
    "Default": {"workerGroup": "MyworkerGroup", "pipelineLogUri": "s3://logs/"},
    "Schedule": {
        "type": "Schedule",
        "startDateTime": "2012-09-25T17:00:00",
        "period": "1 hour",
        "endDateTime": "2012-09-25T18:00:00",
    },
    "SayHello": {
        "type": "ShellCommandActivity",
        "command": "echo hello",
        "parent": {"ref": "Default"},
        "schedule": {"ref": "Schedule"},
    },
}
ONDEMAND: dict[str, dict[str, Any]] = {
    "Default": {
        "workerGroup": "g",
        "scheduleType": "ondemand",
        "pipelineLogUri": "s3://logs/",
        "failureAndRerunMode": "CASCADE",
    },
    "A": {"type": "ShellCommandActivity", "command": "x"},
    "N": {"type": "S3DataNode", "directoryPath": "s3://b/x/"},
}
Objects = dict[str, dict[str, Any]]


def definition_of(
    objects: Objects, parameters: Objects | None = None, values: dict[str, list[str]] | None = None
) -> Definition:
    raw = [{"id": each, "name": each, "fields": _fields(fields)} for each, fields in objects.items()]
    declared = [{"id": each, "attributes": _fields(attributes)} for each, attributes in (parameters or {}).items()]
    given = [{"id": each, "stringValue": value} for each, texts in (values or {}).items() for value in texts]
    return Definition.parse(raw, declared, given)


def _fields(fields: dict[str, Any]) -> list[dict[str, str]]:
    entries = []
    for key, value in fields.items():
        for each in value if isinstance(value, list) else [value]:
            entries.append(
                {"key": key, "refValue": each["ref"]} if isinstance(each, dict) else {"key": key, "stringValue": each}
            )
    return entries


def changed(**changes: dict[str, Any]) -> Objects:
    objects = copy.deepcopy(ONDEMAND)
    for object_id, fields in changes.items():
        objects.setdefault(object_id, {}).update(fields)
        objects[object_id] = {key: value for key, value in objects[object_id].items() if value is not None}
    return objects


def errors_of(objects: Objects, *more: Any) -> dict[str, list[str]]:
    return {report.id: report.errors for report in validate(definition_of(objects, *more)) if report.errors}


def test_the_samples_of_the_api_reference_are_valid() -> None:
    reports = validate(definition_of(SAMPLE))
    assert [(report.id, report.errors) for report in reports if report.errors] == []
    assert validate(definition_of(ONDEMAND)) == []


# What Dataduct compiles for extract-rds and create-load-redshift on a worker group, shortened.
DATADUCT: Objects = {
    "Default": {
        "scheduleType": "cron",
        "failureAndRerunMode": "CASCADE",
        "role": "r",
        "resourceRole": "rr",
        "maxActiveInstances": "1",
        "pipelineLogUri": "s3://etl/logs/p/version_1",
        "onFail": {"ref": "SNSAlarm0"},
    },
    "Schedule0": {
        "type": "Schedule",
        "startDateTime": "2015-01-01T00:00:00",
        "period": "15 minutes",
        "occurrences": "1",
    },
    "SNSAlarm0": {
        "type": "SnsAlarm",
        "topicArn": "arn:aws:sns:us-east-1:1:t",
        "role": "r",
        "subject": "Data Pipeline p failed",
        "message": "Object: #{node.name}\nStart: #{node.@scheduledStartTime}\nTrace: #{node.errorStackTrace}",
    },
    "extract.MysqlNode0": {
        "type": "SqlDataNode",
        "schedule": {"ref": "Schedule0"},
        "connectionString": "jdbc:mysql://h:3306/d",
        "username": "u",
        "*password": "dataduct-secret",
        "selectQuery": "SELECT * FROM t;",
        "table": "t",
    },
    "extract.S3Node0": {
        "type": "S3DataNode",
        "schedule": {"ref": "Schedule0"},
        "directoryPath": "s3://etl/data/p/version_1/#{format(@scheduledStartTime, 'YYYYMMdd-HH-mm-ss')}/extract/",
        "compression": "none",
        "retryDelay": "10 Minutes",
    },
    "extract.CopyActivity0": {
        "type": "CopyActivity",
        "schedule": {"ref": "Schedule0"},
        "input": {"ref": "extract.MysqlNode0"},
        "output": {"ref": "extract.S3Node0"},
        "maximumRetries": "2",
        "retryDelay": "10 Minutes",
        "workerGroup": "etl",
    },
    "load.ShellCommandActivity0": {
        "type": "ShellCommandActivity",
        "schedule": {"ref": "Schedule0"},
        "scriptUri": "s3://etl/src/p/version_1/run.sh",
        "scriptArgument": [
            "--table_definition",
            "CREATE TABLE t (id INT)",
            "--s3_input_paths",
            "#{input.directoryPath}",
        ],
        "input": {"ref": "extract.S3Node0"},
        "stage": "false",
        "maximumRetries": "2",
        "dependsOn": {"ref": "extract.CopyActivity0"},
        "workerGroup": "etl",
    },
}


def test_what_dataduct_compiles_for_a_worker_group_is_valid() -> None:
    assert errors_of(DATADUCT) == {}
    definition = definition_of(DATADUCT)
    assert definition.order() == ["extract.CopyActivity0", "load.ShellCommandActivity0"]
    task = evaluate_object(
        definition, "load.ShellCommandActivity0", lambda _id: {"@scheduledStartTime": "2015-01-01T00:00:00"}
    )
    assert task.values("scriptArgument")[-1].string_value == "s3://etl/data/p/version_1/20150101-00-00-00/extract/"


def test_a_bad_date_is_reported_in_the_words_of_the_service() -> None:
    sample = copy.deepcopy(SAMPLE)
    sample["Schedule"]["startDateTime"] = "bad-time"
    assert errors_of(sample) == {
        "Schedule": ["INVALID_FIELD_VALUE:  'startDateTime' value must be a literal datetime value."]
    }


@pytest.mark.parametrize(
    ("changes", "object_id", "part"),
    [
        ({"A": {"input": {"ref": "M"}}}, "A", "Object references invalid id: 'M'"),
        ({"A": {"command": None}}, "A", "one of 'command' and 'scriptUri' is required"),
        ({"A": {"scriptUri": "s3://b/s"}}, "A", "only one of 'command' and 'scriptUri'"),
        ({"A": {"type": "ShellComandActivity"}}, "A", "did you mean 'ShellCommandActivity'"),
        ({"A": {"type": None}}, "A", "'type' is required"),
        ({"A": {"comand": "y"}}, "A", "'comand' is not a field of ShellCommandActivity; did you mean 'command'"),
        ({"A": {"myfield": "y"}}, "A", "'myfield' is not a field"),
        ({"Default": {"workerGroup": None}}, "A", "one of 'runsOn' and 'workerGroup' is required"),
        ({"Default": {"scheduleType": "cron"}}, "A", "'schedule' is required"),
        ({"Default": {"scheduleType": "cron"}}, "N", "'schedule' is required"),
        ({"Default": {"scheduleType": "daily"}}, "Default", "value must be one of cron, ondemand, timeseries"),
        ({"A": {"scheduleType": "cron"}}, "A", "must be set on Default"),
        ({"A": {"schedule": "S"}}, "A", "'schedule' value must be a reference"),
        ({"A": {"schedule": {"ref": "N"}}}, "A", "must refer to a schedule, but 'N' is a data node"),
        ({"A": {"input": {"ref": "A"}}}, "A", "must refer to a data node"),
        ({"A": {"attemptTimeout": "soon"}}, "A", "'attemptTimeout' value must be a period"),
        ({"A": {"attemptTimeout": "#{'1' + ' parsec'}"}}, "A", "'attemptTimeout' value must be a period"),
        ({"A": {"maximumRetries": "6"}}, "A", "from 0 to 5"),
        ({"A": {"maximumRetries": "two"}}, "A", "from 0 to 5"),
        ({"A": {"command": ""}}, "A", "field 'command' is empty"),
        ({"A": {"command": ["a", "b"]}}, "A", "'command' has 2 values"),
        ({"A": {"command": "#{myMissing}"}}, "A", "'myMissing', which is neither a field nor a parameter"),
        ({"A": {"command": "#{input.path}", "input": {"ref": "N"}}}, "A", "'input.path'"),
        ({"A": {"command": "#{format(}"}}, "A", "cannot be read"),
        ({"A": {"command": "#{node.name}"}}, "A", "alarms and preconditions only"),
        ({"A": {"dependsOn": {"ref": "A"}}}, "A", "circle: A -> A"),
        ({"A": {"parent": {"ref": "A"}}}, "A", "leads back"),
        ({"A": {"command": "x" * (limits.MAX_FIELD_VALUE_BYTES + 1)}}, "A", "longer than 10240 bytes"),
        ({"A": {"scriptArgument": ["é" * 5000, "é" * 3000]}}, "A", "larger than 15360 bytes"),
        ({"A": {"scriptArgument": ["x"] * 51}}, "A", "at most 50"),
        ({"A" * 257: {"type": "CSV"}}, "A" * 257, "longer than 256 bytes"),
        ({"N": {"directoryPath": None}}, "N", "one of 'filePath' and 'directoryPath' is required"),
        ({"N": {"filePath": "s3://b/y"}}, "N", "only one of 'filePath'"),
        ({"N": {"compression": "bzip2"}}, "N", "one of none, gzip"),
        ({"S": {"type": "Schedule", "startAt": "NOW", "period": "1 day"}}, "S", "FIRST_ACTIVATION_DATE_TIME"),
        ({"S": {"type": "Schedule", "period": "1 day"}}, "S", "one of 'startAt' and 'startDateTime' is required"),
        ({"S": {"type": "Schedule", "startAt": "FIRST_ACTIVATION_DATE_TIME"}}, "S", "'period' is required"),
        (
            {"S": {"type": "Schedule", "startAt": "FIRST_ACTIVATION_DATE_TIME", "period": "5 minutes"}},
            "S",
            "15 minutes",
        ),
        (
            {
                "S": {
                    "type": "Schedule",
                    "startDateTime": "2012-01-02T00:00:00",
                    "endDateTime": "2012-01-01T00:00:00",
                    "period": "1 day",
                }
            },
            "S",
            "must be later",
        ),
        (
            {
                "S": {
                    "type": "Schedule",
                    "startDateTime": "2012-01-02T00:00:00",
                    "endDateTime": "2012-01-02T00:00:00",
                    "period": "1 day",
                }
            },
            "S",
            "must be later",
        ),
        ({"S": {"type": "Schedule", "startAt": "FIRST_ACTIVATION_DATE_TIME", "period": "4 years"}}, "S", "3 years"),
        ({"Q": {"type": "SqlActivity", "script": "select 1"}}, "Q", "'database' is required"),
        ({"A": {"command": {"ref": "N"}}}, "A", "'command' value must be a string, not a reference"),
        ({"A": {"stage": "yes"}}, "A", "'stage' value must be one of true, false."),
        ({"A": {"scheduleType": ["ondemand", "cron"]}}, "A", "'scheduleType' has 2 values"),
        ({"D": {"type": "DynamoDBDataNode", "tableName": "t", "readThroughputPercent": "5"}}, "D", "from 0.1 to 1.0"),
        ({"D": {"type": "DynamoDBDataNode", "tableName": "t", "writeThroughputPercent": "x"}}, "D", "from 0.1 to 1.0"),
        ({"E": {"type": "EmrCluster", "coreInstanceCount": "many"}}, "E", "'coreInstanceCount' value must be a whole"),
        ({"E": {"type": "EmrCluster", "configuration": {"ref": "N"}}}, "E", "must refer to a configuration"),
        ({"E": {"type": "EmrCluster", "actionOnTaskFailure": "retry"}}, "E", "must be one of continue, terminate."),
        (
            {"Q": {"type": "SqlActivity", "script": "select 1", "database": "db"}},
            "Q",
            "'database' value must be a reference",
        ),
        ({"C": {"type": "CopyActivity", "input": {"ref": "N"}}}, "C", "'output' is required"),
        ({"L": {"type": "SnsAlarm", "message": "m"}}, "L", "'role' is required"),
        ({"@A": {"type": "CSV"}}, "@A", "must not begin with '@'"),
    ],
)
def test_a_mistake_is_reported_at_its_object(changes: Objects, object_id: str, part: str) -> None:
    errors = errors_of(changed(**changes))
    assert any(part in error for error in errors.get(object_id, [])), errors


@pytest.mark.parametrize(
    "changes",
    [
        {"A": {"myField": "x", "my_field": "y", "_own": "z", "*myPassword": "p", "@pipelineId": "df-1"}},
        {"A": {"command": "#{@scheduledStartTime.format('YYYY')} #{myText}", "myText": "t"}},
        {"A": {"command": "#{input.directoryPath} #{parent.@id} #{name}", "input": {"ref": "N"}}},
        {"A": {"attemptTimeout": "#{'1' + ' hour'}", "stage": "TRUE"}},
        {"Default": {"myText": "#{@scheduledStartTime} #{command}"}},
        {
            "L": {
                "type": "SnsAlarm",
                "message": "#{node.output.directoryPath}",
                "subject": "s",
                "role": "r",
                "topicArn": "t",
            }
        },
        {"Base": {"stage": "true", "A1": "x"}, "A": {"parent": {"ref": "Base"}}},
        {"S": {"type": "Schedule", "period": "ONDEMAND_PERIOD", "startAt": "ONDEMAND_ACTIVATION_TIME"}},
        {
            "R": {
                "type": "Ec2Resource",
                "instanceType": "m1.small",
                "terminateAfter": "1 Hour",
                "role": "r",
                "resourceRole": "rr",
            }
        },
        {
            "M": {
                "type": "SqlDataNode",
                "table": "t",
                "connectionString": "jdbc:mysql://h/d",
                "username": "u",
                "*password": "p",
                "selectQuery": "q",
            }
        },
    ],
)
def test_what_the_guide_allows_is_not_reported(changes: Objects) -> None:
    assert errors_of(changed(**changes)) == {}


def test_fields_without_effect_are_warned_about() -> None:
    resource = {"type": "Ec2Resource", "role": "r", "resourceRole": "rr"}
    objects = changed(
        A={"runsOn": {"ref": "R"}, "workerGroup": "g", "onLateAction": {"ref": "T"}, "maxActiveInstances": "9"},
        R=resource,
        T={"type": "Terminate"},
    )
    told = {report.id: " | ".join(report.warnings) for report in validate(definition_of(objects))}
    for text in ("'workerGroup' is ignored", "'lateAfterTimeout' is missing", "'maxActiveInstances' is above 5"):
        assert text in told["A"]
    assert "'terminateAfter' is missing. It is recommended to set this to avoid" in told["R"]
    assert errors_of(objects) == {}


def test_what_public_definitions_have_without_effect_is_only_warned_about() -> None:
    objects = changed(
        Default={"instanceType": "m1.small", "schedule": {"ref": "Gone"}},
        A={"insertMode": "APPEND"},
        Q={"type": "SqlDataNode", "table": "t", "database": "myDataBaseName", "selectQuery": "q"},
    )
    told = {report.id: " | ".join(report.warnings) for report in validate(definition_of(objects))}
    assert "'insertMode' is not a field of ShellCommandActivity and has no effect there" in told["A"]
    assert "'database' should be a reference to another object" in told["Q"]
    assert "'schedule' leads to no object, 'Gone', which does not matter on demand" in told["Default"]
    assert errors_of(objects) == {}


def test_a_secret_parameter_may_be_named_without_its_mark() -> None:
    definition = definition_of(
        changed(A={"command": "#{myKey}"}), {"*myKey": {"type": "String"}}, {"*myKey": ["k-1-k"]}
    )
    assert not any(report.errors for report in validate(definition))
    assert evaluate_object(definition, "A").string("command") == "k-1-k"


def test_a_field_that_is_an_optional_parameter_without_a_value_is_left_out() -> None:
    objects = changed(
        A={"command": "x #{myMore}", "maximumRetries": "#{myRetries}", "scriptArgument": ["a", "#{myMore}"]}
    )
    optional = {"type": "Integer", "optional": "true"}
    definition = definition_of(objects, {"myRetries": optional, "myMore": {"optional": "true"}})
    assert not any(report.errors for report in validate(definition))
    task = evaluate_object(definition, "A")
    assert task.string("command") == "x "
    assert not task.values("maximumRetries")
    assert [field.string_value for field in task.values("scriptArgument")] == ["a"]


def test_a_hundred_and_one_objects_are_too_many_and_not_even_saved() -> None:
    objects = changed(**{f"N{number}": {"type": "S3DataNode", "directoryPath": "s3://b/"} for number in range(97)})
    assert errors_of(objects) == {}
    assert fatal_errors(definition_of(objects)) == []
    objects["N97"] = {"type": "S3DataNode", "directoryPath": "s3://b/"}
    assert "at most 100" in errors_of(objects)["Default"][0]
    assert "at most 100" in fatal_errors(definition_of(objects))[0]


def test_an_empty_field_keeps_a_definition_from_being_saved() -> None:
    assert fatal_errors(definition_of(changed(Default={"workerGroup": ""}))) == [
        "field 'workerGroup' of object 'Default' is empty"
    ]


@pytest.mark.parametrize(
    ("attributes", "values", "part"),
    [
        ({}, [], "a value is required"),
        ({"type": "Integer"}, ["many"], "not a whole number"),
        ({"type": "Double"}, ["1,5"], "not a number"),
        ({"type": "Text"}, ["x"], "must be one of String, Integer"),
        ({"allowedValues": ["a", "b"]}, ["c"], "not one of allowedValues: a, b"),
        ({"allowedValues": "a,b"}, ["c"], "not one of allowedValues: a, b"),
        ({}, ["a", "b"], "'isArray' is not true"),
    ],
)
def test_a_parameter_without_a_fitting_value_is_reported(
    attributes: dict[str, Any], values: list[str], part: str
) -> None:
    errors = errors_of(ONDEMAND, {"myX": attributes}, {"myX": values})
    assert any(part in error for error in errors["myX"]), errors


def test_parameters_that_fit_are_not_reported() -> None:
    parameters = {
        "myA": {
            "type": "String",
            "default": "x",
            "description": "d",
            "watermark": "w",
            "helpText": "h",
            "helpLink": "l",
        },
        "myB": {"type": "Integer", "default": "5"},
        "myC": {"isArray": "true"},
        "myD": {"optional": "true"},
        "*myE": {"type": "String"},
        "myF": {"type": "AWS::S3::ObjectKey", "default": "s3://b/"},
        "myH": {"type": "Integer", "default": "#{myB * 2}"},
        "myG": {"allowedValues": ["a", "b"], "default": "b"},
    }
    assert errors_of(ONDEMAND, parameters, {"myC": ["1", "2"], "*myE": ["secret value"]}) == {}


def test_attributes_of_parameters_that_nobody_knows_are_only_warned_about_and_comments_not_even_that() -> None:
    objects = changed(A={"command": "#{myX} #{myY}"})
    parameters = {"myX": {"defalt": "x"}, "myY": {"myComment": "why"}, "myZ": {"default": "unused"}}
    reports = validate(definition_of(objects, parameters, {"myX": ["a"], "myY": ["b"]}))
    assert {report.id: report.warnings for report in reports} == {
        "myX": ["'defalt' is not an attribute of parameters; did you mean 'default'?"],
        "myZ": ["no object of the definition uses the parameter"],
    }
    assert not any(report.errors for report in reports)


def test_a_secret_value_stays_out_of_the_reports() -> None:
    reports = validate(definition_of(ONDEMAND, {"*myE": {"type": "Integer"}}, {"*myE": ["tell-nobody"]}))
    assert reports[0].errors
    assert "tell-nobody" not in repr(reports)


def test_warnings_leave_a_definition_valid() -> None:
    objects = changed(
        Default={"pipelineLogUri": None},
        A={"retryDelay": "1 minute"},
        N={"retryDelay": "2 minutes"},
        T={"type": "Terminate"},
        B={"type": "ShellCommandActivity", "command": "x", "onLateAction": {"ref": "T"}},
        C={"type": "ShellCommandActivity", "command": "x", "lateAfterTimeout": "1 hour"},
    )
    reports = validate(definition_of(objects, {}, {"myUndeclared": ["x"]}))
    assert [report.id for report in reports] == ["Default", "A", "B", "C", "myUndeclared"]
    assert all(report.warnings and not report.errors for report in reports)
    assert isinstance(reports[0], ObjectReport)


def test_a_precondition_may_be_tried_more_often_than_an_activity() -> None:
    ready = {"type": "S3KeyExists", "role": "r", "s3Key": "s3://b/x", "maximumRetries": "60"}
    assert errors_of(changed(A={"precondition": {"ref": "P"}}, P=ready)) == {}
    assert "whole number" in errors_of(changed(P=ready | {"maximumRetries": "many"}))["P"][0]


def test_a_managed_resource_is_accepted_and_what_becomes_of_it_said() -> None:
    resource = {"type": "Ec2Resource", "role": "r", "resourceRole": "rr"}
    definition = definition_of(changed(Default={"workerGroup": None}, A={"runsOn": {"ref": "R"}}, R=resource))
    reports = validate(definition)
    assert [(report.id, report.errors) for report in reports] == [("R", [])]
    assert "--managed-worker-group" in reports[0].warnings[0]


IDS = st.sampled_from(["Default", "A", "B", "C", "N", "#{x}", "@X"])
KEYS = st.sampled_from(
    [
        *("type", "parent", "dependsOn", "input", "output", "command", "schedule", "scheduleType", "period"),
        *("startDateTime", "endDateTime", "occurrences", "maximumRetries", "attemptTimeout", "workerGroup", "runsOn"),
        *("myX", "*myP", "zzz"),
    ]
)
TEXTS = st.one_of(
    st.sampled_from(sorted(TYPES)),
    st.sampled_from(
        ["ondemand", "1 day", "9999999 years", "2012-01-01T00:00:00", "#{myX}", "#{input.myX}", "#{parent.@id}"]
    ),
    st.text(alphabet="#{}1a.' \ud800\u0000", max_size=8),
)
FIELD = st.one_of(
    st.builds(lambda key, text: {"key": key, "stringValue": text}, KEYS, TEXTS),
    st.builds(lambda key, target: {"key": key, "refValue": target}, KEYS, IDS),
)
OBJECT = st.builds(lambda each, fields: {"id": each, "name": each, "fields": fields}, IDS, st.lists(FIELD, max_size=6))


@given(st.lists(OBJECT, max_size=6, unique_by=lambda each: each["id"]), TEXTS)
def test_no_definition_makes_the_checks_or_the_evaluation_stumble(objects: list[dict[str, Any]], value: str) -> None:
    definition = Definition.parse(objects, [], [{"id": "myX", "stringValue": value}])
    validate(definition)
    fatal_errors(definition)
    for object_id in definition.objects:
        with contextlib.suppress(PipelineInvalid):
            evaluate_object(definition, object_id)


@pytest.mark.parametrize(
    "field", [{"key": "a", "stringValue": 5}, {"key": "a", "refValue": {}}, {"key": 5, "stringValue": "x"}]
)
def test_a_value_that_is_not_text_is_refused(field: dict[str, Any]) -> None:
    with pytest.raises(PipelineInvalid):
        Definition.parse([{"id": "A", "name": "A", "fields": [field]}], [], [])
