from __future__ import annotations

from typing import Any

import pytest

from core.errors import ExpressionInvalid, PipelineInvalid
from core.redaction import REDACTOR
from sandbox.datapipeline.catalogue import Kind
from sandbox.datapipeline.definition import Definition
from sandbox.datapipeline.escapes import unescape_once
from sandbox.datapipeline.objects import Field, PipelineObject
from sandbox.datapipeline.scope import evaluate_object

RUN = {"@scheduledStartTime": "2012-12-01T03:04:05", "@pipelineId": "df-1"}


def runtime(_object_id: str) -> dict[str, str]:
    return RUN


def item(object_id: str, *fields: tuple[str, str], **refs: str | list[str]) -> dict[str, Any]:
    entries: list[dict[str, str]] = [{"key": key, "stringValue": value} for key, value in fields]
    for key, targets in refs.items():
        entries += [{"key": key, "refValue": target} for target in ([targets] if isinstance(targets, str) else targets)]
    return {"id": object_id, "name": f"name of {object_id}", "fields": entries}


def shell(object_id: str, *fields: tuple[str, str], **refs: str | list[str]) -> dict[str, Any]:
    return item(object_id, ("type", "ShellCommandActivity"), *fields, **refs)


def node(object_id: str, path: str = "s3://bucket/x/", **refs: str | list[str]) -> dict[str, Any]:
    return item(object_id, ("type", "S3DataNode"), ("directoryPath", path), **refs)


def texts(found: PipelineObject, key: str) -> list[str | None]:
    return [field.string_value for field in found.values(key)]


def test_an_object_survives_the_way_through_the_api_form_with_repeated_keys_in_order() -> None:
    raw = shell("A", ("scriptArgument", "2"), ("scriptArgument", "1"), ("empty", ""), input=["N1", "N2"])
    found = PipelineObject.from_api(raw)
    assert found.to_api() == raw
    assert texts(found, "scriptArgument") == ["2", "1"]
    assert found.refs("input") == ["N1", "N2"]
    assert found.string("command") is None


@pytest.mark.parametrize(
    "raw",
    [
        {"name": "x", "fields": []},
        {"id": "x", "fields": []},
        {"id": "x", "name": "x", "fields": [{"key": "a"}]},
        {"id": "x", "name": "x", "fields": [{"key": "a", "stringValue": "1", "refValue": "y"}]},
        {"id": "x", "name": "x", "fields": [{"stringValue": "1"}]},
    ],
)
def test_an_object_that_cannot_be_read_is_refused(raw: dict[str, Any]) -> None:
    with pytest.raises(PipelineInvalid):
        Definition.parse([raw], [], [])


def test_an_id_used_twice_is_refused() -> None:
    with pytest.raises(PipelineInvalid, match="'A' is used twice"):
        Definition.parse([shell("A"), shell("A")], [], [])


def test_the_nearest_definer_replaces_all_values_of_a_field() -> None:
    definition = Definition.parse(
        [
            item("Default", ("scriptArgument", "d"), ("workerGroup", "g"), ("maximumRetries", "1")),
            item("Base", ("scriptArgument", "b1"), ("scriptArgument", "b2"), ("maximumRetries", "3"), parent="Root"),
            item("Root", ("stage", "true"), ("maximumRetries", "4")),
            shell("A", ("command", "x"), parent="Base"),
            shell("B", ("scriptArgument", "own")),
        ],
        [],
        [],
    )
    a, b = definition.effective("A"), definition.effective("B")
    assert texts(a, "scriptArgument") == ["b1", "b2"]
    assert (a.string("maximumRetries"), a.string("stage"), a.string("workerGroup")) == ("3", "true", "g")
    assert a.refs("parent") == ["Base"]
    assert texts(b, "scriptArgument") == ["own"]
    assert b.string("maximumRetries") == "1"
    assert not definition.effective("Default").refs("parent")


def test_identity_is_not_inherited_and_the_type_only_from_a_parent() -> None:
    definition = Definition.parse(
        [
            item("Default", ("type", "Default"), ("@sphere", "COMPONENT"), parent="Base"),
            shell("Base"),
            item("A", ("command", "x"), parent="Base"),
            item("Plain", ("command", "x")),
        ],
        [],
        [],
    )
    assert definition.type_of("A") == "ShellCommandActivity"
    assert definition.type_of("Plain") is None
    assert definition.effective("Plain").name == "name of Plain"
    assert not definition.effective("Plain").values("@sphere")
    assert not definition.effective("Plain").values("parent")


def test_a_circle_of_parents_ends() -> None:
    definition = Definition.parse([item("A", ("a", "1"), parent="B"), item("B", ("b", "2"), parent="A")], [], [])
    assert definition.effective("A").string("b") == "2"


