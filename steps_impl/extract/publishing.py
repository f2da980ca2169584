"""How every extract ends: the manifest is switched to the new run's files, then the former run's files go."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from core.errors import DuctrunnerError, ParameterError
from steps_impl.contract import StepContext
from steps_impl.extract import manifest
from steps_impl.extract.manifest import Part
from steps_impl.extract.outputs import Output

_OUTPUT_VARIABLE = "OUTPUT1_STAGING_DIR"


def place_of(output: str | None, context: StepContext) -> str:
    """Return where the extract goes: what the parameter says, else the staging directory of the task.

    Raises:
        ParameterError: neither is there.
    """
    place = output or context.environment.get(_OUTPUT_VARIABLE)
    if not place:
        raise ParameterError(f"--output: give an s3:// prefix or a directory (${_OUTPUT_VARIABLE} is not set either)")
    return place


def new_run_id() -> str:
    """Return a name for this run that no other run has; it is part of every file's name."""
    return f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{uuid.uuid4().hex[:8]}"


def publish(
    output: Output, parts: Sequence[Part], elements: Sequence[Mapping[str, Any]], source: Mapping[str, Any]
) -> list[str]:
    """Replace the manifest, delete the files of the former one, and return those that could not be deleted."""
    former = _former_names(output)
    urls = [output.url(part.name) for part in parts]
    output.replace(manifest.NAME, manifest.render(parts, urls, elements, source))
    return remove_former(output, former)


def outcome(parts: Sequence[Part], output: Output, leftovers: Sequence[str]) -> dict[str, Any]:
    """Return the details that every extract reports."""
    return described(output, len(parts), leftovers)


def described(output: Output, files: int, leftovers: Sequence[str]) -> dict[str, Any]:
    """Return the details by the number of files."""
    details: dict[str, Any] = {"manifest": output.location(manifest.NAME), "files": files}
    return {**details, "not_deleted": list(leftovers)} if leftovers else details


def _former_names(output: Output) -> list[str]:
    """Return the files of the manifest that is there now, as names in this output; others are not ours to delete."""
    names = [(url, url.rpartition("/")[2]) for url in manifest.urls_of(output.read(manifest.NAME))]
    return [name for url, name in names if name.startswith("part-") and output.url(name) == url]


def remove_former(output: Output, names: Sequence[str]) -> list[str]:
    """Delete the former run's files; what cannot be deleted is told and harms nobody: no manifest names it."""
    try:
        output.remove(names)
    except DuctrunnerError:
        return list(names)
    return []
