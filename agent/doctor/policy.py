"""The policy of the worker's role: the file that operators paste, and single statements of it, filled in.

``iam-policy.json`` beside this module is ``packaging/iam-policy.json``: there is one.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_FILE = Path(__file__).with_name("iam-policy.json")
_PLACEHOLDER = re.compile(r"\b(WORKER_GROUP|BUCKET|REGION|ACCOUNT|TOPIC|LOG_GROUP)\b")


def statement_for(action: str, **values: str) -> dict[str, Any]:
    """Return the statement that allows ``action``, with these values in place of its capitals (``WORKER_GROUP``).

    Raises:
        KeyError: the policy does not name the action.
    """
    for statement in _statements():
        if action in _actions(statement):
            return {key: _filled(value, values) for key, value in statement.items()}
    raise KeyError(action)


def actions(prefix: str) -> list[str]:
    """Return the policy's actions of one service (``datapipeline:``) that the worker itself needs, in order."""
    needed = (statement for statement in _statements() if not statement["Sid"].endswith("Doctor"))
    return [action for statement in needed for action in _actions(statement) if action.startswith(prefix)]


@functools.cache
def _statements() -> list[dict[str, Any]]:
    statements: list[dict[str, Any]] = json.loads(_FILE.read_text(encoding="utf-8"))["Statement"]
    return statements


def _actions(statement: Mapping[str, Any]) -> list[str]:
    named = statement["Action"]
    return [named] if isinstance(named, str) else list(named)


def _filled(value: Any, values: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        return _PLACEHOLDER.sub(lambda found: values.get(found[0]) or found[0], value)
    if isinstance(value, dict):
        return {key: _filled(entry, values) for key, entry in value.items()}
    return [_filled(entry, values) for entry in value] if isinstance(value, list) else value
