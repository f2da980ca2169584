"""Checks requests against botocore's own model of the service, so that no shape is written down twice.

Required members, types, lengths, enumerations and character sets come from ``service-2.json`` (datapipeline
2012-10-29). An SDK checks only minimum lengths; everything else is the service's to refuse.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from botocore.loaders import Loader

from sandbox.datapipeline.answers import InvalidRequest

#: Checks one value; the text is the place in the request, for the message.
Check = Callable[[Any, str], None]
#: What the model's pattern says: characters that XML 1.0 allows.
_FORBIDDEN_CHARACTER = re.compile("[^\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff\r\n\t]")


class RequestShapes:
    """One check per operation, built once from the service model."""

    def __init__(self) -> None:
        model = Loader().load_service_model("datapipeline", "service-2")
        self._shapes: Mapping[str, Any] = model["shapes"]
        self._built: dict[str, Check] = {}
        self._inputs = {name: self._check_of(entry["input"]["shape"]) for name, entry in model["operations"].items()}

    @property
    def operations(self) -> frozenset[str]:
        """Return the names of the operations that the model knows."""
        return frozenset(self._inputs)

    def check(self, operation: str, request: Any) -> None:
        """Refuse a request that does not have the operation's shape.

        Raises:
            InvalidRequest: with the place and the rule that is broken.
        """
        self._inputs[operation](request, "")

    def _check_of(self, name: str) -> Check:
        if name not in self._built:
            shape = self._shapes[name]
            self._built[name] = _BUILDERS[shape["type"]](self, shape)
        return self._built[name]

    def structure(self, shape: Mapping[str, Any]) -> Check:
        """Return the check of a structure; a member that is null counts as absent."""
        members = {name: self._check_of(member["shape"]) for name, member in shape["members"].items()}
        required = tuple(shape.get("required", ()))

        def check(value: Any, place: str) -> None:
            if not isinstance(value, dict):
                raise InvalidRequest(f"{place or 'The request'} must be an object")
            for name in required:
                if value.get(name) is None:
                    raise InvalidRequest(f"{_join(place, name)} is required")
            for name, member in value.items():
                if member is not None and name in members:
                    members[name](member, _join(place, name))

        return check

    def list_of(self, shape: Mapping[str, Any]) -> Check:
        """Return the check of a list."""
        element = self._check_of(shape["member"]["shape"])
        longest = shape.get("max")

        def check(value: Any, place: str) -> None:
            if not isinstance(value, list):
                raise InvalidRequest(f"{place} must be a list")
            if longest is not None and len(value) > longest:
                raise InvalidRequest(f"{place} has {len(value)} entries; at most {longest} are allowed")
            for index, entry in enumerate(value):
                element(entry, f"{place}[{index}]")

        return check

    def string(self, shape: Mapping[str, Any]) -> Check:
        """Return the check of a string: its length in characters, its character set, its enumeration."""
        shortest, longest = shape.get("min", 0), shape.get("max")
        allowed, limited = shape.get("enum"), "pattern" in shape

        def check(value: Any, place: str) -> None:
            if not isinstance(value, str):
                raise InvalidRequest(f"{place} must be a string")
            if len(value) < shortest or (longest is not None and len(value) > longest):
                raise InvalidRequest(f"{place} has {len(value)} characters; {shortest} to {longest} are allowed")
            if allowed and value not in allowed:
                raise InvalidRequest(f"{place} must be one of {', '.join(allowed)}")
            if limited and not value.isprintable() and _FORBIDDEN_CHARACTER.search(value):
                raise InvalidRequest(f"{place} holds a character that is not allowed")

        return check

    def boolean(self, _shape: Mapping[str, Any]) -> Check:
        """Return the check of a boolean."""
        return _of_type(bool, "a boolean")

    def integer(self, _shape: Mapping[str, Any]) -> Check:
        """Return the check of an integer."""

        def check(value: Any, place: str) -> None:
            if not isinstance(value, int) or isinstance(value, bool):
                raise InvalidRequest(f"{place} must be an integer")

        return check

    def timestamp(self, _shape: Mapping[str, Any]) -> Check:
        """Return the check of a timestamp: seconds since 1970, as the JSON protocol writes it."""

        def check(value: Any, place: str) -> None:
            if not isinstance(value, int | float) or isinstance(value, bool):
                raise InvalidRequest(f"{place} must be a time in seconds since 1970-01-01")

        return check


_BUILDERS: Mapping[str, Callable[[RequestShapes, Mapping[str, Any]], Check]] = {
    "structure": RequestShapes.structure,
    "list": RequestShapes.list_of,
    "string": RequestShapes.string,
    "boolean": RequestShapes.boolean,
    "integer": RequestShapes.integer,
    "timestamp": RequestShapes.timestamp,
}


def _of_type(kind: type, name: str) -> Check:
    def check(value: Any, place: str) -> None:
        if not isinstance(value, kind):
            raise InvalidRequest(f"{place} must be {name}")

    return check


def _join(place: str, name: str) -> str:
    return f"{place}.{name}" if place else name
