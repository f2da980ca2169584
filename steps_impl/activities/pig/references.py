"""The data nodes that a script of Pig uses: ``${input1}``, ``$INPUT1``, in any case."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from core.errors import ParameterError
from steps_impl.activities.objects.nodes import DataNode

_PARAMETER = re.compile(r"(?<!\\)\$(?:\{((?:input|output)[1-9]\d*)\}|((?:input|output)[1-9]\d*)\b)", re.IGNORECASE)


@dataclass(frozen=True)
class Reference:
    """A node that the script uses: the parameter as it is spelt, ``input`` or ``output``, the number from 1."""

    parameter: str
    side: str
    number: int

    @property
    def relation(self) -> str:
        """The name of the relation that stands for the node."""
        return f"staged_{self.side}{self.number}"


def references(script: str) -> list[Reference]:
    """Return the nodes that a script uses, each spelling once, inputs first."""
    found = {match[1] or match[2] for match in _PARAMETER.finditer(script)}
    named = [Reference(word, word.rstrip("0123456789").lower(), int(re.sub(r"\D", "", word))) for word in sorted(found)]
    return sorted(named, key=lambda entry: (entry.side, entry.number))


def node_of(reference: Reference, nodes: Sequence[DataNode], label: str) -> DataNode:
    """Return the node of an activity that its script means.

    Raises:
        ParameterError: the activity has not so many.
    """
    if reference.number > len(nodes):
        found = f"{len(nodes)} {reference.side}{'' if len(nodes) == 1 else 's'}"
        raise ParameterError(f"the script of {label} uses ${{{reference.parameter}}}, but the activity has {found}")
    return nodes[reference.number - 1]
