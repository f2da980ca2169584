"""The script that Hive is given: what comes before the user's, the user's own, what comes after."""

from __future__ import annotations

from collections.abc import Sequence

from core.errors import ParameterError


def assemble(before: Sequence[str], script: str, after: Sequence[str]) -> str:
    """Return one script; the user's is left as it is, and ended should it not end with a semicolon itself."""
    first = [f"{statement};" for statement in before]
    last = [f"{statement};" for statement in after]
    own = script.rstrip()
    end = [] if own.endswith(";") or not last else [";"]
    return "\n".join([*first, own, *end, *last, ""])


def script_variables(values: Sequence[str]) -> dict[str, str]:
    """Return name → value of ``scriptVariable`` fields; a later one of the same name wins.

    Raises:
        ParameterError: one is not of the form ``NAME=value``.
    """
    pairs = {}
    for value in values:
        name, equals, text = value.partition("=")
        if not equals:
            raise ParameterError(f"the scriptVariable {name!r} has no value; write NAME=value")
        pairs[name.strip()] = text
    return pairs
