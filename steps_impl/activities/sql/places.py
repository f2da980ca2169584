"""Places of a script for values, as Python's database drivers mark them: ``%s`` in their order, or ``%(name)s``.

The values are bound by the driver, quoted as what they are: texts. Any other ``%`` is itself, also beside places.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from core.errors import ParameterError
from steps_impl.activities.sql.execution import doing
from stores.sql import Statement

_PLACE = re.compile(r"%(?:(?P<double>%)|(?P<next>s)|\((?P<name>[^()%]+)\)s)?")


def bind_places(texts: Sequence[str], arguments: Sequence[str], named: Mapping[str, str]) -> list[Statement]:
    """Return the statements, each with its share of the values; without any values ``%`` is nothing special.

    Raises:
        ParameterError: places and values do not agree; the message never holds a value.
    """
    if arguments and named:
        raise ParameterError("give values either in their order or by name, not both")
    if not arguments and not named:
        return [Statement(text, doing(text, number, len(texts))) for number, text in enumerate(texts, start=1)]
    _check(texts, arguments, named)
    rest = iter(arguments)
    statements = []
    for number, text in enumerate(texts, start=1):
        taken: list[str] = []

        def place(match: re.Match[str], taken: list[str] = taken) -> str:
            if match["next"] and arguments:
                taken.append(next(rest))
            elif match["name"] and named:
                taken.append(named[match["name"]])
            else:
                return "%%" + match[0].lstrip("%")
            return "%s"

        bound = _PLACE.sub(place, text)
        plain = bound if taken else bound.replace("%%", "%")
        statements.append(Statement(plain, doing(text, number, len(texts)), tuple(taken)))
    return statements


def _check(texts: Sequence[str], arguments: Sequence[str], named: Mapping[str, str]) -> None:
    places = [match for text in texts for match in _PLACE.finditer(text)]
    count = sum(match["next"] is not None for match in places)
    if arguments and count != len(arguments):
        raise ParameterError(f"the script has {count} places (%s), and {len(arguments)} arguments are given")
    names = {match["name"] for match in places if match["name"]}
    if named and names != set(named):
        missing, unused = sorted(names - set(named)), sorted(set(named) - names)
        told = [f"no value for {', '.join(missing)}"] if missing else []
        told += [f"no place %(…)s for {', '.join(unused)}"] if unused else []
        raise ParameterError(f"named arguments and the script do not agree: {'; '.join(told)}")
