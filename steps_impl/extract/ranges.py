"""Ranges of a key that hold equally many rows, so that several connections can read a table at the same time.

The bounds are values that stand in the table (its quantiles), not points between the least and the greatest: gaps and
outliers make no difference. Each row falls into exactly one range, whatever the type's comparison says: the ranges are
``key < b``, ``b <= key < c`` …, ``key >= z``, and the rows without a key go with the first.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise, takewhile

from core.errors import ParameterError
from steps_impl.extract.dialects import Dialect, can_be_ordered, kind_of, spelled
from steps_impl.extract.increments import Ask
from steps_impl.extract.relation import Relation, both

Bound = tuple[str, ...]


def split_columns(split_by: str | None, relation: Relation) -> tuple[str, ...]:
    """Return the columns that ranges are made of.

    Raises:
        ParameterError: the table has no primary key and none is named, or its values cannot be ordered.
    """
    columns = (spelled(split_by, relation.source_types),) if split_by else _beginning(relation)
    if not columns:
        raise ParameterError("--parallel needs ranges: give --split-by with a column that has an index")
    for column in columns:
        kind_of(column, relation.source_types, "--split-by")
    return columns


def _beginning(relation: Relation) -> tuple[str, ...]:
    """Return the columns at the beginning of the primary key that have an order; its first one in any case."""
    ordered = takewhile(lambda column: can_be_ordered(relation.source_types[column]), relation.key)
    return tuple(ordered) or relation.key[:1]


def range_conditions(
    relation: Relation, dialect: Dialect, ask: Ask, condition: str, columns: Sequence[str], count: int
) -> list[str]:
    """Return the conditions of up to ``count`` ranges over the rows that meet ``condition``."""
    ordered = ", ".join(dialect.quote(column) for column in columns)
    filled = both(condition, *(f"{dialect.quote(column)} IS NOT NULL" for column in columns))
    (row,) = ask(relation.counting(filled))
    rows = int(row[0] or 0)
    bounds: list[Bound] = []
    for number in range(1, count):
        place = rows * number // count
        if not 0 < place < rows:
            continue
        found = ask(f"{relation.select(ordered, filled)} ORDER BY {ordered} LIMIT 1 OFFSET {place}")
        bounds += [tuple(str(value) for value in values) for values in found]
    return _conditions(relation, dialect, columns, list(dict.fromkeys(bounds)), condition)


def _conditions(
    relation: Relation, dialect: Dialect, columns: Sequence[str], bounds: Sequence[Bound], condition: str
) -> list[str]:
    def compare(bound: Bound, sign: str) -> str:
        literals = [
            dialect.literal(value, relation.source_types[column]) for column, value in zip(columns, bound, strict=True)
        ]
        return _lexicographic([dialect.quote(column) for column in columns], literals, sign)

    absent = " OR ".join(f"{dialect.quote(column)} IS NULL" for column in columns)
    if not bounds:
        return [condition]
    first = f"{compare(bounds[0], '<')} OR {absent}"
    middle = [f"({compare(one, '>=')}) AND ({compare(next_, '<')})" for one, next_ in pairwise(bounds)]
    return [both(condition, part) for part in (first, *middle, compare(bounds[-1], ">="))]


def _lexicographic(names: Sequence[str], literals: Sequence[str], sign: str) -> str:
    """Compare a key of several columns with a bound, in a form that indexes serve: ``a > 1 OR (a = 1 AND b >= 2)``."""
    name, literal = names[0], literals[0]
    if len(names) == 1:
        return f"{name} {sign} {literal}"
    rest = _lexicographic(names[1:], literals[1:], sign)
    return f"{name} {sign[0]} {literal} OR ({name} = {literal} AND ({rest}))"
