"""Fields that an object has from ``Default`` and has no use for."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from agent.plans.fields import SERVICE_FIELDS
from core.known_fields import KNOWN_FIELDS
from sandbox.datapipeline.catalogue import TYPES
from steps_impl.activities.objects.nodes import S3DataNode


def test_a_field_of_another_type_is_read_past_and_said(capsys: pytest.CaptureFixture[str]) -> None:
    config = {"type": "ShellScriptConfig", "scriptUri": "s3://b/x"}
    node = S3DataNode.model_validate({"id": "In", "filePath": "s3://b/k", "preActivityTaskConfig": config})
    assert node.file_path == "s3://b/k"
    assert "In (S3DataNode) has no use for preActivityTaskConfig" in capsys.readouterr().err


def test_a_field_that_no_type_has_is_refused() -> None:
    with pytest.raises(ValidationError, match="has the field 'filPath', which is not known here"):
        S3DataNode.model_validate({"id": "In", "filPath": "s3://b/k"})


def test_the_known_fields_are_those_that_the_service_knows() -> None:
    fields = set().union(*(entry.known for entry in TYPES.values()))
    assert fields - SERVICE_FIELDS - {"id", "name", "type"} == KNOWN_FIELDS
