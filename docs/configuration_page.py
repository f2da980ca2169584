"""The reference page of the configuration file, from its models."""

from __future__ import annotations

from typing import Annotated, Any, get_args, get_origin

from pydantic import SecretStr
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from core.sections.section import Section
from core.settings import Settings

_HEAD = """# The configuration file

Made by `make docs` from the models in `core/sections/`; edit those. One YAML file: `$DUCTRUNNER_CONFIG`, else
`~/.ductrunner/ductrunner.yaml`, else `/etc/ductrunner/ductrunner.yaml`. Keys may be written in Dataduct's capitals. A
flag goes before an environment variable `DUCTRUNNER_<SECTION>_<KEY>`, that before the file. An unknown key is an error
that names the nearest known one.

A mode is a variant of the file, for a staging environment say: a top-level key of any name, or one under `modes`,
that holds sections. `$DUCTRUNNER_MODE` names the one that is laid over the rest, key by key; all of them are checked.

A secret may be `secretsmanager:NAME`, `secretsmanager:NAME#key`, `ssm:/path`, `env:NAME` or `file:/path` (a file that
others cannot read) instead of the secret itself.
"""

#: How a section is written that is several.
_FORMS = {"dict": ": {alias: {…}}", "tuple": ": [{…}, …]"}


def page() -> str:
    """Return the page's text."""
    return "\n".join([_HEAD, *(_section(name, field) for name, field in Settings.model_fields.items())])


def _section(name: str, field: FieldInfo) -> str:
    model = _model(field.annotation)
    named = name + next((form for kind, form in _FORMS.items() if str(field.annotation).startswith(kind)), "")
    rows = [_row(key, entry) for key, entry in model.model_fields.items()]
    head = ["| key | type | default | meaning |", "|---|---|---|---|"]
    return "\n".join([f"## {named}", "", (model.__doc__ or "").strip(), "", *head, *rows, ""])


def _model(annotation: Any) -> type[Section]:
    if isinstance(annotation, type) and issubclass(annotation, Section):
        return annotation
    found = [_model(part) for part in get_args(annotation) if part not in (str, type(None), Ellipsis)]
    return found[0]


def _row(key: str, field: FieldInfo) -> str:
    return f"| `{key}` | {_type(field.annotation)} | {_default(field)} | {field.description or ''} |"


def _type(annotation: Any) -> str:
    if isinstance(annotation, type) and annotation is not tuple and not get_args(annotation):
        return {"SecretStr": "secret", "str": "text"}.get(annotation.__name__, annotation.__name__.lower())
    if get_origin(annotation) is Annotated:
        return _type(get_args(annotation)[0])
    if get_origin(annotation) is dict:
        return " = ".join(_type(part) for part in get_args(annotation)) + " …"
    parts = [_type(part) for part in get_args(annotation) if part not in (type(None), Ellipsis)]
    return " or ".join(parts) + (" …" if "tuple" in str(annotation) else "")


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    value = field.default
    if value in (None, PydanticUndefined, "", ()) or isinstance(value, SecretStr):
        return ""
    return f"`{value}`"
