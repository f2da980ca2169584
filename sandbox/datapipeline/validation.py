"""Checks of a definition, as ValidatePipelineDefinition and PutPipelineDefinition report them."""

from __future__ import annotations

from dataclasses import dataclass, field

from sandbox.datapipeline.definition import Definition


@dataclass(slots=True)
class ObjectReport:
    """What is wrong with one object, or may be."""

    id: str
    errors: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


def validate(definition: Definition) -> list[ObjectReport]:
    """Return a report for every object that has an error or a warning, in the order of the definition."""
    raise NotImplementedError(definition)
