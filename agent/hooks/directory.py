"""Which hooks this machine has: files of ``agent.hooks`` by name, with or without an extension.

The directory is looked at anew for each attempt, so a hook that is put there counts from the next attempt on. A hook
that is there but cannot or must not be run is an error, never passed over: it may be what guards the machine.
"""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path

from agent.logs.known_secrets import names_secret
from core.errors import HookFailed
from core.redaction import REDACTOR

ENVIRONMENT = "environment"
PRE_TASK = "pre-task"
POST_TASK = "post-task"
AGENT_START = "agent-start"
AGENT_STOP = "agent-stop"
NAMES = (ENVIRONMENT, PRE_TASK, POST_TASK, AGENT_START, AGENT_STOP)
#: What a hook's file may be called behind its name; everything else (``.sample``, ``~``, ``.rpmsave``) is no hook.
EXTENSIONS = frozenset({"", ".bash", ".pl", ".py", ".rb", ".sh"})


@dataclass(frozen=True)
class Hooks:
    """The hooks of one machine, and what counts for all of them."""

    #: ``None``: there are none, whatever lies on the disk.
    directory: Path | None
    #: Seconds that one hook may take.
    timeout: float
    #: Patterns of the names of variables whose values are secret.
    secret_names: tuple[str, ...] = ()

    def find(self) -> dict[str, Path]:
        """Return the files of the hooks that are there, by name; cheap when there are none.

        Raises:
            HookFailed: two files are the same hook, or the directory cannot be read.
        """
        if self.directory is None:
            return {}
        try:
            files = sorted(self.directory.iterdir())
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise HookFailed(f"cannot read the hooks in {self.directory}: {error.strerror}") from None
        found: dict[str, Path] = {}
        for file in files:
            name = file.stem
            if name not in NAMES or file.suffix not in EXTENSIONS:
                continue
            if name in found:
                raise HookFailed(f"{found[name]} and {file} are both the hook {name}; keep one of them")
            found[name] = file
        return found

    def keep_secret(self, name: str, value: str) -> None:
        """Register the value with the redactor if the variable's name says that it is a secret."""
        if names_secret(name, self.secret_names):
            REDACTOR.register(value)


def check(path: Path) -> None:
    """Refuse a hook that must not be run.

    Raises:
        HookFailed: it is not executable; or the agent is root and somebody else could have written it.
    """
    try:
        found = path.stat()
    except OSError as error:
        raise HookFailed(f"cannot read the hook {path}: {error.strerror}") from None
    if not stat.S_ISREG(found.st_mode) or not found.st_mode & 0o111:
        raise HookFailed(f"the hook {path} is not executable; run: chmod 755 {path}, or take it away")
    if os.geteuid() == 0:
        for place in (path, path.parent):
            _check_owner(place)


def _check_owner(place: Path) -> None:
    found = place.stat()
    if found.st_uid != 0 or found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise HookFailed(
            f"{place} can be written by others than root, and the agent runs hooks as root; "
            f"run: chown root {place} && chmod go-w {place}"
        )
