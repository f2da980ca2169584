"""The Data Pipeline service: ``python -m sandbox.datapipeline``, with its state in SQLite."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar

from sandbox.parts.moto import MotoPart
from sandbox.parts.python_service import HttpService


class DataPipelinePart(HttpService):
    """The service that pipelines are created in and that workers poll; ``flags`` are passed on to it.

    Its preconditions and alarms use ``aws``, which must be up before; without it they say that they have no endpoint.
    """

    name: ClassVar[str] = "datapipeline"
    title: ClassVar[str] = "Data Pipeline"
    module: ClassVar[str] = "sandbox.datapipeline"

    def __init__(self, directory: Path, flags: Sequence[str] = (), aws: MotoPart | None = None) -> None:
        super().__init__(directory, flags)
        self._aws = aws

    def environment(self) -> Mapping[str, str]:
        """Return how the service reaches S3, DynamoDB and SNS."""
        return {**super().environment(), **(self._aws.client_environment() if self._aws else {})}

    def options(self) -> Sequence[str | Path]:
        """Return where the state is kept, where the other services are, and the flags."""
        beside = ["--aws-endpoint", self._aws.endpoint] if self._aws else []
        return ["--database", self.directory / "pipelines.db", *beside, *self.flags]
