"""The Redshift front: ``python -m sandbox.redshift``, before the embedded Postgres and the S3 of moto."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar

from sandbox.parts.moto import MotoPart
from sandbox.parts.postgres import PostgresPart
from sandbox.parts.python_service import PythonService


class RedshiftPart(PythonService):
    """The warehouse as clients see it; needs ``postgres`` and ``aws`` to be up."""

    name: ClassVar[str] = "redshift"
    title: ClassVar[str] = "Redshift front"
    module: ClassVar[str] = "sandbox.redshift"

    def __init__(self, directory: Path, postgres: PostgresPart, aws: MotoPart) -> None:
        super().__init__(directory)
        self._postgres = postgres
        self._aws = aws

    @property
    def authority(self) -> Path:
        """The certificate that clients trust (``sslrootcert`` of libpq)."""
        return self.directory / "ca.crt"

    @property
    def _certificate(self) -> Path:
        return self.directory / "server.pem"

    def prepare(self) -> None:
        """Make the certificates for TLS, unless they are there."""
        from sandbox.certificates import issue_into

        issue_into(self.authority, self._certificate)

    def environment(self) -> Mapping[str, str]:
        """Return how COPY reaches S3, and how the front reaches the catalog of Postgres."""
        variables = self._aws.client_environment() | self._postgres.superuser_environment()
        return {**super().environment(), **variables}

    def options(self) -> Sequence[str | Path]:
        """Return where Postgres is; the file for the port is what the process is recognised by."""
        host, port = self._postgres.address
        upstream = ["--upstream-host", host, "--upstream-port", str(port)]
        return [*upstream, "--port-file", self.directory / "port", "--certificate", self._certificate]