def test_activities_wait_for_depends_on_and_for_who_writes_what_they_read() -> None:
    definition = Definition.parse(
        [
            shell("Load", input=["Files", "Same"], output="Same", dependsOn="Check"),
            shell("Extract1", output="Files"),
            shell("Extract2", output=["Files", "Other"]),
            shell("Check"),
            shell("Reader", input="Guarded"),
            shell("Last", dependsOn=["Check", "Files"]),
            node("Files"),
            node("Other"),
            node("Same"),
            node("Guarded", dependsOn="Check"),
        ],
        [],
        [],
    )
    assert definition.dependencies("Load") == {"Extract1", "Extract2", "Check"}
    assert definition.dependencies("Extract1") == frozenset()
    assert definition.dependencies("Reader") == {"Check"}
    assert definition.dependencies("Last") == {"Check", "Extract1", "Extract2"}
    assert definition.consumers("Check") == {"Load", "Reader", "Last"}
    order = definition.order()
    assert set(order) == set(definition.runnable_ids()) == {"Load", "Extract1", "Extract2", "Check", "Reader", "Last"}
    assert all(order.index(need) < order.index(each) for each in order for need in definition.dependencies(each))
    assert definition.data_nodes() == ["Files", "Other", "Same", "Guarded"]


def test_activities_in_a_circle_have_no_order() -> None:
    definition = Definition.parse(
        [shell("A", dependsOn="C"), shell("B", input="N"), shell("C", dependsOn="B"), node("N")], [], []
    )
    assert definition.circle == []
    definition = Definition.parse([shell("A", output="N", dependsOn="B"), shell("B", input="N"), node("N")], [], [])
    assert set(definition.circle) == {"A", "B"}
    with pytest.raises(PipelineInvalid, match="circle"):
        definition.order()


def test_kinds_tell_activities_from_resources_and_alarms() -> None:
    definition = Definition.parse(
        [
            item("Default"),
            shell("A"),
            item("R", ("type", "Ec2Resource")),
            item("S", ("type", "SnsAlarm")),
            item("X", ("type", "Nope")),
        ],
        [],
        [],
    )
    assert [definition.kind_of(each) for each in definition.objects] == [
        Kind.DEFAULT,
        Kind.ACTIVITY,
        Kind.RESOURCE,
        Kind.ACTION,
        Kind.UNKNOWN,
    ]
    assert definition.runnable_ids() == ["A"]


PARAMETERS = [
    {
        "id": "myTable",
        "attributes": [{"key": "type", "stringValue": "String"}, {"key": "default", "stringValue": "users"}],
    },
    {
        "id": "myCount",
        "attributes": [{"key": "type", "stringValue": "Integer"}, {"key": "default", "stringValue": "5"}],
    },
    {"id": "myArgs", "attributes": [{"key": "isArray", "stringValue": "true"}]},
    {"id": "myOptional", "attributes": [{"key": "optional", "stringValue": "true"}]},
    {"id": "*mySecret", "attributes": [{"key": "type", "stringValue": "String"}]},
]
VALUES = [
    {"id": "myArgs", "stringValue": "one"},
    {"id": "myArgs", "stringValue": "two"},
    {"id": "*mySecret", "stringValue": "correct horse battery"},
    {"id": "myPath", "stringValue": "s3://bucket/#{format(@scheduledStartTime,'YYYY')}"},
]


def test_a_task_carries_its_fields_evaluated() -> None:
    definition = Definition.parse(
        [
            item("Default", ("pipelineLogUri", "#{myPath}/logs"), ("workerGroup", "g")),
            shell(
                "A",
                (
                    "command",
                    "load #{myTable} #{myCount + 1} #{input.directoryPath} ${INPUT1_STAGING_DIR} #{parent.@id} #{name}",
                ),
                ("scriptArgument", "first"),
                ("scriptArgument", "#{myArgs}"),
                ("scriptArgument", "last#{myOptional}"),
                ("*password", "#{*mySecret}"),
                input="N",
            ),
            node("N", "#{myPath}/#{id}/"),
        ],
        PARAMETERS,
        VALUES,
    )
    task = evaluate_object(definition, "A", runtime)
    assert task.string("command") == "load users 6 s3://bucket/2012/N/ ${INPUT1_STAGING_DIR} A name of A"
    assert texts(task, "scriptArgument") == ["first", "one", "two", "last"]
    assert task.string("*password") == "correct horse battery"
    assert task.string("pipelineLogUri") == "s3://bucket/2012/logs"
    assert task.refs("input") == ["N"]
    assert definition.parameter("myArgs") == ["one", "two"]
    assert definition.parameter("myTable") == ["users"]
    with pytest.raises(PipelineInvalid, match="myNothing"):
        definition.parameter("myNothing")


