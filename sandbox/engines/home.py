"""Where the engines of this machine are, and how they get there."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from core.errors import PartMissing, SandboxError
from sandbox.engines.artifacts import LOCK, damaged, read_lock
from sandbox.engines.maven import fetch

#: Names the folder that holds the engines, one subfolder for each state of the lock file and the commands.
ENVIRONMENT_VARIABLE = "DUCTRUNNER_ENGINES"
DEFAULT = Path("~/.ductrunner/engines")
#: Names the folder in which Hive keeps its metastore and its tables.
STATE_VARIABLE = "DUCTRUNNER_ENGINES_STATE"
_FURNITURE = Path(__file__).parent / "home"


@dataclass(frozen=True)
class EnginesStatus:
    """What ``status`` shows: ``installed`` or ``missing``, the folder of the commands, or why there is none."""

    state: str
    commands: str | None
    note: str | None


class Engines:
    """The engines under one folder; several versions may lie side by side, so that a running job keeps its own."""

    def __init__(self, folder: Path) -> None:
        self.home = folder / _digest()

    @classmethod
    def of_machine(cls, environment: Mapping[str, str] = os.environ) -> Engines:
        """Return those under ``$DUCTRUNNER_ENGINES``, else under ``~/.ductrunner/engines``."""
        return cls(Path(environment.get(ENVIRONMENT_VARIABLE) or DEFAULT).expanduser().absolute())

    @property
    def installed(self) -> bool:
        """Say whether all of them are here; a home gets its name only when it is complete."""
        return self.home.is_dir()

    def commands(self) -> Path:
        """Return the folder with ``hadoop``, ``pig`` and ``hive``, to be put on PATH.

        Raises:
            PartMissing: the engines are not installed, or Java is not.
        """
        if not self.installed:
            raise PartMissing("Hadoop, Pig and Hive are not installed here; run: ductrunner sandbox engines")
        if not (os.environ.get("JAVA_HOME") or shutil.which("java")):
            raise PartMissing("Java was not found; on Debian run: apt-get install openjdk-17-jre-headless")
        return self.home / "bin"

    def look(self) -> EnginesStatus:
        """Say whether the commands can be used."""
        try:
            return EnginesStatus("installed", str(self.commands()), None)
        except PartMissing as missing:
            return EnginesStatus("missing", None, str(missing))

    def install(self) -> None:
        """Fetch the jars, check their digests, and put them and the commands in place; harmless when they are.

        Raises:
            PartMissing: this machine has no Maven.
            SandboxError: a jar could not be had, or is not the one that was locked.
        """
        if self.installed:
            return
        if shutil.which("mvn") is None:
            raise PartMissing(
                "Maven fetches the engines' jars, and there is no mvn; on Debian run: apt-get install maven"
            )
        with _alone(self.home):
            if not self.installed:
                self._build()

    def _build(self) -> None:
        draft = self.home.with_name(f"{self.home.name}.new")
        shutil.rmtree(draft, ignore_errors=True)
        shutil.copytree(_FURNITURE, draft)
        artifacts = read_lock(LOCK.read_text(encoding="utf-8"))
        fetch(artifacts, draft)
        if wrong := damaged(artifacts, draft):
            raise SandboxError(f"the jar of {wrong[0].coordinates} is not the one that artifacts.lock names")
        draft.rename(self.home)


@contextmanager
def _alone(home: Path) -> Iterator[None]:
    """Keep others who install waiting; the kernel frees the lock of a killed one."""
    home.parent.mkdir(parents=True, exist_ok=True)
    with home.with_name(".lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _digest() -> str:
    """Return what tells this release's engines from another's: of the lock file, the commands, the configuration."""
    digest = hashlib.sha256(LOCK.read_bytes())
    for file in sorted(path for path in _FURNITURE.rglob("*") if path.is_file()):
        digest.update(f"{file.relative_to(_FURNITURE)}\0".encode() + file.read_bytes())
    return digest.hexdigest()[:12]
