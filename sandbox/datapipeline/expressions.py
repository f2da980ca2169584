"""Evaluation of ``#{…}`` in the fields of a pipeline definition."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Ref:
    """A reference to another object."""

    object_id: str


#: One value while an expression is evaluated.
Value = str | int | float | datetime | Ref


class Scope(Protocol):
    """Where an expression finds the fields and parameters that it names."""

    def field(self, object_id: str | None, name: str) -> list[Value]:
        """Return the raw values of a field.

        ``None`` is the object that the expression stands in, and then the parameters of the pipeline; strings may
        hold expressions of their own. An empty list says that there is no such field.
        """


def evaluate(text: str, scope: Scope) -> str | list[str]:
    """Return ``text`` with its expressions replaced; a list where an expression names several values.

    Raises:
        ExpressionInvalid: the expression cannot be read, or names a field that is not there.
    """
    raise NotImplementedError(text, scope)
