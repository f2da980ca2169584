"""Where the configuration file is, and the modes in it.

Found at ``$DUCTRUNNER_CONFIG``, else ``~/.ductrunner/ductrunner.yaml``, else ``/etc/ductrunner/ductrunner.yaml`` (the
first that exists; no merging), else Dataduct's own file (``core.dataduct``).

A mode is a variant of the file, for a staging environment for example: a top-level key of any name (as in Dataduct), or
one under ``modes``, that holds sections; ``$DUCTRUNNER_MODE`` names the one that is laid over the rest.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from core.dataduct import find_dataduct_file
from core.errors import SettingsError

ENVIRONMENT_VARIABLE = "DUCTRUNNER_CONFIG"
MODE_VARIABLE = "DUCTRUNNER_MODE"
LOCATIONS = (Path("~/.ductrunner/ductrunner.yaml"), Path("/etc/ductrunner/ductrunner.yaml"))


class Found(NamedTuple):
    """A file; ``dataducts``: it is in Dataduct's form."""

    path: Path
    dataducts: bool = False


def find_file(environment: Mapping[str, str] = os.environ) -> Found | None:
    """Return the file that holds the configuration, if there is one (a named one may be missing)."""
    if named := environment.get(ENVIRONMENT_VARIABLE):
        return Found(Path(named))
    if there := [place for entry in LOCATIONS if (place := entry.expanduser()).exists()]:
        return Found(there[0])
    old = find_dataduct_file(environment)
    return Found(old, dataducts=True) if old else None


def take_modes(document: dict[str, Any], sections: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Take the modes out of a document and return them by name."""
    known = set(sections)
    named = {name for name, value in document.items() if name not in known and _holds_sections(value, known)}
    modes = {name: document.pop(name) for name in sorted(named - {"modes"})}
    under = document.pop("modes", None) or {}
    modes |= {str(name).lower(): value for name, value in under.items()} if isinstance(under, Mapping) else {}
    return {name: {str(key).lower(): value for key, value in (mode or {}).items()} for name, mode in modes.items()}


def _holds_sections(value: Any, known: set[str]) -> bool:
    return isinstance(value, Mapping) and bool(value) and {str(key).lower() for key in value} <= known


def chosen_mode(modes: Mapping[str, dict[str, Any]], environment: Mapping[str, str], where: object) -> dict[str, Any]:
    """Return the mode that the environment names; nothing without one.

    Raises:
        SettingsError: there is none of this name.
    """
    name = environment.get(MODE_VARIABLE, "")
    if name and name.lower() not in modes:
        known = ", ".join(sorted(modes)) or "none"
        raise SettingsError(f"{MODE_VARIABLE} is {name!r}, which {where} does not have; its modes: {known}")
    return modes[name.lower()] if name else {}


def laid_over(document: Mapping[str, Any], mode: Mapping[str, Any]) -> dict[str, Any]:
    """Return the document with a mode over it: key by key in each section, whole where it is none."""
    result = dict(document)
    for section, values in mode.items():
        former = result.get(section)
        both = isinstance(former, Mapping) and isinstance(values, Mapping)
        result[section] = _over(former, values) if both else values
    return result


def _over(former: Any, values: Any) -> dict[str, Any]:
    """Lay keys over others, in whichever letters they are written; names, such as aliases of hosts, keep theirs."""
    given = {str(key).lower() for key in values}
    return {**{key: value for key, value in former.items() if str(key).lower() not in given}, **values}
