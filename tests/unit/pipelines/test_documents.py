from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import PipelineInvalid
from pipelines.documents import read_document, with_parameters
from pipelines.schedules import endless, scheduled
from pipelines.values import with_given


def written(tmp_path: Path, content: Any) -> Path:
    path = tmp_path / "definition.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def test_the_form_of_the_cli_becomes_that_of_the_api(tmp_path: Path) -> None:
    content = {
        "objects": [{"id": "A", "name": "a", "type": "T", "n": 2, "on": True, "r": {"ref": "B"}, "many": ["x", "y"]}],
        "parameters": [{"id": "myX", "type": "String", "allowedValues": ["p", "q"]}],
        "values": {"myX": "p", "mySeveral": ["1", 2]},
    }
    document = read_document(written(tmp_path, content))
    assert document.name == "definition"
    assert document.objects == [
        {
            "id": "A",
            "name": "a",
            "fields": [
                {"key": "type", "stringValue": "T"},
                {"key": "n", "stringValue": "2"},
                {"key": "on", "stringValue": "true"},
                {"key": "r", "refValue": "B"},
                {"key": "many", "stringValue": "x"},
                {"key": "many", "stringValue": "y"},
            ],
        }
    ]
    assert [one["stringValue"] for one in document.parameters[0]["attributes"]] == ["String", "p", "q"]
    assert document.values == [
        {"id": "myX", "stringValue": "p"},
        {"id": "mySeveral", "stringValue": "1"},
        {"id": "mySeveral", "stringValue": "2"},
    ]


def test_the_form_of_the_api_is_taken_as_it_is(tmp_path: Path) -> None:
    content = {
        "pipelineObjects": [{"id": "A", "name": "a", "fields": [{"key": "type", "stringValue": "T"}]}],
        "parameterObjects": [{"id": "myX", "attributes": [{"key": "type", "stringValue": "String"}]}],
        "parameterValues": [{"id": "myX", "stringValue": "1"}],
        "ResponseMetadata": {},
    }
    document = read_document(written(tmp_path, content))
    assert document.request() == {name: content[name] for name in list(content)[:3]}
    assert not document.notes


def test_a_key_that_comes_twice_has_both_values_and_is_told(tmp_path: Path) -> None:
    text = '{"objects": [{"id": "A", "name": "x", "name": "y", "step": "1", "step": ["2", "3"], "c": "a\nb"}]}'
    document = read_document(written(tmp_path, text))
    assert document.objects[0]["name"] == "y"
    assert [one["stringValue"] for one in document.objects[0]["fields"]] == ["1", "2", "3", "a\nb"]
    assert any("'step' is given more than once" in note for note in document.notes)
    assert any("line end" in note for note in document.notes)


@pytest.mark.parametrize(
    ("content", "part"),
    [
        ("{", "is not JSON: .* at line 1 column 2"),
        ("[" * 100_000, "nested too deeply|not JSON"),
        ("3", "must be a JSON object"),
        ({"objects": "x"}, "must be a JSON object with a list"),
        ({"objects": [{"name": "x"}]}, "object 1 has no"),
        ({"objects": [{"id": "A", "x": {"y": 1}}]}, "field 'x' of 'A'"),
        ({"objects": [{"id": "A", "x": None}]}, "field 'x' of 'A'"),
        ({"objects": [{"id": "A"}], "parameters": [{"type": "String"}]}, "parameter 1 has no"),
        ({"objects": [{"id": "A"}], "values": {"myX": {"a": 1}}}, "value of the parameter 'myX'"),
    ],
)
def test_what_is_no_definition_is_refused_with_its_place(tmp_path: Path, content: Any, part: str) -> None:
    with pytest.raises(PipelineInvalid, match=part):
        read_document(written(tmp_path, content))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["id", "ref", "objects", "values", "fields", "key", "x"]), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(JSON)
