"""The document that says which version is the current one, and which others there are to go back to.

It is replaced by conditional writes alone: a publisher that has read an older one than that which is there begins
again. (S3 API Reference, PutObject, ``If-Match`` and ``If-None-Match``.)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from core.errors import NotFound, UnsupportedValue
from stores.s3 import S3Store

#: Bytes of the largest pointer that is read.
_LIMIT = 64 << 20


class PublishedFile(BaseModel):
    """One file of a version; ``url`` is where it is."""

    model_config = ConfigDict(frozen=True)

    name: str
    url: str
    sha256: str
    bytes: int


class Version(BaseModel):
    """One version; ``sha256`` is that of its only file, or of its ``SHA256SUMS``; ``published`` is a time in UTC."""

    model_config = ConfigDict(frozen=True)

    version: str
    sha256: str
    bytes: int
    published: str
    files: tuple[PublishedFile, ...]


class Pointer(BaseModel):
    """What readers read: the current version, and all that are kept, the last published first."""

    model_config = ConfigDict(frozen=True)

    pointer: Literal[1] = 1
    current: Version
    versions: tuple[Version, ...]

    def of_content(self, sha256: str) -> Version | None:
        """Return the kept version with this content."""
        return next((version for version in self.versions if version.sha256 == sha256), None)

    def named(self, text: str) -> Version | None:
        """Return the kept version with this name or sum."""
        return next((version for version in self.versions if text in (version.version, version.sha256)), None)


def pointed(version: Version, former: Pointer | None, keep: int) -> Pointer:
    """Return the pointer to a version, with at most ``keep`` of those that were there; the current one always stays."""
    others = [one for one in (former.versions if former else ()) if one.version != version.version]
    is_new = former is None or all(one.version != version.version for one in former.versions)
    ordered: Sequence[Version] = [version, *others] if is_new or former is None else former.versions
    kept = list(ordered[:keep])
    if version not in kept:
        kept[-1] = version
    return Pointer(current=version, versions=tuple(kept))


@dataclass(frozen=True)
class PointerFile:
    """The document in S3."""

    store: S3Store
    uri: str

    def read(self) -> tuple[Pointer | None, str | None]:
        """Return what it says and its ETag; nothing when it is not there.

        Raises:
            UnsupportedValue: something else is there.
        """
        try:
            content, etag = self.store.get_tagged(self.uri, _LIMIT)
        except NotFound:
            return None, None
        try:
            return Pointer.model_validate_json(content), etag
        except ValidationError:
            raise UnsupportedValue(f"{self.uri} is no pointer of this step; name another file with --pointer") from None

    def replace(self, pointer: Pointer, etag: str | None) -> None:
        """Write over the version with this ETag; ``ObjectReplaced`` when there is another one."""
        self.store.put_over(self.uri, pointer.model_dump_json(indent=1).encode(), etag, "application/json")
