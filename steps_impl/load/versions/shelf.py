"""The folder of versions in S3: a new one is put there and checked, old ones are taken away."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Literal

from core.errors import DuctrunnerError, StoreError
from steps_impl.extract.files.source import FileSource
from steps_impl.extract.outputs import S3Output
from steps_impl.load.versions.pointer import PublishedFile, Version
from steps_impl.load.versions.sums import Content, sum_of
from stores.s3 import S3Store

Verify = Literal["checksum", "size"]
_FOLDER = "versions/"
_TIME = "%Y%m%dT%H%M%SZ"
#: A version that no pointer names is left of a publisher that was killed, once it is as old as this.
_ABANDONED = timedelta(days=1)
_READERS = 4


class Shelf:
    """The versions below a target; ``look`` raises to end the work."""

    def __init__(self, store: S3Store, output: S3Output, verify: Verify, look: Callable[[], None]) -> None:
        self._store, self._output, self._verify, self._look = store, output, verify, look

    def put(self, source: FileSource, content: Content) -> Version:
        """Upload a new version, its sums last, and look whether it arrived; nothing of it stays if it did not.

        Raises:
            StoreError: S3 failed, or what arrived is not what was read.
        """
        now = datetime.now(UTC)
        name = f"{now:{_TIME}}-{content.sha256[:12]}-{secrets.token_hex(4)}"
        version = Version(
            version=name,
            sha256=content.sha256,
            bytes=content.size,
            published=now.isoformat(timespec="seconds"),
            files=tuple(
                PublishedFile(
                    name=one.file.name, url=self._url(name, one.file.name), sha256=one.sha256, bytes=one.file.size
                )
                for one in content.files
            ),
        )
        try:
            source.deliver([one.file for one in content.files], self._output, f"{_FOLDER}{name}/")
            self._store.put_bytes(self._url(name, content.sums_name), content.sums(), content_type="text/plain")
            self.demand(version)
        except BaseException as error:
            self.discard(version, error)
            raise
        return version

    def demand(self, version: Version) -> None:
        """Look whether a version is there as it was published.

        Raises:
            StoreError: a file is missing, or is another one.
        """
        there = {item.uri: item.size for item in self._store.list(self._url(version.version, ""))}
        for file in version.files:
            if there.get(file.url) != file.bytes:
                raise StoreError(f"{file.url} is not there as it was published; publish it again")
        if self._verify == "checksum":
            with ThreadPoolExecutor(_READERS, thread_name_prefix="verify") as pool:
                list(pool.map(self._demand_content, version.files))

    def holds(self, version: Version) -> bool:
        """Whether all files of a version are there."""
        try:
            self.demand(version)
        except StoreError:
            return False
        return True

    def remove(self, versions: Collection[str]) -> list[str]:
        """Take versions away; return those that could not be, which harms nobody."""
        return [name for name in versions if not self._removed(name)]

    def discard(self, version: Version, error: BaseException) -> None:
        """Take a version away that was not published, because of an error."""
        if self.remove([version.version]):
            error.add_note(f"files are left behind in {self._url(version.version, '')}")

    def abandoned(self, known: Collection[str]) -> list[str]:
        """Return the versions that are not ``known`` and were begun long ago."""
        start = self._output.location(_FOLDER)
        names = {item.uri.removeprefix(start).partition("/")[0] for item in self._store.list(start)}
        return sorted(name for name in names - set(known) if _is_old(name))

    def _demand_content(self, file: PublishedFile) -> None:
        with closing(self._store.open_reader(file.url)) as content:
            if sum_of(content, self._look) != file.sha256:
                raise StoreError(
                    f"{file.url} has not the content that was read; it changed in between, publish it again"
                )

    def _removed(self, name: str) -> bool:
        try:
            self._store.delete([item.uri for item in self._store.list(self._url(name, ""))])
        except DuctrunnerError:
            return False
        return True

    def _url(self, version: str, name: str) -> str:
        return self._output.location(f"{_FOLDER}{version}/{name}")


def _is_old(name: str) -> bool:
    try:
        begun = datetime.strptime(name.partition("-")[0], _TIME).replace(tzinfo=UTC)
    except ValueError:  # not ours
        return False
    return datetime.now(UTC) - begun > _ABANDONED
