"""PutPipelineDefinition, GetPipelineDefinition, ValidatePipelineDefinition, ActivatePipeline, DeactivatePipeline.

Source: AWS Data Pipeline API Reference. A definition with validation errors is saved all the same, and cannot be
activated; it is not saved if a string or reference is empty or it has too many objects.
"""

from __future__ import annotations

from typing import Any

from core.errors import PipelineInvalid
from sandbox.datapipeline.answers import InvalidRequest
from sandbox.datapipeline.definition import Definition
from sandbox.datapipeline.model import Pipeline, Status
from sandbox.datapipeline.schedules import backfill_warnings, schedule_errors
from sandbox.datapipeline.service import Service
from sandbox.datapipeline.validation import ObjectReport, fatal_errors, validate

#: AWS's words (API Reference, *PutPipelineDefinition*, example 2), with our errors in place of a Java object's address.
_NOT_SAVED = (
    "Pipeline definition has errors: Could not save the pipeline definition due to FATAL errors: [{}] "
    "Please call Validate to validate your pipeline"
)
#: Characters of a list of errors that a message holds.
_LONGEST = 4000


def put_pipeline_definition(service: Service, request: dict[str, Any]) -> dict[str, Any]:
    """Validate a definition and keep it as the latest version."""
    pipeline = service.state.pipeline(request["pipelineId"])
    if pipeline.state == Status.FINISHED and not _on_demand(service, pipeline):
        raise InvalidRequest(f"Pipeline {pipeline.id} is FINISHED; create a new one for the new definition")
    body = _body(request)
    definition = _parse(body)
    if fatal := fatal_errors(definition):
        raise InvalidRequest(_NOT_SAVED.format("; ".join(fatal)[:_LONGEST]))
    service.state.save_definition(pipeline, body)
    return _report(service, definition)


def validate_pipeline_definition(service: Service, request: dict[str, Any]) -> dict[str, Any]:
    """Validate a definition and keep nothing."""
    service.state.pipeline(request["pipelineId"])
    return _report(service, _parse(_body(request)))


def get_pipeline_definition(service: Service, request: dict[str, Any]) -> dict[str, Any]:
    """Return the latest definition, or with ``version`` active the one that was activated last."""
    pipeline = service.state.pipeline(request["pipelineId"])
    version = request.get("version") or "latest"
    if version not in ("latest", "active"):
        raise InvalidRequest("version must be latest or active")
    body = service.state.body(pipeline, pipeline.latest_version if version == "latest" else pipeline.active_version)
    answer = {"pipelineObjects": body["objects"]}
    return answer | {key: body[key] for key in ("parameterObjects", "parameterValues") if body[key]}


def activate_pipeline(service: Service, request: dict[str, Any]) -> dict[str, Any]:
    """Validate the latest definition and start it."""
    pipeline = service.state.pipeline(request["pipelineId"])
    if not pipeline.latest_version:
        raise InvalidRequest(f"Pipeline {pipeline.id} has no definition; put one before activating it")
    body = service.state.body(pipeline, pipeline.latest_version)
    values = request.get("parameterValues")
    if values:
        body = {**body, "parameterValues": _overridden(body["parameterValues"], values)}
    _refuse_invalid(pipeline, body)
    if values:
        service.state.save_definition(pipeline, body)
    if pipeline.state == Status.FINISHED and not _on_demand(service, pipeline):
        raise InvalidRequest(f"Pipeline {pipeline.id} is FINISHED: its schedule has no further run")
    try:
        service.activation.activate(pipeline, request.get("startTimestamp"))
    except PipelineInvalid as error:
        raise InvalidRequest(str(error)) from None
    return {}


def deactivate_pipeline(service: Service, request: dict[str, Any]) -> dict[str, Any]:
    """Stop a pipeline; by default what runs is canceled."""
    pipeline = service.state.pipeline(request["pipelineId"])
    if pipeline.state in (Status.PENDING, Status.FINISHED):
        raise InvalidRequest(f"Pipeline {pipeline.id} is {pipeline.state}; only an active pipeline can be deactivated")
    if pipeline.state != Status.INACTIVE:
        cancel = request.get("cancelActive")
        service.activation.deactivate(pipeline, cancel_active=cancel is None or cancel)
    return {}


def _body(request: dict[str, Any]) -> dict[str, Any]:
    return {
        "objects": request["pipelineObjects"],
        "parameterObjects": request.get("parameterObjects") or [],
        "parameterValues": request.get("parameterValues") or [],
    }


def _parse(body: dict[str, Any]) -> Definition:
    try:
        return Definition.parse(body["objects"], body["parameterObjects"], body["parameterValues"])
    except PipelineInvalid as error:
        raise InvalidRequest(str(error)) from None


def _faults(definition: Definition) -> list[ObjectReport]:
    """Return what is wrong with a definition, what the sandbox does not run yet included."""
    reports = {report.id: report for report in validate(definition)}
    if not any(report.errors for report in reports.values()):
        for schedule, fault in schedule_errors(definition).items():
            reports.setdefault(schedule, ObjectReport(schedule)).errors.append(fault)
    return list(reports.values())


def _report(service: Service, definition: Definition) -> dict[str, Any]:
    reports = _faults(definition)
    answer: dict[str, Any] = {"errored": any(report.errors for report in reports)}
    if not answer["errored"]:
        reports = _with_backfills(reports, backfill_warnings(definition, service.clock.now()))
    if errors := [{"id": report.id, "errors": report.errors} for report in reports if report.errors]:
        answer["validationErrors"] = errors
    if warnings := [{"id": report.id, "warnings": report.warnings} for report in reports if report.warnings]:
        answer["validationWarnings"] = warnings
    return answer


def _with_backfills(reports: list[ObjectReport], warnings: dict[str, str]) -> list[ObjectReport]:
    found = {report.id: report for report in reports}
    for name, warning in warnings.items():
        found.setdefault(name, ObjectReport(name)).warnings.append(warning)
    return list(found.values())


def _refuse_invalid(pipeline: Pipeline, body: dict[str, Any]) -> None:
    faults = [f"{report.id}: {fault}" for report in _faults(_parse(body)) for fault in report.errors]
    if faults:
        raise InvalidRequest(f"Pipeline {pipeline.id} has errors: " + "; ".join(faults)[:_LONGEST])


def _overridden(present: list[dict[str, str]], given: list[dict[str, str]]) -> list[dict[str, str]]:
    replaced = {entry["id"] for entry in given}
    return [*(entry for entry in present if entry["id"] not in replaced), *given]


def _on_demand(service: Service, pipeline: Pipeline) -> bool:
    return service.state.plan(pipeline.id, pipeline.active_version).on_demand
