"""The parameters of a step that runs a script."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Annotated, Any, Self

from pydantic import BeforeValidator, Field, model_validator

from core.errors import ParameterError
from steps_impl.compute.places import check_places
from steps_impl.registry import Parameters

_SOURCES = ("command", "script", "script_uri", "script_directory")


def _as_arguments(value: Any) -> Any:
    """Return arguments as a list, from Dataduct's forms.

    A mapping becomes ``--key=value``, a text is one argument, and an entry of a list may be ``{name, value}``.
    """
    if isinstance(value, Mapping):
        return [_flag(name, given) for name, given in value.items()]
    if isinstance(value, list | tuple):
        return [_argument(entry) for entry in value]
    return value if value is None else [str(value)]


def _argument(entry: Any) -> Any:
    if isinstance(entry, Mapping) and {"name", "value"} <= set(entry) <= {"name", "value", "type"}:
        return _flag(entry["name"], entry["value"])
    return str(entry) if isinstance(entry, int | float) else entry


def _flag(name: Any, value: Any) -> str:
    return f"--{name}={value}"


class ScriptParameters(Parameters):
    """What is run, and what it reads and writes."""

    command: str | None = Field(default=None, description="shell command, read by bash")
    script: str | None = Field(default=None, description="script to run: a file of this machine, or `s3://…`")
    script_uri: str | None = Field(default=None, description="the same, as Data Pipeline calls it: `s3://…`")
    script_directory: str | None = Field(
        default=None,
        description="directory of this machine or `s3://…` folder with the script and what it needs; it also stands as "
        "one more input behind the others",
    )
    script_name: str | None = Field(default=None, description="the script's path in `script_directory`")
    script_arguments: Annotated[tuple[str, ...], BeforeValidator(_as_arguments)] = Field(
        default=(),
        description="arguments; on the command line better all words behind a `--` at its end; in `--params` also an "
        "object (`--key=value` each)",
    )
    input: tuple[str, ...] = Field(
        default=(),
        description="`s3://…` of an object, or of a folder (with `/` at its end, or when there is no such object); the "
        "n-th is in $INPUTn_STAGING_DIR. `NAME=s3://…`: all of these in one directory, each below its NAME",
    )
    output: tuple[str, ...] = Field(
        default=(),
        description="`s3://…` folder that gets what the script leaves in $OUTPUTn_STAGING_DIR, in place of its former "
        "content. `NAME=s3://…`: the sub-directory NAME of one directory",
    )
    additional_files: tuple[str, ...] = Field(
        default=(), description="files of this machine or `s3://…` that are put where the script runs"
    )
    no_input: bool = Field(default=False, description="do not show the script what the worker has staged for it")
    no_output: bool = Field(default=False, description="the same for outputs")
    timeout: float | None = Field(default=None, gt=0, description="seconds that the script may take; default: any")

    @model_validator(mode="after")
    def _check(self) -> Self:
        given = [name for name in _SOURCES if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(f"give one of {', '.join(_SOURCES)}; there is {' and '.join(given) or 'none'}")
        if not getattr(self, given[0]).strip():
            raise ValueError(f"{given[0]} is empty")
        self._check_directory()
        if (self.no_input and self.input) or (self.no_output and self.output):
            raise ValueError("no_input goes without input, no_output without output")
        try:
            check_places(self.input, self.output)
        except ParameterError as error:
            raise ValueError(str(error)) from None
        return self

    def _check_directory(self) -> None:
        if (self.script_directory is None) != (self.script_name is None):
            raise ValueError("script_directory and script_name go together")
        if self.script_name is not None:
            path = PurePosixPath(self.script_name)
            if path.is_absolute() or ".." in path.parts or not path.name:
                raise ValueError("script_name must be a path inside script_directory")
        if any("\0" in text for text in (*self.script_arguments, self.command or "")):
            raise ValueError("command and script_arguments cannot hold NUL: no program can be given one")
