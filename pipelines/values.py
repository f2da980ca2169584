"""Parameter values of the command line and of files, laid over those of the definition.

A parameter whose id begins with ``*`` is a secret: its value may say where the secret lies (``env:…``, ``file:…``,
``secretsmanager:…``, ``ssm:…``), so that it need not stand on the command line, and it is never printed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from core.arguments import hide
from core.errors import PipelineInvalid
from pipelines.documents import Document, read_json, read_values
from stores.secrets import resolve

SECRET_MARK = "*"  # noqa: S105 - the mark of a secret parameter, not a secret
Values = list[dict[str, str]]


def with_given(document: Document, files: Iterable[Path], pairs: Iterable[str]) -> Document:
    """Return the definition with the values of files and of ``name=value`` pairs; the later ones win as a whole.

    Raises:
        PipelineInvalid: a value cannot be read, belongs to no parameter, or one is missing.
        NotFound, AccessDenied, SettingsError: a secret that a value names cannot be had.
    """
    values = document.values
    written = [_named(document, pair(text)) for text in pairs]
    hide(entry["stringValue"] for entry in written if entry["id"].startswith(SECRET_MARK))
    for layer in (*(values_of(path) for path in files), written):
        named = [_resolved(_named(document, entry)) for entry in layer]
        replaced = {entry["id"] for entry in named}
        values = [*(entry for entry in values if entry["id"] not in replaced), *named]
    given = document.with_values(values)
    _refuse_missing(given)
    return given


def _named(document: Document, entry: dict[str, str]) -> dict[str, str]:
    return {**entry, "id": _known_id(document, entry["id"])}


def values_of(path: Path) -> Values:
    """Return the values of a file: ``{"values": {…}}``, or the inner object alone.

    Raises:
        PipelineInvalid: it cannot be read or is something else.
    """
    content = read_json(path)
    if isinstance(content, dict):
        content = content.get("values", content.get("parameterValues", content))
    return read_values(content, path)


def pair(text: str) -> dict[str, str]:
    """Return the value that ``name=value`` gives.

    Raises:
        PipelineInvalid: it has another form; the sentence does not quote it, since it may hold a secret.
    """
    name, equals, value = text.partition("=")
    if not equals or not name.strip():
        raise PipelineInvalid("a parameter value must be written as name=value")
    return {"id": name.strip(), "stringValue": value}


def _known_id(document: Document, name: str) -> str:
    """Return the id that a parameter has in the definition: a secret's mark may be left out."""
    ids = [str(entry["id"]) for entry in document.parameters]
    found = next((known for known in (name, SECRET_MARK + name) if known in ids), None)
    if found or _is_used(document, name):
        return found or name
    near = get_close_matches(name, ids, 1)
    hint = f"did you mean {near[0]!r}?" if near else f"it has {', '.join(sorted(ids)) or 'none'}"
    raise PipelineInvalid(f"the definition has no parameter {name!r}; {hint}")


def _is_used(document: Document, name: str) -> bool:
    """Tell whether an expression names a parameter that is not declared, which AWS lets pass."""
    texts = (str(field.get("stringValue")) for item in document.objects for field in item["fields"])
    word = re.compile(rf"(?<![\w*]){re.escape(name)}(?!\w)")
    return any("#{" in text and word.search(text) for text in texts)


def _resolved(entry: Mapping[str, str]) -> dict[str, str]:
    if not entry["id"].startswith(SECRET_MARK):
        return dict(entry)
    return {"id": entry["id"], "stringValue": resolve(entry["stringValue"])}


def _refuse_missing(document: Document) -> None:
    given = {entry["id"] for entry in document.values}
    missing = [entry["id"] for entry in document.parameters if entry["id"] not in given and not _may_lack(entry)]
    if missing:
        flags = " ".join(f"-p {_quoted(name)}=…" for name in missing)
        raise PipelineInvalid(
            f"no value for {', '.join(missing)}, which is not optional and has no default; give one: {flags}"
        )


def _may_lack(parameter: Mapping[str, Any]) -> bool:
    attributes = _attributes(parameter["attributes"])
    return "default" in attributes or attributes.get("optional", "").lower() == "true"


def _attributes(entries: Sequence[Mapping[str, str]]) -> dict[str, str]:
    return {entry["key"]: entry.get("stringValue") or "" for entry in entries}


def _quoted(name: str) -> str:
    return f"'{name}'" if name.startswith(SECRET_MARK) else name