def test_a_given_value_wins_over_the_default_and_secrets_are_redacted() -> None:
    secret = "a-secret-that-must-not-be-seen"
    definition = Definition.parse(
        [item("D", ("type", "RedshiftDatabase"), ("*password", "another-secret-in-a-field"))],
        PARAMETERS,
        [{"id": "myTable", "stringValue": "courses"}, {"id": "*mySecret", "stringValue": secret}],
    )
    assert definition.parameter("myTable") == ["courses"]
    assert REDACTOR.redact(f"<{secret}> <another-secret-in-a-field>") == "<[redacted]> <[redacted]>"


def test_ids_names_types_and_references_are_used_verbatim() -> None:
    definition = Definition.parse(
        [
            {
                "id": "#{x}",
                "name": "#{y}",
                "fields": [{"key": "type", "stringValue": "#{z}"}, {"key": "input", "refValue": "#{w}"}],
            }
        ],
        [],
        [],
    )
    task = evaluate_object(definition, "#{x}", runtime)
    assert (task.id, task.name) == ("#{x}", "#{y}")
    assert task.fields == (Field("type", "#{z}"), Field("input", None, "#{w}"))


def test_an_alarm_reads_the_object_that_refers_to_it() -> None:
    definition = Definition.parse(
        [
            shell("A", onFail="Alarm", output="N"),
            node("N"),
            item(
                "Alarm",
                ("type", "SnsAlarm"),
                ("message", "#{node.name}: #{node.errorMessage} #{node.output.directoryPath}"),
            ),
        ],
        [],
        [],
    )
    message = evaluate_object(definition, "Alarm", lambda _id: {"errorMessage": "no #{such} thing"}, node="A").string(
        "message"
    )
    assert message == "name of A: no #{such} thing s3://bucket/x/"


def test_an_alarm_goes_out_without_what_the_worker_did_not_report() -> None:
    text = "#{node.name} #{node.@scheduledStartTime}\nError: #{node.errorMessage}\nTrace: #{node.errorStackTrace}"
    definition = Definition.parse(
        [shell("A", onFail="Alarm"), item("Alarm", ("type", "SnsAlarm"), ("message", text))], [], []
    )
    failed = {"@scheduledStartTime": "2012-12-01T03:04:05", "errorMessage": "boom"}
    message = evaluate_object(definition, "Alarm", lambda _id: failed, node="A").string("message")
    assert message == "name of A 2012-12-01T03:04:05\nError: boom\nTrace: "


def test_an_error_names_object_field_and_expression() -> None:
    definition = Definition.parse([shell("A", ("command", "echo #{@scheduledStartTme}"))], [], [])
    with pytest.raises(ExpressionInvalid) as caught:
        evaluate_object(definition, "A", runtime)
    for part in ("'command'", "'A'", "#{@scheduledStartTme}"):
        assert part in str(caught.value)


# The text of Dataduct's extract-rds command as it stands in a definition, and what the shell must get.
IN_DEFINITION = r"cat $f | sed 's/\\\\n/NULL/g' | tr -d '\\000' | split -l 10 - ${OUTPUT1_STAGING_DIR}/part-"
FOR_SHELL = r"cat $f | sed 's/\\n/NULL/g' | tr -d '\000' | split -l 10 - ${OUTPUT1_STAGING_DIR}/part-"


@pytest.mark.parametrize(
    ("text", "result"),
    [
        (IN_DEFINITION, FOR_SHELL),
        (r"\n", r"\n"),
        (r"\"", r"\""),
        (r"\\n", r"\n"),
        (r"\\\n", r"\\n"),
        (r"\\\\n", r"\\n"),
        (r"a\\,b", r"a\,b"),
        ("no backslash", "no backslash"),
    ],
)
def test_one_level_of_backslashes_is_removed(text: str, result: str) -> None:
    assert unescape_once(text) == result


def test_the_level_is_removed_in_programs_only_and_the_switch_keeps_it() -> None:
    definition = Definition.parse(
        [shell("A", ("command", IN_DEFINITION), ("scriptArgument", r"\\N"), ("stdout", r"s3://\\"))], [], []
    )
    task = evaluate_object(definition, "A")
    assert (task.string("command"), task.string("scriptArgument"), task.string("stdout")) == (
        FOR_SHELL,
        r"\\N",
        r"s3://\\",
    )
    assert evaluate_object(definition, "A", unescape=False).string("command") == IN_DEFINITION


def test_an_instance_has_its_own_id_and_its_component_as_parent() -> None:
    definition = Definition.parse(
        [shell("A", ("command", "#{@id} #{parent.@id} #{input.@id}"), input="N"), node("N")], [], []
    )
    task = evaluate_object(definition, "A", lambda component: {"@id": f"@{component}_2012"})
    assert task.string("command") == "@A_2012 A N"
