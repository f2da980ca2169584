"""Findings for people (one line each, statements at the end) and for programs (JSON)."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import click

from agent.doctor.finding import Finding, Status

COLOURS = {Status.OK: "green", Status.WARNING: "yellow", Status.FAILED: "red", Status.SKIPPED: "bright_black"}
WORDS = {Status.OK: "ok", Status.WARNING: "look", Status.FAILED: "FIX", Status.SKIPPED: "-"}
_STATUS_WIDTH = 4
_CHECK_WIDTH = 15


def line(finding: Finding) -> str:
    """Return a finding as one line; colours are taken away by click where the output is no terminal."""
    word = click.style(f"{WORDS[finding.status]:<{_STATUS_WIDTH}}", fg=COLOURS[finding.status], bold=True)
    told = " ".join(finding.message.split())
    if finding.advice:
        told = f"{told}; {finding.advice}"
    if finding.statement:
        told = f"{told}; add the statement {finding.statement['Sid']} (below) to the policy of the worker's role"
    return f"{word}  {finding.check:<{_CHECK_WIDTH}}  {told}"


def statements(findings: Sequence[Finding]) -> str:
    """Return the statements that are missing, each once, ready to paste into a policy; empty when none is."""
    missing: dict[str, Mapping[str, Any]] = {}
    for finding in findings:
        if finding.statement:
            missing.setdefault(json.dumps(finding.statement), finding.statement)
    return ",\n".join(json.dumps(statement, indent=2) for statement in missing.values())


def summary(findings: Sequence[Finding]) -> str:
    """Return the last line."""
    counts = Counter(finding.status for finding in findings)
    parts = [(Status.FAILED, "to fix"), (Status.WARNING, "to look at"), (Status.OK, "ok"), (Status.SKIPPED, "skipped")]
    return ", ".join(f"{counts[status]} {word}" for status, word in parts)


def document(findings: Sequence[Finding]) -> str:
    """Return the findings as a JSON list of ``{check, status, message, advice, statement}``."""
    return json.dumps([asdict(finding) for finding in findings], indent=2, ensure_ascii=False)
