"""The Data Pipeline service: ``python -m sandbox.datapipeline``, with its state in SQLite."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from sandbox.parts.python_service import HttpService


class DataPipelinePart(HttpService):
    """The service that pipelines are created in and that workers poll; ``flags`` are passed on to it."""

    name: ClassVar[str] = "datapipeline"
    title: ClassVar[str] = "Data Pipeline"
    module: ClassVar[str] = "sandbox.datapipeline"

    def options(self) -> Sequence[str | Path]:
        """Return where the state is kept, and the flags."""
        return ["--database", self.directory / "pipelines.db", *self.flags]
