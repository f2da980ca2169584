"""The state directory: where it is, what marks it as ours, who may change it, what it was started with."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from core.errors import SandboxError
from sandbox.files import make_private_directory, write_private

ENVIRONMENT_VARIABLE = "DUCTRUNNER_SANDBOX_STATE"
DEFAULT = Path("~/.ductrunner/sandbox")
_MARK = "sandbox.json"


class StateDirectory:
    """One sandbox's folder, readable by its owner only."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._mark = path / _MARK

    @classmethod
    def choose(cls, named: Path | None, environment: Mapping[str, str] = os.environ) -> StateDirectory:
        """Return the named folder, else ``$DUCTRUNNER_SANDBOX_STATE``, else ``~/.ductrunner/sandbox``."""
        chosen = named or Path(environment.get(ENVIRONMENT_VARIABLE) or DEFAULT)
        return cls(chosen.expanduser().absolute())

    @property
    def exists(self) -> bool:
        """Say whether a sandbox was ever started here."""
        return self._mark.exists()

    @property
    def configuration(self) -> Path:
        """The configuration file for agents and steps that use this sandbox."""
        return self.path / "ductrunner.yaml"

    @property
    def service_options(self) -> dict[str, str]:
        """The flags of ``python -m sandbox.datapipeline`` that ``up`` was told, without their dashes.

        They are kept, so that a later ``up`` without flags starts the same service.
        """
        try:
            kept: dict[str, str] = json.loads(self._mark.read_text(encoding="utf-8"))["datapipeline"]
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, LookupError):
            raise SandboxError(f"{self._mark} cannot be read; remove it, then run: ductrunner sandbox up") from None
        return kept

    def create(self, service_options: Mapping[str, str]) -> None:
        """Make the folder and keep these options beside those kept before; an empty value drops one.

        Raises:
            SandboxError: the folder holds files of somebody else, or cannot be made.
        """
        try:
            if self.path.is_dir() and not self.exists and any(self.path.iterdir()):
                raise SandboxError(f"{self.path} is not empty and not a sandbox's; name another with --state-dir")
            make_private_directory(self.path)
            options = {name: value for name, value in {**self.service_options, **service_options}.items() if value}
            write_private(self._mark, json.dumps({"datapipeline": options}))
        except OSError as error:
            raise SandboxError(f"the state directory {self.path} cannot be made: {error.strerror}") from None

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other ``up`` and ``down`` commands waiting; the kernel frees the lock of a killed one.

        The lock lies beside the folder, so that it holds while the folder is made and removed.
        """
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.with_name(f".{self.path.name}.lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def remove(self) -> None:
        """Delete the folder with everything in it; only ever one that bears our mark."""
        if self.exists:
            shutil.rmtree(self.path)
