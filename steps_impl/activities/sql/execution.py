"""Statements of a script, run one after the other."""

from __future__ import annotations

from collections.abc import Sequence

from steps_impl.contract import StepContext
from stores.sql import SqlSession, Statement

#: Letters of a statement's first word that a message shows; the text itself may hold data.
_SHOWN = 20


def doing(text: str, number: int, count: int) -> str:
    """Return what an error says of a statement: its number and first word."""
    return f"run statement {number} of {count} ({text.split(maxsplit=1)[0][:_SHOWN].upper()})"


def execute_all(session: SqlSession, statements: Sequence[Statement], context: StepContext) -> int:
    """Run the statements; return how many rows they changed or returned, as far as the server says."""
    rows = 0
    for number, statement in enumerate(statements, start=1):
        context.reporter.progress(f"statement {number} of {len(statements)}", rows=rows)
        rows += max(session.execute(statement), 0)
    return rows
