"""What a load is called, so that one that is done is not done again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from steps_impl.contract import ATTEMPT_VARIABLE, PIPELINE_VARIABLE
from steps_impl.formats.opening import is_in_s3
from steps_impl.load.manifest import LoadInput

_MARK = "_Attempt="
#: Characters of a name that a record keeps; its digest is of the whole.
_SHOWN = 200


@dataclass(frozen=True)
class LoadName:
    """The name of a load: what people read, and the digest that is looked for."""

    text: str
    digest: str


def name_of(given: str | None, environment: Mapping[str, str], source: LoadInput, table: str) -> LoadName:
    """Return the name of a load into ``table``.

    It is what was given, else the pipeline and the instance of the task (all of whose attempts do the same load),
    else the files: their addresses, sizes and rows, and when files of this machine were written.
    """
    text = given or _of_task(environment) or f"files {_digest(_files(source))}"
    return LoadName(text[:_SHOWN], _digest([table, text]))


def _of_task(environment: Mapping[str, str]) -> str | None:
    pipeline, attempt = environment.get(PIPELINE_VARIABLE), environment.get(ATTEMPT_VARIABLE)
    if not pipeline or not attempt:
        return None
    return f"{pipeline} {attempt.rpartition(_MARK)[0] or attempt}"


def _files(source: LoadInput) -> list[object]:
    return [[file.uri, file.bytes, file.rows, _written(file.uri)] for file in source.files]


def _written(uri: str) -> int | None:
    try:
        return None if is_in_s3(uri) else Path(uri).stat().st_mtime_ns
    except OSError:  # the reading of it tells what is wrong
        return None


def _digest(document: object) -> str:
    return hashlib.sha256(json.dumps(document).encode()).hexdigest()
