"""The parts that are Python programs of ours: run by this interpreter, told their port, asked on it."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar

import sandbox
from sandbox import ports
from sandbox.parts.part import Part


class PythonService(Part):
    """A module that is run with ``--host`` and ``--port``."""

    module: ClassVar[str]

    def program(self) -> Path:
        """Return this interpreter."""
        return Path(sys.executable)

    def environment(self) -> Mapping[str, str]:
        """Return the environment in which the module is found although the working directory is another."""
        return {"PYTHONPATH": str(Path(sandbox.__file__).parent.parent), "PYTHONUNBUFFERED": "1"}

    def command(self, port: int) -> Sequence[str | Path]:
        """Return the command line that serves on ``port``."""
        return [self.program(), "-m", self.module, "--host", ports.HOST, "--port", str(port), *self.options()]

    def options(self) -> Sequence[str | Path]:
        """Return the flags that name what the service keeps in ``directory``."""
        raise NotImplementedError

    def is_ready(self) -> bool:
        """Say whether connections are accepted."""
        return ports.is_answering(self.port)


class HttpService(PythonService):
    """One that speaks HTTP; ``flags`` are passed on to it."""

    def __init__(self, directory: Path, flags: Sequence[str] = ()) -> None:
        super().__init__(directory)
        self.flags = tuple(flags)

    @property
    def endpoint(self) -> str:
        """The URL that clients use."""
        return "http://{}:{}".format(*self.address)
