"""The lists of jars: ``artifacts.lock`` and ``cassandra.lock``, one per line: folder, coordinates, SHA-256."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

LOCK = Path(__file__).parent / "artifacts.lock"


@dataclass(frozen=True)
class Artifact:
    """One jar: its folder, ``group:artifact:version`` or ``…:classifier`` too, its SHA-256 in hexadecimal digits."""

    folder: str
    coordinates: str
    sha256: str

    @property
    def place(self) -> Path:
        """Where the jar lies, from the engines' home."""
        _, *words = self.coordinates.split(":")
        return Path(self.folder, f"{'-'.join(words)}.jar")


def read_lock(text: str) -> list[Artifact]:
    """Return the artifacts of a lock file's text; lines that begin with ``#`` are remarks."""
    lines = (line for line in text.splitlines() if line and not line.startswith("#"))
    return [Artifact(*line.split()) for line in lines]


def damaged(artifacts: Iterable[Artifact], home: Path) -> list[Artifact]:
    """Return the artifacts whose jar under ``home`` is not there or not the one that was locked."""
    return [artifact for artifact in artifacts if _digest(home / artifact.place) != artifact.sha256]


def _digest(path: Path) -> str | None:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError:
        return None
