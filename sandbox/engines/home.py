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
from typing import ClassVar, Self

from core.errors import PartMissing, SandboxError
from sandbox.engines.artifacts import LOCK, damaged, read_lock
from sandbox.engines.maven import fetch

#: Names the folder that holds the engines, one subfolder for each state of the lock file and the commands.
ENVIRONMENT_VARIABLE = "DUCTRUNNER_ENGINES"
DEFAULT = Path("~/.ductrunner/engines")
#: Names the folder in which Hive keeps its metastore and its tables.
STATE_VARIABLE = "DUCTRUNNER_ENGINES_STATE"


@dataclass(frozen=True)
class EnginesStatus:
    """What ``status`` shows: ``installed`` or ``missing``, the folder of the commands, or why there is none."""

    state: str
    commands: str | None
    note: str | None


class JarHome:
    """Jars and what belongs to them; versions lie side by side in one folder, so that a running job keeps its own."""

    #: What it is called in messages.
    title: ClassVar[str]
    #: What stands before the name of its folder.
    prefix: ClassVar[str]
    lock: ClassVar[Path]
    furniture: ClassVar[Path | None]

    def __init__(self, folder: Path) -> None:
        self.home = folder / f"{self.prefix}{self._digest()}"

    @classmethod
    def of_machine(cls, environment: Mapping[str, str] = os.environ) -> Self:
        """Return those under ``$DUCTRUNNER_ENGINES``, else under ``~/.ductrunner/engines``."""
        return cls(Path(environment.get(ENVIRONMENT_VARIABLE) or DEFAULT).expanduser().absolute())

    @property
    def installed(self) -> bool:
        """Say whether all of them are here; a home gets its name only when it is complete."""
        return self.home.is_dir()

    def install(self) -> None:
        """Fetch the jars, check their digests, and put them in place with what belongs to them; harmless when they are.

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
        if self.furniture:
            shutil.copytree(self.furniture, draft)
        artifacts = read_lock(self.lock.read_text(encoding="utf-8"))
        fetch(artifacts, draft)
        if wrong := damaged(artifacts, draft):
            raise SandboxError(f"the jar of {wrong[0].coordinates} is not the one that {self.lock.name} names")
        draft.rename(self.home)

    def _digest(self) -> str:
        """Return what tells this release's from another's: of the lock file, and of what belongs to the jars."""
        digest = hashlib.sha256(self.lock.read_bytes())
        files = self.furniture.rglob("*") if self.furniture else ()
        for file in sorted(path for path in files if path.is_file()):
            digest.update(f"{file.relative_to(self.furniture or file)}\0".encode() + file.read_bytes())
        return digest.hexdigest()[:12]

    def _require_java(self) -> None:
        if not (os.environ.get("JAVA_HOME") or shutil.which("java")):
            raise PartMissing("Java was not found; on Debian run: apt-get install openjdk-17-jre-headless")


class Engines(JarHome):
    """Hadoop, Pig and Hive."""

    title = "Hadoop, Pig and Hive"
    prefix = ""
    lock = LOCK
    furniture = Path(__file__).parent / "home"

    def commands(self) -> Path:
        """Return the folder with ``hadoop``, ``pig`` and ``hive``, to be put on PATH.

        Raises:
            PartMissing: the engines are not installed, or Java is not.
        """
        if not self.installed:
            raise PartMissing("Hadoop, Pig and Hive are not installed here; run: ductrunner sandbox engines")
        self._require_java()
        return self.home / "bin"

    def look(self) -> EnginesStatus:
        """Say whether the commands can be used."""
        try:
            return EnginesStatus("installed", str(self.commands()), None)
        except PartMissing as missing:
            return EnginesStatus("missing", None, str(missing))


@contextmanager
def _alone(home: Path) -> Iterator[None]:
    """Keep others who install waiting; the kernel frees the lock of a killed one."""
    home.parent.mkdir(parents=True, exist_ok=True)
    with home.with_name(".lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
