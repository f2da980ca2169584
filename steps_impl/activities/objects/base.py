"""What all models of pipeline objects share: AWS's spelling, one value or several, clear words on what is unknown."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from pydantic.alias_generators import to_camel

from core.known_fields import KNOWN_FIELDS
from steps_impl.registry import Parameters

T = TypeVar("T")


def _as_several(value: Any) -> Any:
    return value if isinstance(value, list | tuple) else [value]


#: A field that may be repeated: one value or a list of them.
Several = Annotated[tuple[T, ...], BeforeValidator(_as_several)]


def _as_flag(value: Any) -> Any:
    return value.strip().lower() if isinstance(value, str) else value


#: ``true`` or ``false`` in any case.
Switch = Annotated[bool, BeforeValidator(_as_flag)]


class _Spelling(BaseModel):
    """Fields in AWS's spelling; one that no type knows is refused by name, with those that this one knows."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)

    @model_validator(mode="before")
    @classmethod
    def _know_every_field(cls, values: Any) -> Any:
        if not isinstance(values, Mapping):
            return values  # pydantic says it
        known = {alias for field in cls.model_fields.values() if (alias := field.alias)}
        others = sorted(key for key in values if key not in known and key not in cls.model_fields)
        name = f"{values.get('id') or 'the object'} ({values.get('type') or _type_of(cls)})"
        if unknown := next((key for key in others if key not in KNOWN_FIELDS), None):
            shown = ", ".join(sorted(known - {"id", "name", "type"}))
            raise ValueError(f"{name} has the field {unknown!r}, which is not known here; known are: {shown}")
        if others:
            sys.stderr.write(f"ductrunner: {name} has no use for {', '.join(others)}: read past\n")
        kept = {key: value for key, value in values.items() if key not in others}
        cls._demand_single_values(kept)
        return kept

    @classmethod
    def _demand_single_values(cls, values: Mapping[str, Any]) -> None:
        for name, field in cls.model_fields.items():
            value = values.get(field.alias or name)
            if isinstance(value, list) and "tuple" not in str(field.annotation):
                raise ValueError(f"the field {field.alias or name!r} is given {len(value)} times; give it once")


class PipelineObject(_Spelling):
    """An object of a definition; ``type`` tells which."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str = Field(default="", description="the object's id in the definition")
    name: str = Field(default="", description="the object's name")

    @property
    def label(self) -> str:
        """What to call it in a message."""
        return self.id or self.name or _type_of(type(self))


class ActivityParameters(Parameters, _Spelling):
    """Base of the parameters of an activity's step."""

    id: str = Field(default="", description="the activity's id in the definition")
    name: str = Field(default="", description="the activity's name")

    @property
    def label(self) -> str:
        """What to call it in a message."""
        return self.id or self.name or _type_of(type(self))

    def demand_one_of(self, **fields: object) -> None:
        """Raise ``ValueError`` unless exactly one of two fields, by their names in the definition, is given."""
        given = [value for value in fields.values() if value is not None]
        if len(given) != 1:
            names, found = " or ".join(map(repr, fields)), "both" if given else "neither"
            raise ValueError(f"{self.label} must have either {names}; it has {found}")


def _type_of(model: type[BaseModel]) -> str:
    field = model.model_fields.get("type")
    return str(field.default) if field and isinstance(field.default, str) else model.__name__
