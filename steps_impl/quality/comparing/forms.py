"""The common form in which both engines print a column's values, so that equal values have equal texts.

A load may lose digits behind the point, so the narrower side decides unless ``digits`` is ``exact``: the wider side
is cut (what COPY does) or rounded (what INSERT does). Floats are compared by significant digits.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from core.errors import ParameterError
from steps_impl.quality.engines import Column

FormKind = Literal["integer", "truth", "decimal", "float", "date", "timestamp", "time", "text", "hex"]
Digits = Literal["cut", "round", "exact"]

_WHOLE = frozenset({"integer", "boolean", "bit"})
_FLOATS = frozenset({"real", "double"})
_NUMBERS = _WHOLE | _FLOATS | {"decimal"}
_MOMENTS = frozenset({"timestamp", "timestamptz", "date"})
_TEXTS = frozenset({"text", "char", "uuid"})
#: Significant digits of floats: of two singles all, of a single and something else those that a single keeps.
_SINGLES, _SINGLE, _DOUBLE = 9, 6, 15
#: Digits behind the point that the engines can hold.
_MOST_DIGITS, _MICROSECONDS = 30, 6


@dataclass(frozen=True)
class Form:
    """How the values of a column are printed."""

    kind: FormKind
    #: Digits behind the point; of floats, significant digits.
    digits: int = 0
    #: Whether digits beyond these are rounded, else cut.
    rounded: bool = False
    #: Whether blanks at the end are no part of the value (CHAR).
    trimmed: bool = False
    #: Whether letters are compared as small ones (hexadecimal digits, UUIDs).
    small: bool = False
    #: Whether '' counts as NULL.
    empty_is_null: bool = False
    #: Whether MySQL's zero dates count as NULL.
    zero_is_null: bool = True
    #: Whether the text may hold any character, since it is one on either side.
    free: bool = False


@dataclass(frozen=True)
class Rules:
    """What counts as equal beyond equal values."""

    digits: Digits = "cut"
    empty_is_null: bool = False
    zero_dates: Literal["null", "keep"] = "null"


@dataclass(frozen=True)
class Field:
    """A value as an expression of its text, NULL where the value is."""

    text: str
    #: The expression of its length in bytes of UTF-8, if it may hold a ``|``.
    length: str | None


def row_fields(fields: Sequence[Field], either: str) -> list[str]:
    """Return the fields of a row's text, which are joined by ``|`` without those that are NULL.

    Different rows have different texts: numbers and times come first, '' for NULL; then each text behind its length, ''
    for NULL, but for the last, which ends the row. The first field is never NULL. ``either`` is the engine's function
    that returns the first of two values that is not NULL.
    """
    plain = [f"{either}({field.text}, '')" for field in fields if field.length is None] or ["''"]
    texts = [(field.text, field.length) for field in fields if field.length is not None]
    behind = [part for text, length in texts[:-1] for part in (f"{either}({length}, '')", text)]
    return [*plain, *behind, *(text for text, _ in texts[-1:])]


def agree(left: Column, right: Column, rules: Rules) -> Form:
    """Return the form of a pair of columns.

    Raises:
        ParameterError: their types have no common form.
    """
    kinds = {left.kind, right.kind}
    rounded, zero_is_null = rules.digits == "round", rules.zero_dates == "null"
    if kinds <= _WHOLE:
        return Form("integer")
    if kinds <= _NUMBERS:
        return _number(left, right, rules)
    if kinds <= _MOMENTS:
        if "date" in kinds and (kinds == {"date"} or rules.digits != "exact"):
            return Form("date", zero_is_null=zero_is_null)
        return Form("timestamp", _digits(left, right, rules, _MICROSECONDS), rounded, zero_is_null=zero_is_null)
    if kinds == {"time"}:
        return Form("time", _digits(left, right, rules, _MICROSECONDS), rounded)
    if kinds & {"boolean"} and kinds <= {"boolean", "text", "char"}:
        return Form("truth", free=True)
    free = bool(kinds & {"text", "char"})
    if "binary" in kinds and kinds <= _TEXTS | {"binary"}:
        return Form("hex", small=True, empty_is_null=rules.empty_is_null, free=free)
    if kinds & _TEXTS and kinds <= _TEXTS | {"integer", "decimal", "date"}:
        small, empty_is_null = "uuid" in kinds, rules.empty_is_null
        return Form("text", trimmed="char" in kinds, small=small, empty_is_null=empty_is_null, free=free)
    raise ParameterError(
        f"column {left.name}: {left.type} and {right.type} have no common form; leave it out with --exclude, "
        "or give queries that convert it"
    )


def _number(left: Column, right: Column, rules: Rules) -> Form:
    kinds = {left.kind, right.kind}
    if kinds & _FLOATS:
        digits = _SINGLES if kinds == {"real"} else _SINGLE if "real" in kinds else _DOUBLE
        return Form("float", digits)
    digits = _digits(left, right, rules, _MOST_DIGITS)
    return Form("decimal", digits, rules.digits == "round") if digits else Form("integer", 0, rules.digits == "round")


def _digits(left: Column, right: Column, rules: Rules, most: int) -> int:
    """Return the digits behind the point; a column that may have any number of them is as wide as can be."""
    given = [0 if column.kind in _WHOLE | {"date"} else most if column.digits is None else column.digits
             for column in (left, right)]  # fmt: skip
    if rules.digits == "exact":
        return min(max(given), most)
    return min(given)
