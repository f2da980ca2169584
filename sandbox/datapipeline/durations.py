"""Periods of a component, evaluated for one of its instances."""

from __future__ import annotations

from core.errors import ExpressionInvalid
from core.periods import parse_period
from sandbox.datapipeline.attempts import run_scope
from sandbox.datapipeline.expressions import evaluate
from sandbox.datapipeline.model import Instance
from sandbox.datapipeline.scope import DefinitionScope
from sandbox.datapipeline.state import State


def seconds(state: State, instance: Instance, key: str) -> float | None:
    """Return how long a period of an instance is; ``None`` where it has none, or one that cannot be read."""
    definition = state.plan_of(instance).definition
    written = definition.effective(instance.component).string(key)
    if not written:
        return None
    scope = DefinitionScope(definition, instance.component, run_scope(state, instance, None, None))
    try:
        found = evaluate(written, scope)
        return parse_period(found if isinstance(found, str) else "").total_seconds()
    except (ExpressionInvalid, ValueError):
        return None
