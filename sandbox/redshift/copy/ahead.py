"""Reading ahead: the next blocks are fetched while the last ones are loaded."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from typing import Final

_AHEAD: Final = 4  # blocks
_PATIENCE: Final = 0.2  # seconds between two looks whether anybody still reads


def read_ahead(blocks: Iterator[bytes]) -> Iterator[bytes]:
    """Yield the blocks of an iterator that runs in a thread of its own; it ends when this one is closed early."""
    return _Ahead(blocks).items()


class _Ahead:
    """A thread that asks an iterator for its next few items before they are wanted."""

    def __init__(self, blocks: Iterator[bytes]) -> None:
        self._blocks = blocks
        self._ready: queue.Queue[bytes | BaseException | None] = queue.Queue(_AHEAD)
        self._abandoned = threading.Event()
        threading.Thread(target=self._work, name="redshift-copy-reader", daemon=True).start()

    def _work(self) -> None:
        try:
            for block in self._blocks:
                if not self._put(block):
                    return
            self._put(None)
        except BaseException as error:
            self._put(error)  # raised where the block is wanted

    def _put(self, item: bytes | BaseException | None) -> bool:
        while not self._abandoned.is_set():
            try:
                self._ready.put(item, timeout=_PATIENCE)
            except queue.Full:
                continue
            return True
        return False

    def items(self) -> Iterator[bytes]:
        """Yield the items; ends the thread when it is closed early."""
        try:
            while (item := self._ready.get()) is not None:
                if isinstance(item, BaseException):
                    raise item
                yield item
        finally:
            self._abandoned.set()
