"""What a check has found: one line for an operator."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


class Status(enum.StrEnum):
    """How it is; only ``FAILED`` makes the whole examination fail."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True)
class Finding:
    """One sentence, without a secret."""

    check: str
    status: Status
    message: str
    #: What to do; empty where nothing is to be done.
    advice: str = ""
    #: Statement of an IAM policy that is missing, ready to paste.
    statement: Mapping[str, Any] | None = None


def ok(check: str, message: str) -> Finding:
    """As it should be."""
    return Finding(check, Status.OK, message)


def warning(check: str, message: str, advice: str) -> Finding:
    """Works, but somebody should look."""
    return Finding(check, Status.WARNING, message, advice)


def failed(check: str, message: str, advice: str = "", statement: Mapping[str, Any] | None = None) -> Finding:
    """Has to be put right before the worker can do its work."""
    return Finding(check, Status.FAILED, message, advice, statement)


def skipped(check: str, message: str) -> Finding:
    """Could not be looked at, or there is nothing to look at."""
    return Finding(check, Status.SKIPPED, message)
