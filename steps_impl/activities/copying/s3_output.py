"""Files that are written to S3: one after the other, and all there at the same moment."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType

from isal import isal_zlib

from stores.s3 import Draft, S3Store

#: Level 1 of ISA-L: 4.5 times the speed of zlib's level 1 at a better ratio.
_LEVEL = 1
_GZIP_WINDOW = 31  # zlib's way to ask for a gzip header
_PUBLISHERS = 16


class OutputFile:
    """One file while it is written."""

    def __init__(self, draft: Draft, *, compressed: bool) -> None:
        self.draft = draft
        self._compressor = isal_zlib.compressobj(_LEVEL, wbits=_GZIP_WINDOW) if compressed else None
        #: Bytes in S3 so far.
        self.bytes = 0

    def write(self, data: bytes) -> None:
        """Take the next bytes."""
        self._send(self._compressor.compress(data) if self._compressor else data)

    def close(self) -> None:
        """Send the rest; the file is not there yet."""
        if self._compressor:
            self._send(self._compressor.flush())
        self.draft.seal()

    def _send(self, data: bytes) -> None:
        self.bytes += len(data)
        if data:
            self.draft.write(data)


class Outputs:
    """The files of one activity: published when the block ends well, dropped when it does not."""

    def __init__(self, store: S3Store, *, encrypted: bool, compressed: bool) -> None:
        self._store, self._encrypted, self._compressed = store, encrypted, compressed
        self.files: list[OutputFile] = []

    @property
    def bytes(self) -> int:
        """Bytes in S3."""
        return sum(file.bytes for file in self.files)

    def create(self, uri: str) -> OutputFile:
        """Begin a file."""
        file = OutputFile(self._store.open_draft(uri, self._encrypted), compressed=self._compressed)
        self.files.append(file)
        return file

    def __enter__(self) -> Outputs:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._for_all(_publish if error is None else lambda file: file.draft.discard())

    def _for_all(self, action: Callable[[OutputFile], None]) -> None:
        if not self.files:
            return
        with ThreadPoolExecutor(min(_PUBLISHERS, len(self.files)), thread_name_prefix="s3-publish") as pool:
            list(pool.map(action, self.files))


def _publish(file: OutputFile) -> None:
    try:
        file.draft.publish()
    except BaseException:
        file.draft.discard()
        raise
