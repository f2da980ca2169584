"""Commands on pipelines that are there: status, show, activate, cancel."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from core.errors import HookFailed
from core.redaction import MASK
from core.user_hook import UserHook
from pipelines.documents import Document, read_document
from pipelines.report import Places, summary
from pipelines.run import refuse_errors
from pipelines.service import Service
from pipelines.steps import Step
from pipelines.values import SECRET_MARK, pair, values_of
from pipelines.watch import Watch

_OVER = frozenset({"FINISHED", "INACTIVE", "PENDING"})


def show_status(wanted: str, *, as_json: bool) -> None:
    """Print the state of a pipeline and its steps."""
    service = Service()
    pipeline_id = service.find(wanted)
    fields = service.state(pipeline_id)
    watch = Watch(service, pipeline_id)
    look = watch.timed(watch.look())
    if as_json:
        click.echo(json.dumps({"id": pipeline_id, **fields, "steps": [_step(step) for step in look.steps]}, indent=2))
        return
    told = [fields.get(key, "-") for key in ("name", "@pipelineState", "@healthStatus")]
    upcoming = f", next run {look.upcoming}" if look.upcoming else ""
    click.echo(f"{pipeline_id}  {told[0]}  {told[1]}  {told[2]}{upcoming}")
    click.echo("\n".join(summary(look.steps, Places(pipeline_id))))


def show_definition(wanted: str) -> None:
    """Print the definition of a pipeline in the form of the CLI."""
    service = Service()
    answer = service.definition(service.find(wanted))
    _print(answer["pipelineObjects"], answer.get("parameterObjects", ()), answer.get("parameterValues", ()))


def show_file(path: Path) -> None:
    """Print a definition file in the form of the CLI."""
    document = read_document(path)
    _print(document.objects, document.parameters, document.values)


def activate_definition(document: Document, hook: Path | None = None) -> None:
    """Put a definition into the pipeline of its name, which is made where there is none, and activate it.

    ``hook`` is the file of the hook ``activate_pipeline``: ``before_hook`` gets ``name`` and ``definition`` (objects,
    parameters and values in the API's form) and may change both; ``after_hook`` gets the pipeline's id.

    Raises:
        HookFailed, SettingsError: the hook; before it nothing is changed.
        PipelineInvalid, StoreError: the definition, the service.
    """
    around = UserHook.load(hook) if hook else None
    if around:
        document = _as_the_hook_wants(around, document)
    pipeline_id = _activated(document)
    if around:
        around.after(pipeline_id)
    click.echo(pipeline_id)


def _activated(document: Document) -> str:
    service = Service()
    pipeline_id = service.create(document.name, unique_id=f"ductrunner-{document.name}")
    findings = service.put(pipeline_id, document)
    for finding in findings:
        click.echo(str(finding), err=True)
    refuse_errors(document, findings)
    service.activate(pipeline_id)
    return pipeline_id


def _as_the_hook_wants(hook: UserHook, document: Document) -> Document:
    given = hook.before(name=document.name, definition=copy.deepcopy(document.request()))
    definition = given.get("definition")
    if not isinstance(definition, Mapping) or not isinstance(definition.get("pipelineObjects"), list):
        raise HookFailed(f"{hook.path}: before_hook must give a definition with pipelineObjects")
    return replace(
        document,
        name=str(given.get("name", document.name)),
        objects=definition["pipelineObjects"],
        parameters=list(definition.get("parameterObjects") or ()),
        values=list(definition.get("parameterValues") or ()),
    )


def activate_known(wanted: str, files: Iterable[Path], pairs: Iterable[str]) -> None:
    """Activate a pipeline that is there, with other parameter values if some are given."""
    service = Service()
    pipeline_id = service.find(wanted)
    values = [entry for path in files for entry in values_of(path)] + [pair(text) for text in pairs]
    service.activate(pipeline_id, values)
    click.echo(pipeline_id)


def cancel(wanted: str) -> None:
    """Cancel every instance that has not ended, and deactivate the pipeline."""
    service = Service()
    pipeline_id = service.find(wanted)
    left = [step.id for step in Watch(service, pipeline_id).look().steps if not step.ended]
    if left:
        service.cancel(pipeline_id, left)
    if service.state(pipeline_id).get("@pipelineState") not in _OVER:
        service.deactivate(pipeline_id)
    click.echo(f"{pipeline_id}: {len(left)} canceled")


def _step(step: Step) -> dict[str, Any]:
    return {
        "id": step.id,
        "component": step.component,
        "type": step.type,
        "status": step.status,
        "attempts": step.attempts,
        "seconds": step.seconds(),
        "rows": step.count("rows"),
        "errorId": step.error_id or None,
        "errorMessage": step.error or None,
        "logs": Places(step.fields.get("@pipelineId", "")).remote(step),
    }


def _print(
    objects: Iterable[Mapping[str, Any]], parameters: Iterable[Mapping[str, Any]], values: Iterable[Mapping[str, Any]]
) -> None:
    written: dict[str, Any] = {
        "objects": [{"id": item["id"], "name": item["name"], **_fields(item["fields"])} for item in objects]
    }
    if declared := [{"id": item["id"], **_fields(item["attributes"])} for item in parameters]:
        written["parameters"] = declared
    if given := _fields([{"key": entry["id"], "stringValue": entry["stringValue"]} for entry in values]):
        written["values"] = given
    click.echo(json.dumps(written, indent=2, ensure_ascii=False))


def _fields(entries: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Return fields as the CLI writes them; several values as a list, secrets hidden."""
    found: dict[str, list[Any]] = {}
    for entry in entries:
        key = entry["key"]
        value = {"ref": entry["refValue"]} if "refValue" in entry else entry.get("stringValue", "")
        if key.startswith(SECRET_MARK) and isinstance(value, str) and "#{" not in value:
            value = MASK
        found.setdefault(key, []).append(value)
    return {key: values[0] if len(values) == 1 else values for key, values in found.items()}
