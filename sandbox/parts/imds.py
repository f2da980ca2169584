"""The instance metadata service: ``python -m sandbox.imds``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from sandbox.parts.python_service import HttpService


class ImdsPart(HttpService):
    """What an instance is told about itself; ``flags`` are passed on to it."""

    name: ClassVar[str] = "imds"
    title: ClassVar[str] = "EC2 instance metadata"
    module: ClassVar[str] = "sandbox.imds"

    def options(self) -> Sequence[str | Path]:
        """Return where the state is kept, and the flags."""
        return ["--state", self.directory / "items.json", *self.flags]
