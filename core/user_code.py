"""Python files of the machine's owner that the worker runs: hooks and custom steps.

Dataduct ran any file that its configuration named. Here a file is run only if nobody else could have written it.
"""

from __future__ import annotations

import functools
import hashlib
import importlib.util
import os
import stat
import sys
from pathlib import Path
from types import ModuleType

from core.errors import HookFailed, SettingsError

_OTHERS_MAY_WRITE = stat.S_IWGRP | stat.S_IWOTH


@functools.cache
def load_user_code(path: Path) -> ModuleType:
    """Run a file once in this process and return its module.

    Raises:
        SettingsError: it is not there, or another user could have written it.
        HookFailed: its code raises.
    """
    place = path.expanduser()
    _check_owner(place)
    name = f"ductrunner_user_{place.stem}_{hashlib.sha256(bytes(place)).hexdigest()[:8]}"
    spec = importlib.util.spec_from_file_location(name, place)
    if spec is None or spec.loader is None:
        raise SettingsError(f"{place} is no Python file; give it the ending .py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        del sys.modules[name]
        raise HookFailed(f"{place} cannot be loaded: {type(error).__name__}: {error}") from None
    return module


def _check_owner(place: Path) -> None:
    """Refuse a file that somebody else may change, itself or by its directory."""
    try:
        for one in (place.resolve(strict=True), place.resolve().parent):
            found = one.stat()
            sticky = stat.S_ISDIR(found.st_mode) and found.st_mode & stat.S_ISVTX
            if found.st_uid not in (0, os.geteuid()) or (found.st_mode & _OTHERS_MAY_WRITE and not sticky):
                raise SettingsError(
                    f"{one} may be changed by other users, so its code is not run; chown it to this user and "
                    f"chmod go-w it"
                )
    except OSError as error:
        raise SettingsError(f"cannot read {place}: {error.strerror}") from None
