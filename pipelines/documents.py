"""Definition files: the form of the ``aws`` CLI and the console, and that of the API, to the API's.

Source: AWS CLI, ``datapipeline put-pipeline-definition`` (its ``translator`` is what gives the CLI's form its meaning);
API Reference, *PutPipelineDefinition*. The CLI's form is ``{"objects": [{"id": …, "field": "text" | {"ref": "id"} |
[several]}], "parameters": [{"id": …, "attribute": …}], "values": {"id": "text" | [several]}}``. A field that is written
more than once has several values, as the guide writes it for ``scriptArgument`` (*ShellCommandActivity*); the CLI would
keep the last one.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from core.errors import PipelineInvalid

Object = dict[str, Any]
_OBJECTS = ("pipelineObjects", "objects")
_PARAMETERS = ("parameterObjects", "parameters")
_VALUES = ("parameterValues", "values")
#: Keys of a whole answer of the API or of an export, which say nothing about what is to run.
_IGNORED = frozenset({"ResponseMetadata", "metadata", "pipelineId", "name", "description", "tags"})
STDIN = Path("-")


@dataclass(frozen=True)
class Document:
    """A definition in the API's form; ``notes`` are what a reader of the file should know."""

    name: str
    objects: list[Object]
    parameters: list[Object] = field(default_factory=list)
    values: list[dict[str, str]] = field(default_factory=list)
    notes: tuple[str, ...] = ()

    def with_values(self, values: list[dict[str, str]]) -> Document:
        """Return the same with other parameter values."""
        return replace(self, values=values)

    def request(self) -> dict[str, Any]:
        """Return the arguments of PutPipelineDefinition and ValidatePipelineDefinition."""
        return {"pipelineObjects": self.objects, "parameterObjects": self.parameters, "parameterValues": self.values}


def read_document(path: Path) -> Document:
    """Read a definition file (``-``: standard input).

    Raises:
        PipelineInvalid: it cannot be read, is not JSON, or is not a definition; the sentence never quotes it.
    """
    repeated: list[str] = []
    content = read_json(path, repeated)
    if isinstance(content, list):
        content = {"objects": content}
    if not isinstance(content, dict) or not any(isinstance(content.get(key), list) for key in _OBJECTS):
        raise PipelineInvalid(f'{path} is not a pipeline definition; it must be a JSON object with a list "objects"')
    objects = [_object(entry, number, path) for number, entry in enumerate(_part(content, _OBJECTS, path), 1)]
    parameters = [_parameter(entry, number, path) for number, entry in enumerate(_part(content, _PARAMETERS, path), 1)]
    values = read_values(next((content[key] for key in _VALUES if content.get(key)), {}), path)
    known = {*_OBJECTS, *_PARAMETERS, *_VALUES, *_IGNORED}
    notes = [f"{path}: {told}" for told in repeated]
    notes += [f"{path}: {key!r} is not part of a definition and is left out" for key in content if key not in known]
    name = "pipeline" if path == STDIN else path.name.removesuffix(".json")
    return Document(name, objects, parameters, values, tuple(dict.fromkeys(notes)))


def with_parameters(document: Document, path: Path) -> Document:
    """Return a definition with the parameters of another file in place of its own (``--parameter-objects``).

    Raises:
        PipelineInvalid: the file cannot be read or holds no parameters.
    """
    content = read_json(path)
    listed = {"parameters": content} if isinstance(content, list) else content
    if not isinstance(listed, dict) or not (found := _part(listed, _PARAMETERS, path)):
        raise PipelineInvalid(f'{path} holds no parameters; it must be a JSON object with a list "parameters"')
    return replace(document, parameters=[_parameter(entry, number, path) for number, entry in enumerate(found, 1)])


