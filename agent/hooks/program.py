"""How a hook is run: a shell script is sourced by bash, whatever else is executed.

Sourced, because that is how a hook changes the environment of what comes after it: what it exports, unsets, and the
directory it goes to are saved when it ends, also by ``exit`` or a failing command under ``set -e``.
"""

from __future__ import annotations

import shlex
import shutil
from pathlib import Path

from core.errors import HookFailed
from core.shebang import FIRST_LINE_LIMIT, interpreter

SHELLS = frozenset({"bash", "dash", "sh"})
_ELF = b"\x7fELF"
#: Stands behind the saved environment: without it, it is not whole.
END = b"\0ductrunner-saved-all"


def hook_argv(path: Path, saved: Path) -> tuple[str, ...]:
    """Return what runs the hook; a shell script leaves its directory and environment in ``saved``.

    The file is read here, and a script is given to its interpreter: the disk may be mounted ``noexec``.

    Raises:
        HookFailed: the file cannot be read.
    """
    try:
        with path.open("rb") as file:
            beginning = file.read(FIRST_LINE_LIMIT)
    except OSError as error:
        raise HookFailed(f"cannot read the hook {path}: {error.strerror}") from None
    if beginning.startswith(_ELF):
        return (str(path),)
    program = interpreter(beginning)
    if not _is_shell(program):
        return (*program, str(path))
    return (shutil.which("bash") or "bash", "-c", _sourcing(path, saved), str(path))


def _is_shell(program: tuple[str, ...]) -> bool:
    words = [Path(word).name for word in " ".join(program).split()]
    return bool(words) and (words[0] in SHELLS or (words[0] == "env" and not SHELLS.isdisjoint(words)))


def _sourcing(path: Path, saved: Path) -> str:
    """Return the shell text that sources the hook.

    The environment is saved twice, so that neither an ``exit`` of the hook nor a trap of its own prevents it; programs
    are named by their places, since the hook may change PATH.
    """
    env = shlex.quote(shutil.which("env") or "/usr/bin/env")
    end = shlex.quote(END[1:].decode())
    save = f"{{ builtin pwd -P; builtin printf '\\0'; {env} -0; builtin printf %s {end}; }} >{shlex.quote(str(saved))}"
    return "\n".join(
        (
            f"ductrunner_save() {{ {save}; }}",
            "trap ductrunner_save EXIT",
            f". {shlex.quote(str(path.absolute()))}",
            "ductrunner_status=$?",
            "ductrunner_save",
            "exit $ductrunner_status",
        )
    )
