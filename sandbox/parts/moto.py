"""S3, SNS, CloudWatch Logs, Secrets Manager, SSM and STS: moto, run by ``python -m sandbox.aws``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from sandbox.parts.python_service import PythonService


class MotoPart(PythonService):
    """The AWS services that moto stands in for, all on one port."""

    name: ClassVar[str] = "aws"
    title: ClassVar[str] = "moto (S3, SNS, Logs, Secrets Manager, SSM, STS)"
    module: ClassVar[str] = "sandbox.aws"

    @property
    def endpoint(self) -> str:
        """The URL that clients use for all of these services."""
        host, port = self.address
        return f"http://{host}:{port}"

    def options(self) -> Sequence[str | Path]:
        """Return where the state is kept."""
        return ["--state", self.directory / "state"]