def read_json(path: Path, notes: list[str] | None = None) -> Any:
    """Return what a JSON file holds; what the ``aws`` CLI would read otherwise or refuse is added to ``notes``.

    Raises:
        PipelineInvalid: the file cannot be read or is not JSON; the sentence names line and column.
    """
    told = notes if notes is not None else []
    try:
        text = (sys.stdin.buffer.read() if path == STDIN else path.read_bytes()).decode("utf-8-sig")
        return _parsed(text, told)
    except OSError as error:
        raise PipelineInvalid(f"cannot read {path}: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise PipelineInvalid(f"{path} is not UTF-8 at byte {error.start}; save it as UTF-8") from None
    except json.JSONDecodeError as error:
        raise PipelineInvalid(f"{path} is not JSON: {error.msg} at line {error.lineno} column {error.colno}") from None
    except RecursionError:
        raise PipelineInvalid(f"{path} is nested too deeply for a pipeline definition") from None


def _parsed(text: str, notes: list[str]) -> Any:
    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        return _unique(pairs, notes)

    try:
        return json.loads(text, object_pairs_hook=unique)
    except json.JSONDecodeError as error:
        if "control character" not in error.msg:
            raise
        notes.append(f"line {error.lineno} has a line end or a tab inside a text, which the aws CLI refuses; write \\n")
        return json.loads(text, object_pairs_hook=unique, strict=False)


def read_values(content: Any, path: Path) -> list[dict[str, str]]:
    """Return parameter values in the API's form; an array is one value per element.

    Raises:
        PipelineInvalid: a value is not text, a number, a truth value or a list of these, or an entry is no object.
    """
    if isinstance(content, list):
        if not all(isinstance(entry, dict) and isinstance(entry.get("id"), str) for entry in content):
            raise PipelineInvalid(f'{path}: each entry of "values" must be an object with an id and a stringValue')
        return [{"id": entry["id"], "stringValue": _text(entry.get("stringValue"))} for entry in content]
    if not isinstance(content, dict):
        raise PipelineInvalid(f'{path}: "values" must be a JSON object of parameter ids and values')
    return [
        {"id": name, "stringValue": _text(value, f"{path}: the value of the parameter {name!r}")}
        for name, given in content.items()
        for value in _several(given)
    ]


def _unique(pairs: list[tuple[str, Any]], notes: list[str]) -> dict[str, Any]:
    """Return an object; of a key that it has more than once every value, of ``id`` and ``name`` the last."""
    found = dict(pairs)
    if len(found) == len(pairs):
        return found
    names = [name for name, _ in pairs]
    for name in (name for name in found if names.count(name) > 1):
        notes.append(f"{name!r} is given more than once in one object; the aws CLI would keep the last one only")
        if name not in ("id", "name"):
            found[name] = [value for key, given in pairs if key == name for value in _several(given)]
    return found


def _part(content: Mapping[str, Any], keys: Iterable[str], path: Path) -> list[Any]:
    for key in keys:
        if content.get(key):
            if isinstance(content[key], list):
                return list(content[key])
            raise PipelineInvalid(f'{path}: "{key}" must be a list')
    return []


def _object(entry: Any, number: int, path: Path) -> Object:
    if not isinstance(entry, dict) or not isinstance(entry.get("id"), str):
        raise PipelineInvalid(f'{path}: object {number} has no "id"; give every object one')
    if is_api_form(entry):
        return {"id": entry["id"], "name": str(entry.get("name") or entry["id"]), "fields": entry["fields"]}
    fields = [
        one
        for key, given in entry.items()
        if key not in ("id", "name")
        for one in (_field(key, value, entry["id"], path) for value in _several(given))
    ]
    return {"id": entry["id"], "name": _text(entry.get("name", entry["id"])), "fields": fields}


def is_api_form(entry: Mapping[str, Any]) -> bool:
    """Tell whether an object has its fields as the API writes them."""
    fields = entry.get("fields")
    return isinstance(fields, list) and all(isinstance(one, dict) and "key" in one for one in fields)


def _field(key: str, value: Any, owner: str, path: Path) -> dict[str, str]:
    if isinstance(value, dict):
        if set(value) != {"ref"} or not isinstance(value["ref"], str):
            raise PipelineInvalid(f'{path}: field {key!r} of {owner!r} must be text or {{"ref": "id of an object"}}')
        return {"key": key, "refValue": value["ref"]}
    return {"key": key, "stringValue": _text(value, f"{path}: field {key!r} of {owner!r}")}


def _parameter(entry: Any, number: int, path: Path) -> Object:
    if not isinstance(entry, dict) or not isinstance(entry.get("id"), str):
        raise PipelineInvalid(f'{path}: parameter {number} has no "id"; give every parameter one')
    if isinstance(entry.get("attributes"), list):
        return {"id": entry["id"], "attributes": entry["attributes"]}
    attributes = [
        {"key": key, "stringValue": _text(value, f"{path}: {key!r} of the parameter {entry['id']!r}")}
        for key, given in entry.items()
        if key != "id"
        for value in _several(given)
    ]
    return {"id": entry["id"], "attributes": attributes}


def _several(given: Any) -> list[Any]:
    return given if isinstance(given, list) else [given]


def _text(value: Any, what: str = "a value") -> str:
    """Return a scalar as JSON writes it: ``true``, ``2``."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool | int | float):
        return json.dumps(value)
    raise PipelineInvalid(f"{what} must be text")
