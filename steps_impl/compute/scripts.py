"""From a step's parameters to the program that it runs, with all its files on this machine."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from core.errors import NotFound, ScriptNotFound
from core.shebang import FIRST_LINE_LIMIT, interpreter
from steps_impl.activities.cluster.files import is_in_s3
from steps_impl.compute.inputs import Fetching, check_names, copy_directory, copy_file, make_executable
from steps_impl.compute.parameters import ScriptParameters

#: How an executable file of Linux begins (elf(5)).
_ELF = b"\x7fELF"


@dataclass(frozen=True)
class Script:
    """What is run: its file, once everything is here, and what messages call it."""

    path: Path
    title: str

    def argv(self) -> list[str]:
        """Return the command that runs it: itself when it is a program, else its interpreter, else bash.

        Raises:
            ScriptNotFound: it is not there.
        """
        try:
            with self.path.open("rb") as file:
                beginning = file.read(FIRST_LINE_LIMIT)
        except OSError as error:
            raise ScriptNotFound(f"{self.title} cannot be read: {error.strerror}") from None
        return [str(self.path)] if beginning.startswith(_ELF) else [*interpreter(beginning), str(self.path)]


def bring_script(parameters: ScriptParameters, place: Path, directory: Path, fetching: Fetching) -> Script:
    """Write, find or plan to fetch the script.

    Args:
        parameters: Say which.
        place: A folder for a script that stands alone.
        directory: A folder for ``script_directory``.
        fetching: Gets what is to come from S3.

    Raises:
        ScriptNotFound: it is not there.
    """
    if parameters.command is not None:
        return Script(_written(parameters.command, place), "the command")
    if parameters.script_directory is not None:
        _bring_directory(parameters.script_directory, directory, fetching)
        return Script(directory / (parameters.script_name or ""), f"the script {parameters.script_name}")
    address = parameters.script_uri or parameters.script or ""
    if not is_in_s3(address):
        path = Path(address).absolute()
        if parameters.script_uri or not path.is_file():
            raise ScriptNotFound(f"the script {address!r} is not on this machine; give a file, or s3://bucket/key")
        return Script(path, f"the script {path.name}")
    name = address.rpartition("/")[2]
    if not name:
        raise ScriptNotFound(f"{address!r} names no script; write s3://bucket/folder/script")
    _plan(fetching.add_file, address, place)
    return Script(place / name, f"the script {name}")


def bring_files(sources: tuple[str, ...], directory: Path, fetching: Fetching) -> None:
    """Copy or plan to fetch additional files into ``directory``.

    Raises:
        ParameterError: two have the same name.
        ScriptNotFound: one is not there.
    """
    check_names(sources)
    for source in sources:
        if is_in_s3(source):
            _plan(fetching.add_file, source, directory)
        else:
            copy_file(source, directory)


def finish_script(parameters: ScriptParameters, directory: Path) -> None:
    """Let the files of a script directory be run, now that they are here."""
    if parameters.script_directory is not None:
        make_executable(directory)


def _bring_directory(source: str, directory: Path, fetching: Fetching) -> None:
    if is_in_s3(source):
        _plan(fetching.add_folder, source, directory)
    else:
        copy_directory(source, directory)


def _written(command: str, place: Path) -> Path:
    """Write the command into a file that nobody else can read: its text may hold what they must not see."""
    path = place / "command.sh"
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o700), "w", encoding="utf-8") as file:
        file.write(command)
    return path


def _plan(add: Callable[[str, Path], None], uri: str, directory: Path) -> None:
    try:
        add(uri, directory)
    except NotFound:
        raise ScriptNotFound(f"{uri} is not there; check the bucket and the key") from None
