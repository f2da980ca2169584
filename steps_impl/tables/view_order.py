"""In which order views are made that read from each other."""

from __future__ import annotations

from collections.abc import Sequence
from graphlib import CycleError, TopologicalSorter

from core.errors import DefinitionError
from steps_impl.tables.model import TableName, View
from steps_impl.tables.tokens import Kind, Token, tokenize


def in_order(views: Sequence[View]) -> list[View]:
    """Return the views, each behind those that its query names.

    Raises:
        DefinitionError: a view is defined twice, or they read from each other in a circle.
    """
    by_name = {view.name: view for view in views}
    if len(by_name) < len(views):
        twice = next(view.name for number, view in enumerate(views) if view.name in [v.name for v in views[:number]])
        raise DefinitionError(f"view {twice} is defined twice")
    sorter = TopologicalSorter({view.name: [other.name for other in read_by(view, views)] for view in views})
    try:
        return [by_name[name] for name in sorter.static_order()]
    except CycleError as error:
        circle = " → ".join(map(str, error.args[1]))
        raise DefinitionError(f"these views read from each other in a circle: {circle}") from None


def read_by(view: View, views: Sequence[View]) -> list[View]:
    """Return those of ``views`` whose name stands in the view's query, except itself."""
    named = _names(tokenize(view.query))
    return [other for other in views if other.name != view.name and _is_named(other.name, named)]


def _is_named(name: TableName, named: set[tuple[str, ...]]) -> bool:
    return (name.name,) in named or (name.schema is not None and (name.schema, name.name) in named)


def _names(tokens: Sequence[Token]) -> set[tuple[str, ...]]:
    """Return every ``a`` and ``a.b`` of a query; a bare ``b`` behind a dot is no name of its own."""
    found: set[tuple[str, ...]] = set()
    for at, token in enumerate(tokens):
        if token.kind not in (Kind.WORD, Kind.QUOTED):
            continue
        dotted = at >= 2 and tokens[at - 1].text == "." and tokens[at - 2].kind in (Kind.WORD, Kind.QUOTED)
        found.add((tokens[at - 2].value.lower(), token.value.lower()) if dotted else (token.value.lower(),))
    return found