def test_no_json_raises_anything_but_an_invalid_definition(
    tmp_path_factory: pytest.TempPathFactory, found: Any
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.json"
    path.write_text(json.dumps({"objects": found} if not isinstance(found, dict) else found))
    try:
        document = read_document(path)
    except PipelineInvalid:
        return
    assert all(set(one) == {"id", "name", "fields"} for one in document.objects)


def definition(tmp_path: Path, **more: Any) -> Any:
    content = {"objects": [{"id": "A", "command": "#{myX} #{*mySecret} #{myFree}"}], **more}
    return read_document(written(tmp_path, content))


PARAMETERS = [{"id": "myX", "type": "String"}, {"id": "*mySecret", "type": "String", "optional": "true"}]


def test_later_values_win_as_a_whole(tmp_path: Path) -> None:
    document = definition(tmp_path, parameters=PARAMETERS, values={"myX": ["a", "b"], "myFree": "f"})
    file = tmp_path / "values.json"
    file.write_text('{"values": {"myX": ["c", "d"]}}')
    one = with_given(document, [file], [])
    assert [entry["stringValue"] for entry in one.values] == ["f", "c", "d"]
    two = with_given(document, [file], ["myX=e", "myX=g=h", "myFree="])
    assert [(entry["id"], entry["stringValue"]) for entry in two.values] == [
        ("myX", "e"),
        ("myX", "g=h"),
        ("myFree", ""),
    ]


def test_a_secret_is_named_without_its_mark_and_read_where_it_lies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("THE_SECRET", "hush-hush")
    given_ = with_given(
        definition(tmp_path, parameters=PARAMETERS), [], ["mySecret=env:THE_SECRET", "myX=env:THE_SECRET"]
    )
    assert [(entry["id"], entry["stringValue"]) for entry in given_.values] == [
        ("*mySecret", "hush-hush"),
        ("myX", "env:THE_SECRET"),
    ]


@pytest.mark.parametrize(
    ("pairs", "part"),
    [
        ([], "no value for myX, .*-p myX="),
        (["myx=1"], "no parameter 'myx'; did you mean 'myX'"),
        (["myX"], "must be written as name=value"),
        (["=1"], "must be written as name=value"),
    ],
)
def test_values_that_do_not_fit_are_refused(tmp_path: Path, pairs: list[str], part: str) -> None:
    with pytest.raises(PipelineInvalid, match=part):
        with_given(definition(tmp_path, parameters=PARAMETERS), [], pairs)


def test_parameters_may_come_from_another_file(tmp_path: Path) -> None:
    path = tmp_path / "parameters.json"
    path.write_text(json.dumps({"parameters": PARAMETERS}))
    assert [one["id"] for one in with_parameters(definition(tmp_path), path).parameters] == ["myX", "*mySecret"]


def test_schedules_are_found_through_parents_and_default(tmp_path: Path) -> None:
    content: dict[str, Any] = {
        "objects": [
            {"id": "Default", "schedule": {"ref": "Daily"}},
            {"id": "Daily", "type": "Schedule", "period": "1 day"},
            {"id": "Bounded", "type": "Schedule", "period": "1 day", "occurrences": "3"},
            {"id": "Base", "schedule": {"ref": "Bounded"}},
            {"id": "Own", "type": "ShellCommandActivity", "parent": {"ref": "Base"}},
            {"id": "Inherits", "type": "ShellCommandActivity"},
            {"id": "Nowhere", "type": "ShellCommandActivity", "schedule": {"ref": "Gone"}},
            {"id": "Node", "type": "S3DataNode"},
            {"id": "Loop", "type": "SqlActivity", "parent": {"ref": "Loop"}},
        ]
    }
    document = read_document(written(tmp_path, content))
    assert scheduled(document) == {"Own", "Inherits", "Loop"}
    assert endless(document) == {"Inherits", "Loop"}
    content["objects"][0]["scheduleType"] = "onDemand"
    assert not scheduled(read_document(written(tmp_path, content)))
