"""A folder in S3 that is written beside its place and then takes it."""

from __future__ import annotations

import threading

from stores.s3 import Copy, S3Store, TransferTotals, parse_uri

#: The empty file that Hadoop's jobs leave when they have finished.
MARKER = "_SUCCESS"


class Publication:
    """The folder ``target`` (with a slash at its end); until it is published its files are below ``draft``."""

    def __init__(
        self, store: S3Store, target: str, mark: str, encrypted: bool, cancelled: threading.Event | None = None
    ) -> None:
        self._store = store
        self._target = parse_uri(target)
        self._encrypted = encrypted
        self._cancelled = cancelled
        #: Where the files are written: not inside the target, where a reader of it would find them.
        self.draft = f"{target.rstrip('/')}_{mark}"

    def publish(self) -> TransferTotals:
        """Copy the files to their place inside S3, all of them visible at once; remove those of before.

        The marker of a finished job goes first and comes last, so that who waits for it never sees a half.
        """
        draft = parse_uri(self.draft + "/")
        written = [parse_uri(item.uri) for item in self._store.list(str(draft))]
        copies = [
            Copy(source, self._target.child(source.key.removeprefix(draft.key)), self._encrypted)
            for source in written
            if not source.key.endswith("/")
        ]
        marker = self._target.child(MARKER)
        files = [copy for copy in copies if copy.target != marker]
        before = {item.uri for item in self._store.list(str(self._target))}
        totals = self._store.copy_many(files, self._cancelled, lambda: self._store.delete([str(marker)]))
        self._store.delete(before - {str(copy.target) for copy in files} - {str(self._target)})
        self._store.copy_many([copy for copy in copies if copy.target == marker], self._cancelled)
        self.discard()
        return totals

    def discard(self) -> None:
        """Remove the draft; harmless when there is none."""
        self._store.delete([item.uri for item in self._store.list(f"{self.draft}/")])
        self._store.delete([self.draft + "_$folder$"])
