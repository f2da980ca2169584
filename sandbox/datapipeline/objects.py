"""Pipeline objects in the API's form: ``{id, name, fields: [{key, stringValue | refValue}]}``.

Source: AWS Data Pipeline API Reference, *PipelineObject* and *Field*. ``fields`` is a list with repeated keys:
a field of several values is several entries, and their order counts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from core.errors import PipelineInvalid


@dataclass(frozen=True, slots=True)
class Field:
    """One value of one field: a string or a reference to another object, never both."""

    key: str
    string_value: str | None = None
    ref_value: str | None = None

    @classmethod
    def from_api(cls, raw: Mapping[str, Any], owner: str) -> Self:
        """Read one entry of ``fields`` of the object ``owner``.

        Raises:
            PipelineInvalid: there is no key, or not exactly one of stringValue and refValue.
        """
        key, text, ref = (raw.get(name) for name in ("key", "stringValue", "refValue"))
        if not isinstance(key, str) or not key:
            raise PipelineInvalid(f"Object {owner!r} has a field without a key; give every field a key")
        if not isinstance(ref if text is None else text, str) or (text is not None and ref is not None):
            raise PipelineInvalid(
                f"Field {key!r} of object {owner!r} needs either a stringValue or a refValue, a string"
            )
        return cls(key, text, ref)

    def to_api(self) -> dict[str, str]:
        """Return the entry as the API writes it."""
        if self.ref_value is not None:
            return {"key": self.key, "refValue": self.ref_value}
        return {"key": self.key, "stringValue": self.string_value or ""}


@dataclass(frozen=True, slots=True)
class PipelineObject:
    """A component, an instance or an attempt: an id, a name and an ordered list of fields."""

    id: str
    name: str
    fields: tuple[Field, ...] = ()

    @classmethod
    def from_api(cls, raw: Mapping[str, Any]) -> Self:
        """Read an object in API form.

        Raises:
            PipelineInvalid: there is no id or no name, or a field cannot be read.
        """
        object_id = raw.get("id")
        if not isinstance(object_id, str) or not object_id:
            raise PipelineInvalid("A pipeline object has no id; give every object an id")
        name = raw.get("name")
        if not isinstance(name, str) or not name:
            raise PipelineInvalid(f"Object {object_id!r} has no name; give every object a name")
        fields = tuple(Field.from_api(field, object_id) for field in raw.get("fields") or ())
        return cls(object_id, name, fields)

    def to_api(self) -> dict[str, Any]:
        """Return the object as the API writes it."""
        return {"id": self.id, "name": self.name, "fields": [field.to_api() for field in self.fields]}

    def field_names(self) -> list[str]:
        """Return the field names, each once, in order of first appearance."""
        return list(dict.fromkeys(field.key for field in self.fields))

    def values(self, key: str) -> list[Field]:
        """Return every value of a field, in order; empty if the object does not have it."""
        return [field for field in self.fields if field.key == key]

    def string(self, key: str) -> str | None:
        """Return the first string value of a field."""
        return next((field.string_value for field in self.values(key) if field.string_value is not None), None)

    def refs(self, key: str) -> list[str]:
        """Return the ids that a field refers to, in order."""
        return [field.ref_value for field in self.values(key) if field.ref_value is not None]
