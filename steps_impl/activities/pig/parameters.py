"""Pig's parameters: the variables of a script, in a file that only we can read."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from core.errors import ParameterError

_NAME = re.compile(r"[A-Za-z_]\w*", re.ASCII)


def script_variables(texts: Iterable[str], label: str) -> dict[str, str]:
    """Return the ``scriptVariable`` fields by name.

    Raises:
        ParameterError: one is not ``name=value``, or has a value that Pig's parameters cannot have.
    """
    found: dict[str, str] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not _NAME.fullmatch(name.strip()):
            raise ParameterError(f"the scriptVariable {name[:40]!r} of {label} is not name=value")
        if "\n" in value or "\r" in value:
            raise ParameterError(
                f"the scriptVariable {name.strip()} of {label} has a line break, which Pig cannot take"
            )
        found[name.strip()] = value
    return found


def parameter_file(values: Mapping[str, str]) -> str:
    """Return the content of Pig's ``-param_file``."""
    return "".join(f"{name} = {_quoted(value)}\n" for name, value in values.items())


def _quoted(value: str) -> str:
    """Quote a value, unless it is quoted or a command between backticks as Pig's command line takes them."""
    if len(value) > 1 and value[0] == value[-1] and value[0] in "'\"`":
        return value
    return '"' + value.replace('"', '\\"') + '"' if "'" in value else f"'{value}'"
