"""Where a step that runs programs keeps their files, and what such a program is given of the environment."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

from steps_impl.contract import LENT_VARIABLE, RESULT_VARIABLE


def new_folder(prefix: str, environment: Mapping[str, str]) -> Path:
    """Return a new folder: in the attempt's own, which the worker removes whatever happens, or a temporary one."""
    result = environment.get(RESULT_VARIABLE)
    place = Path(result).parent if result else None
    return Path(tempfile.mkdtemp(prefix=prefix, dir=place if place and os.access(place, os.W_OK) else None))


def without_lent_keys(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the environment for a program of the user's: without AWS keys that are the worker's own."""
    lent = {LENT_VARIABLE, *environment.get(LENT_VARIABLE, "").split(",")}
    return {name: value for name, value in environment.items() if name not in lent}
