"""What a hook has changed for what comes after it: variables, and the working directory.

Two ways: a shell script exports, unsets and goes elsewhere (``cd``); whatever a hook is written in, it may append lines
``NAME=value`` to the file that ``DUCTRUNNER_ENV_FILE`` names.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from agent.hooks.directory import Hooks
from agent.hooks.program import END
from agent.processes.child import Command
from core.errors import HookFailed

ENV_FILE = "DUCTRUNNER_ENV_FILE"
#: What a shell changes by itself.
_SHELLS_OWN = frozenset({"_", "SHLVL", "PWD", "OLDPWD"})
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def apply_changes(command: Command, given: Command, saved: Path, env_file: Path, hooks: Hooks) -> Command:
    """Return ``command`` as the hook wants it; ``given`` is how the hook itself was run.

    Secret values are registered with the redactor. What the hook unset of its own variables does not matter.

    Raises:
        HookFailed: what the hook left cannot be read.
    """
    environment, directory = dict(command.environment), command.directory
    after, place = _saved(saved)
    if after is not None:
        before = given.environment
        changed = {name: value for name, value in after.items() if before.get(name) != value}
        environment |= {name: value for name, value in changed.items() if name not in _SHELLS_OWN}
        for name in before.keys() - after.keys():
            environment.pop(name, None)
        directory = directory if place == given.directory.resolve() else place
    environment |= _lines(env_file)
    for name in environment.keys() - {ENV_FILE}:
        if environment[name] != command.environment.get(name):
            hooks.keep_secret(name, environment[name])
    return replace(command, environment=environment, directory=directory)  # whose rights it has is not a hook's to say


def _saved(path: Path) -> tuple[Mapping[str, str] | None, Path]:
    """Return the environment and the directory in which a shell script ended; ``None`` when it told nothing."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return None, Path()  # it is no shell script, or it became another program (exec)
    if not content.endswith(END):
        raise HookFailed(f"the environment that a hook left could not be saved in {path.parent}; is the disk full?")
    place, *entries = content.removesuffix(END).split(b"\0")
    pairs = (os.fsdecode(entry).partition("=") for entry in entries if entry)
    return {name: value for name, _, value in pairs}, Path(os.fsdecode(place.removesuffix(b"\n")))


def _lines(path: Path) -> dict[str, str]:
    """Return the variables of the file; empty lines and comments (``#``) are passed over."""
    found: dict[str, str] = {}
    for number, line in enumerate(_text(path).split("\n"), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        name, separator, value = line.removeprefix("export ").partition("=")
        if not separator or not _NAME.fullmatch(name) or "\0" in value:
            raise HookFailed(f"line {number} of the hook's {ENV_FILE} is not of the form NAME=value")
        found[name] = value
    return found


def _text(path: Path) -> str:
    try:
        return os.fsdecode(path.read_bytes())
    except FileNotFoundError:
        return ""  # removed by the hook: as good as empty
    except OSError as error:
        raise HookFailed(f"cannot read the {ENV_FILE} that a hook left: {error.strerror}") from None
