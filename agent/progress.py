"""What an attempt says about itself in its reports: from the result file that its step keeps."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from agent.report import clean, fit
from agent.usage import Usage
from steps_impl import contract

#: Longest text of a step about itself, in bytes.
TEXT_LIMIT = 256
#: The type whose ``step`` is the work itself: what is reported under that name would be one more step of it when the
#: task is handed out again.
WITH_STEPS = "EmrActivity"


def progress_fields(result: Path, kind: str) -> dict[str, str]:
    """Return the fields of a report on a running attempt of the type ``kind``.

    What a step tells in a strange form is left out.
    """
    document = contract.read_result(result) or {}
    fields = {"hostname": socket.gethostname()}
    progress = document.get("progress")
    if isinstance(progress, dict):
        fields |= _step_fields(progress)
    if kind == WITH_STEPS:
        fields.pop("step", None)
    return fields


def end_fields(result: Path, usage: Usage | None) -> dict[str, str]:
    """Return what a good attempt has done and used, which the terminal status has no place for."""
    counts = _counts(contract.read_result(result) or {})
    text = f"{counts} ({usage})".lstrip() if usage else counts
    return {"attemptStatus": text} if text else {}


def _step_fields(progress: Mapping[str, Any]) -> dict[str, str]:
    step, percent = progress.get("phase"), progress.get("percent")
    fields = {name: str(progress[name]) for name in ("rows", "bytes") if isinstance(progress.get(name), int)}
    if isinstance(step, str) and step:
        fields["step"] = fit(clean(step), TEXT_LIMIT)
    if isinstance(percent, int | float):
        fields["percentComplete"] = f"{percent:g}"
    if isinstance(log := progress.get("hadoopJobLog"), str) and log:
        fields["hadoopJobLog"] = fit(clean(log), TEXT_LIMIT)
    text = " ".join(filter(None, (fields.get("step"), _counts(progress))))
    return fields | ({"attemptStatus": text} if text else {})


def _counts(document: Mapping[str, Any]) -> str:
    known = {name: document.get(name) for name in ("rows", "bytes")}
    return " ".join(f"{name}={value}" for name, value in known.items() if isinstance(value, int))
