"""Parameter objects and their values.

Source: AWS Data Pipeline Developer Guide, *Creating a pipeline using parametrized templates*: attributes
``type`` (String, Integer, Double, AWS::S3::ObjectKey), ``default``, ``optional``, ``allowedValues``, ``isArray``,
``watermark``, ``helpText``, ``helpLink``, ``description``. An id beginning with ``*`` is a secret.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from core.errors import PipelineInvalid
from core.redaction import REDACTOR

SECRET_MARK = "*"  # noqa: S105 - the mark of a secret field or parameter, not a secret


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of a pipeline with the values it has: those given, else its defaults."""

    id: str
    type: str = "String"
    optional: bool = False
    is_array: bool = False
    allowed: tuple[str, ...] = ()
    values: tuple[str, ...] = ()
    attributes: tuple[tuple[str, str], ...] = ()
    declared: bool = True

    @property
    def secret(self) -> bool:
        """Tell whether the value must not be shown."""
        return self.id.startswith(SECRET_MARK)

    def typed(self) -> list[str | int | float]:
        """Return the values as the declared type; a value that is not of the type stays text."""
        return [_typed(value, self.type) for value in self.values]


def _typed(value: str, type_name: str) -> str | int | float:
    try:
        match type_name.lower():
            case "integer":
                return int(value)
            case "double":
                return float(value)
            case _:
                return value
    except ValueError:
        return value


def _given(parameter_values: Iterable[Mapping[str, Any]]) -> dict[str, list[str]]:
    given: dict[str, list[str]] = {}
    for entry in parameter_values:
        if not isinstance(entry.get("id"), str) or not isinstance(entry.get("stringValue"), str):
            raise PipelineInvalid("A parameter value needs an id and a stringValue")
        given.setdefault(entry["id"], []).append(entry["stringValue"])
    return given


def _attributes(raw: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    return tuple((item.get("key", ""), item.get("stringValue") or "") for item in raw.get("attributes") or ())


def _declared(raw: Mapping[str, Any], given: dict[str, list[str]]) -> Parameter:
    if not isinstance(raw.get("id"), str) or not raw["id"]:
        raise PipelineInvalid("A parameter object has no id; give every parameter an id that begins with 'my'")
    attributes = _attributes(raw)
    first = dict(reversed(attributes))
    allowed = [value for key, value in attributes if key == "allowedValues"]
    values = given.get(raw["id"]) or [value for key, value in attributes if key == "default"]
    return Parameter(
        id=raw["id"],
        type=first.get("type", "String"),
        optional=first.get("optional", "").lower() == "true",
        is_array=first.get("isArray", "").lower() == "true",
        allowed=tuple(part.strip() for value in allowed for part in value.split(",")),
        values=tuple(values),
        attributes=attributes,
    )


def parse_parameters(
    parameter_objects: Iterable[Mapping[str, Any]], parameter_values: Iterable[Mapping[str, Any]]
) -> dict[str, Parameter]:
    """Join parameter objects and values by id; a value without an object is an undeclared parameter.

    The values of secret parameters are registered with the redactor.

    Raises:
        PipelineInvalid: an entry without an id or a value.
    """
    given = _given(parameter_values)
    parameters = {parameter.id: parameter for parameter in (_declared(raw, given) for raw in parameter_objects)}
    for name, values in given.items():
        parameters.setdefault(name, Parameter(name, is_array=len(values) > 1, values=tuple(values), declared=False))
    for parameter in parameters.values():
        if parameter.secret:
            for value in parameter.values:
                REDACTOR.register(value)
    return parameters
