"""One publication: the content goes to the shelf, then the pointer to it; or only the pointer goes back."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from core.errors import NotFound, ObjectReplaced, StoreError
from steps_impl.extract.files.source import FileSource
from steps_impl.load.versions.pointer import Pointer, PointerFile, Version, pointed
from steps_impl.load.versions.shelf import Shelf
from steps_impl.load.versions.sums import Content

#: Other publishers that may come first, and seconds of the longest wait after one.
_TRIES, _WAIT = 20, 0.5


@dataclass
class Publication:
    """Points readers to a version. Of several publishers each has its turn; the last one's version is current."""

    shelf: Shelf
    pointer: PointerFile
    keep: int
    cancelled: threading.Event
    #: Whether the pointer was moved, versions that went, and those that could not be taken away.
    moved: bool = False
    removed: list[str] = field(default_factory=list)
    not_removed: list[str] = field(default_factory=list)

    def publish(self, source: FileSource, content: Content) -> Version:
        """Make the content the current version; return that.

        What is current already stays; what is kept from before is pointed to and not sent again.

        Raises:
            StoreError: S3 failed; the pointer is as it was.
            InterruptedError: cancelled; likewise.
        """
        made: list[Version] = []

        def choose(former: Pointer | None) -> Version:
            kept = former.of_content(content.sha256) if former else None
            if kept and self.shelf.holds(kept):
                return kept
            if not made:
                made.append(self.shelf.put(source, content))
            return made[0]

        try:
            current = self._point(choose)
        except BaseException as error:
            for version in made:
                if not self._is_pointed_to(version):
                    self.shelf.discard(version, error)
            raise
        self.not_removed += self.shelf.remove([one.version for one in made if one != current])
        return current

    def go_back(self, name: str) -> Version:
        """Make a version current that is kept from before, by its name or sum; return it.

        Raises:
            NotFound: there is none.
            StoreError: its files are not there as they were published, or S3 failed.
        """

        def choose(former: Pointer | None) -> Version:
            version = former.named(name) if former else None
            if version is None:
                known = ", ".join(one.version for one in former.versions) if former else "none"
                raise NotFound(f"{self.pointer.uri} keeps no version {name!r}; it has: {known}")
            self.shelf.demand(version)
            return version

        return self._point(choose)

    def _point(self, choose: Callable[[Pointer | None], Version]) -> Version:
        for _ in range(_TRIES):
            former, etag = self.pointer.read()
            version = choose(former)
            if former is not None and former.current.version == version.version:
                return version
            if self.cancelled.is_set():
                raise InterruptedError("cancelled before the pointer was moved")
            after = pointed(version, former, self.keep)
            if self._replaced(after, etag):
                self.moved = True
                self._tidy(former, after)
                return version
            self.cancelled.wait(random.uniform(0, _WAIT))  # noqa: S311  # jitter, not a secret
        raise ObjectReplaced(f"{self.pointer.uri} was moved by others {_TRIES} times in between; run the step again")

    def _replaced(self, after: Pointer, etag: str | None) -> bool:
        """Write the pointer; ``False`` when another publisher came first."""
        try:
            self.pointer.replace(after, etag)
        except ObjectReplaced:
            return self.pointer.read()[0] == after  # the answer to a write that was done may have been lost
        return True

    def _tidy(self, former: Pointer | None, after: Pointer) -> None:
        kept = {one.version for one in after.versions}
        gone = [one.version for one in (former.versions if former else ()) if one.version not in kept]
        gone += self.shelf.abandoned({*kept, *gone})
        self.not_removed += self.shelf.remove(gone)
        self.removed += [name for name in gone if name not in self.not_removed]

    def _is_pointed_to(self, version: Version) -> bool:
        """Whether readers may be sent to a version; also when that cannot be known."""
        try:
            former, _ = self.pointer.read()
        except StoreError:
            return True
        return former is not None and former.named(version.version) is not None
