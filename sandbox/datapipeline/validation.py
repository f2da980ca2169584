"""Checks of a definition, as ValidatePipelineDefinition and PutPipelineDefinition report them.

AWS publishes few of its texts. Those that are known are used: ``INVALID_FIELD_VALUE:  'startDateTime' value must be a
literal datetime value.`` (API Reference), ``'pipelineLogUri'is missing. It is recommended to …`` and ``'terminateAfter'
is missing. It is recommended to …`` (answers of the service that users have published); the others have their form.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from sandbox.datapipeline import limits
from sandbox.datapipeline.checks_expressions import expression_errors
from sandbox.datapipeline.checks_fields import field_errors
from sandbox.datapipeline.checks_objects import object_errors, object_warnings
from sandbox.datapipeline.checks_parameters import parameter_errors, parameter_warnings
from sandbox.datapipeline.definition import Definition
from sandbox.datapipeline.inheritance import DEFAULT_ID


@dataclass(slots=True)
class ObjectReport:
    """What is wrong with one object or parameter, or may be."""

    id: str
    errors: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


def validate(definition: Definition) -> list[ObjectReport]:
    """Return a report for every object and parameter that has an error or a warning, in order of the definition."""
    reports = [_object_report(definition, object_id) for object_id in definition.objects]
    reports += [_parameter_report(definition, parameter_id) for parameter_id in definition.parameters]
    if whole := _pipeline_errors(definition):
        reports.insert(0, ObjectReport(DEFAULT_ID, whole))
    return _merged([report for report in reports if report.errors or report.warnings])


def fatal_errors(definition: Definition) -> list[str]:
    """Return the errors for which PutPipelineDefinition does not even save a definition.

    Source: API Reference, *PutPipelineDefinition*: a string or reference field is empty, or there are too many
    objects. An object without a name or an id does not get past ``Definition.parse``.
    """
    errors = []
    if len(definition.objects) > limits.MAX_OBJECTS_PER_PIPELINE:
        errors.append(_too_many(definition))
    for item in definition.objects.values():
        empty = [each.key for each in item.fields if not each.string_value and not each.ref_value]
        errors += [f"field '{key}' of object '{item.id}' is empty" for key in empty]
    return errors


def _object_report(definition: Definition, object_id: str) -> ObjectReport:
    item = definition.objects[object_id]
    errors = [
        *limits.exceeded(item),
        *object_errors(definition, object_id),
        *field_errors(definition, item),
        *expression_errors(definition, item),
    ]
    if definition.circle[:1] == [object_id]:
        errors.append(f"Activities wait for each other in a circle: {' -> '.join(definition.circle)}; break it")
    return ObjectReport(object_id, errors, list(object_warnings(definition, object_id)))


def _parameter_report(definition: Definition, parameter_id: str) -> ObjectReport:
    parameter = definition.parameters[parameter_id]
    return ObjectReport(
        parameter_id, list(parameter_errors(parameter)), list(parameter_warnings(definition, parameter))
    )


def _pipeline_errors(definition: Definition) -> list[str]:
    errors = []
    if len(definition.objects) > limits.MAX_OBJECTS_PER_PIPELINE:
        errors.append(_too_many(definition))
    if len(definition.parameters) > limits.MAX_PARAMETERS:
        errors.append(f"the pipeline has {len(definition.parameters)} parameters; at most {limits.MAX_PARAMETERS}")
    return errors


def _too_many(definition: Definition) -> str:
    return f"the pipeline has {len(definition.objects)} objects; at most {limits.MAX_OBJECTS_PER_PIPELINE} are allowed"


def _merged(reports: list[ObjectReport]) -> list[ObjectReport]:
    """Join the reports of one id: the pipeline's own stands under ``Default``."""
    merged: dict[str, ObjectReport] = {}
    for report in reports:
        known = merged.setdefault(report.id, ObjectReport(report.id))
        known.errors += report.errors
        known.warnings += report.warnings
    return list(merged.values())
