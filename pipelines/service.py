"""The calls of Data Pipeline that a person at a desk makes."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

from core.errors import NotFound
from pipelines.documents import Document
from stores import aws
from stores.datapipeline import PipelineRuns

#: Objects that one SetStatus call names at most.
_STATUS_LIMIT = 100


@dataclass(frozen=True)
class Finding:
    """What the service says about one object of a definition."""

    id: str
    text: str
    error: bool

    def __str__(self) -> str:
        return f"{'ERROR' if self.error else 'WARNING'}: {self.id}: {self.text}"


class Service:
    """Data Pipeline, wherever the environment says it is."""

    def __init__(self) -> None:
        self._client = aws.client("datapipeline")

    def create(self, name: str, unique_id: str | None = None) -> str:
        """Create a pipeline, or with a known ``unique_id`` find the one made before; return its id."""
        unique = unique_id or uuid.uuid4().hex
        answer = self._call("create_pipeline", name=name, uniqueId=unique)
        return str(answer["pipelineId"])

    def put(self, pipeline_id: str, document: Document) -> list[Finding]:
        """Put a definition that has no errors; return what the service finds in it.

        It is validated first, since a refused PutPipelineDefinition does not say what is wrong.
        """
        found = self._found(pipeline_id, document)
        if not any(finding.error for finding in found):
            self._call("put_pipeline_definition", pipelineId=pipeline_id, **document.request())
        return found

    def validate(self, document: Document) -> list[Finding]:
        """Return what the service finds in a definition; nothing is left behind."""
        pipeline_id = self.create(document.name)
        try:
            return self._found(pipeline_id, document)
        finally:
            self.delete(pipeline_id)

    def _found(self, pipeline_id: str, document: Document) -> list[Finding]:
        return _findings(self._call("validate_pipeline_definition", pipelineId=pipeline_id, **document.request()))

    def activate(self, pipeline_id: str, values: list[dict[str, str]] | None = None) -> None:
        """Start a pipeline, with other parameter values if some are given."""
        more: dict[str, Any] = {"parameterValues": values} if values else {}
        self._call("activate_pipeline", pipelineId=pipeline_id, **more)

    def deactivate(self, pipeline_id: str) -> None:
        """Stop a pipeline; what runs is canceled."""
        self._call("deactivate_pipeline", pipelineId=pipeline_id, cancelActive=True)

    def cancel(self, pipeline_id: str, instances: list[str]) -> None:
        """Cancel instances."""
        for start in range(0, len(instances), _STATUS_LIMIT):
            ids = instances[start : start + _STATUS_LIMIT]
            self._call("set_status", pipelineId=pipeline_id, objectIds=ids, status="TRY_CANCEL")

    def delete(self, pipeline_id: str) -> None:
        """Delete a pipeline with its history."""
        self._call("delete_pipeline", pipelineId=pipeline_id)

    def definition(self, pipeline_id: str) -> dict[str, Any]:
        """Return the latest definition as the API writes it."""
        answer = self._call("get_pipeline_definition", pipelineId=pipeline_id)
        return {key: value for key, value in answer.items() if key != "ResponseMetadata"}

    def state(self, pipeline_id: str) -> dict[str, str]:
        """Return the fields of a pipeline: ``name``, ``@pipelineState`` and so on."""
        described = self._call("describe_pipelines", pipelineIds=[pipeline_id])["pipelineDescriptionList"][0]
        return {field["key"]: field.get("stringValue", "") for field in described["fields"]}

    def find(self, wanted: str) -> str:
        """Return the id of a pipeline by its id or name; of several with one name the newest.

        Raises:
            NotFound: there is no such pipeline.
        """
        if wanted.startswith("df-"):
            return wanted
        marker: dict[str, str] = {}
        found: str | None = None
        while True:
            answer = self._call("list_pipelines", **marker)
            found = next(
                (entry["id"] for entry in reversed(answer["pipelineIdList"]) if entry["name"] == wanted), found
            )
            if not answer.get("hasMoreResults"):
                break
            marker = {"marker": answer["marker"]}
        if found is None:
            raise NotFound(f"there is no pipeline named {wanted!r}; give its id, or a name that list-pipelines shows")
        return found

    def runs(self, pipeline_id: str) -> PipelineRuns:
        """Return what reads the instances of a pipeline."""
        return PipelineRuns(pipeline_id)

    def _call(self, operation: str, **arguments: Any) -> dict[str, Any]:
        with aws.calling(f"{operation.replace('_', ' ')} {arguments.get('pipelineId', '')}".rstrip()):
            answer: dict[str, Any] = getattr(self._client, operation)(**arguments)
        return answer


def _findings(answer: dict[str, Any]) -> list[Finding]:
    errors = [
        Finding(entry["id"], text, error=True)
        for entry in answer.get("validationErrors") or ()
        for text in entry["errors"]
    ]
    warnings = [
        Finding(entry["id"], text, error=False)
        for entry in answer.get("validationWarnings") or ()
        for text in entry["warnings"]
    ]
    return errors + warnings
