"""The state of the small services: one file per service, account and region, replaced whenever it changed."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

from moto.backends import get_backend

from sandbox.aws import pickling
from sandbox.files import make_private_directory, write_private

#: Services whose state survives a restart, beside S3. SQS is among them as the usual subscriber of SNS.
SERVICES = ("logs", "rds", "redshift", "secretsmanager", "sns", "sqs", "ssm")


class BackendFiles:
    """Keeps whole backends of moto in a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = make_private_directory(folder)
        self._lock = threading.Lock()
        self._written: dict[Path, bytes] = {}

    def load(self) -> None:
        """Give every stored backend its contents back."""
        for path in sorted(self._folder.glob("*.pickle")):
            service, account, region = path.stem.split(".")
            pickling.refill(get_backend(service)[account][region].__dict__, pickling.load_file(path))  # type: ignore[call-overload]

    def save(self, service: str) -> None:
        """Write the backends of ``service`` that changed since they were last written."""
        with self._lock:
            for account, region, backend in list(get_backend(service).iter_backends()):  # type: ignore[call-overload]
                self._save(self._folder / f"{service}.{account}.{region}.pickle", backend)

    def _save(self, path: Path, backend: Any) -> None:
        content = pickling.dump(backend.__dict__)
        if self._written.get(path) != content:
            write_private(path, content)
            self._written[path] = content
