"""One file while it is written."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any

from steps_impl.extract.codecs import Codec
from steps_impl.extract.manifest import Part
from steps_impl.extract.outputs import Output, Sink

_PIECE = 1 << 18  # bytes of rows handed to the codec and to the output at once
_AHEAD = 3  # pieces that may wait for the codec and the output


class OpenPart:
    """A thread of its own encodes, compresses and writes, while the next rows are read; several may bring rows."""

    def __init__(self, output: Output, name: str, codec: Codec) -> None:
        self._name = name
        self._codec = codec
        self._stack = ExitStack()
        self._sink: Sink = self._stack.enter_context(output.create(name))
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=f"write {name}")
        self._lock = threading.Lock()
        self._under_way: deque[Future[None]] = deque()
        self._waiting: list[Any] = []
        self._size = 0
        self._written = 0
        self._rows = 0

    def write(self, content: Any, rows: int, size: int) -> None:
        """Take a chunk of rows of about ``size`` bytes."""
        with self._lock:
            self._rows += rows
            self._waiting.append(content)
            self._size += size
            if self._size >= _PIECE:
                self._drain()

    def close(self) -> Part:
        """Write what is left; the file is there as a whole afterwards, or, after an error, not at all."""
        try:
            with self._lock:
                self._drain()
                self._hand_over(lambda _: self._codec.finish(), None)
                self._wait_until(0)
            self._thread.shutdown()
            self._stack.close()
        except BaseException as error:
            self.abandon(error)
            raise
        return Part(self._name, self._written, self._rows)

    def abandon(self, error: BaseException) -> None:
        """Drop the file."""
        self._thread.shutdown(cancel_futures=True)
        self._stack.__exit__(type(error), error, error.__traceback__)

    def _drain(self) -> None:
        pieces = self._waiting
        self._waiting, self._size = [], 0
        if pieces:
            self._hand_over(self._codec.feed, pieces)

    def _hand_over(self, make: Callable[[Any], bytes], content: Any) -> None:
        """Let the thread make the file's next bytes and write them; wait while too much is under way."""
        self._wait_until(_AHEAD - 1)
        self._under_way.append(self._thread.submit(self._put, make, content))

    def _wait_until(self, count: int) -> None:
        while len(self._under_way) > count:
            self._under_way.popleft().result()

    def _put(self, make: Callable[[Any], bytes], content: Any) -> None:
        if data := make(content):
            self._sink.write(data)
            self._written += len(data)
