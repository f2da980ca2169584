"""A directory in S3 that a run fills: its files are complete before those of former runs go."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from core.errors import NotFound, StoreError
from stores.s3 import S3Store, parse_uri

MANIFEST, SUCCESS = "manifest", "_SUCCESS"
#: What the export tool, AWS's and ours, names its files.
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}(\.gz)?")
_MANIFEST_LIMIT = 64 * 1024 * 1024


@dataclass(frozen=True)
class Part:
    """A file that was written."""

    name: str
    items: int
    bytes: int


def is_hidden(name: str) -> bool:
    """Whether Hadoop takes a file for none of the data."""
    return name.startswith(("_", "."))


def is_exported(name: str) -> bool:
    """Whether a run of the export tool has left the file."""
    return _UUID.fullmatch(name) is not None


class OutputDirectory:
    """Takes the files of one run; ``sse`` asks for server-side encryption.

    Two runs at once are told apart by the names of their files. A run removes what it found at its start; the one whose
    files another one has removed fails, instead of leaving a manifest of files that are gone.
    """

    def __init__(self, store: S3Store, place: str, sse: bool) -> None:
        self._store = store
        self._place = parse_uri(place).as_directory()
        self._sse = sse
        self._former = self.names()
        self._run = str(uuid.uuid4())

    def __str__(self) -> str:
        return str(self._place)

    def names(self) -> list[str]:
        """The files directly in the directory."""
        found = (entry.uri.removeprefix(str(self._place)) for entry in self._store.list(str(self._place)))
        return [name for name in found if name and "/" not in name]

    def write(self, name: str, lines: Iterable[bytes], count: Callable[[int], None]) -> Part | None:
        """Write a file of lines, or none when there is no line; ``count`` hears the bytes of each."""
        remaining = iter(lines)
        if (line := next(remaining, None)) is None:
            return None
        items = size = 0
        with self._store.open_writer(str(self._place.child(name)), self._sse) as writer:
            while line is not None:
                writer.write(line)
                items, size = items + 1, size + len(line)
                count(len(line))
                line = next(remaining, None)
        return Part(name, items, size)

    def hive_name(self, number: int) -> str:
        """The name of the run's file with this number, as Hive on EMR gives them."""
        return f"{self._run}_{number:06d}"

    def publish(self, parts: Sequence[Part]) -> None:
        """Switch the directory to these files with a manifest, as the export tool does."""
        urls = [str(self._place.child(part.name)) for part in parts]
        self._store.put_bytes(str(self._place.child(MANIFEST)), manifest(urls), self._sse)
        self.replace(parts, is_exported)
        self._store.put_bytes(str(self._place.child(SUCCESS)), b"", self._sse)

    def replace(self, parts: Sequence[Part], former: Callable[[str], bool]) -> None:
        """Remove the files of former runs, by their names; then see to it that those of this run are still there."""
        names = {part.name for part in parts}
        self.discard(name for name in self._former if former(name) and name not in names)
        if lost := names - set(self.names()):
            raise StoreError(f"another run has removed {len(lost)} files of this one from {self}; run it again alone")

    def discard(self, names: Iterable[str]) -> None:
        """Remove files."""
        self._store.delete([str(self._place.child(name)) for name in names])


def manifest(urls: Sequence[str]) -> bytes:
    """Return the export tool's manifest."""
    entries = ",\n".join(json.dumps({"url": url, "mandatory": True}, separators=(",", ":")) for url in urls)
    return f'{{"name":"DynamoDB-export","version":3,\n"entries": [\n{entries}\n]}}'.encode()


def files_to_read(store: S3Store, place: str) -> list[str]:
    """Return the addresses of the files that an import from a directory reads.

    Those of the manifest if there is one, else all that are not hidden.

    Raises:
        NotFound: there is nothing.
        StoreError: the manifest cannot be read, or there are directories, which an import does not go into.
    """
    directory = parse_uri(place).as_directory()
    uris = [entry.uri for entry in store.list(str(directory))]
    names = [name for uri in uris if (name := uri.removeprefix(str(directory)))]
    if not names:
        raise NotFound(f"there is nothing below {directory}; check the path")
    if MANIFEST in names:
        return _urls(store, str(directory.child(MANIFEST)))
    shown = [name for name in names if not is_hidden(name) and not name.endswith("_$folder$")]
    if inner := next((name for name in shown if "/" in name), None):
        raise StoreError(f"{directory} has the directory {inner.partition('/')[0]!r} in it; import from that one")
    return [str(directory.child(name)) for name in shown]


def _urls(store: S3Store, uri: str) -> list[str]:
    try:
        document = json.loads(store.get_bytes(uri, _MANIFEST_LIMIT))
        return [str(entry["url"]) for entry in document["entries"]]
    except (ValueError, KeyError, TypeError):
        raise StoreError(f"{uri} is not a manifest of an export; name the directory of another one") from None
