"""Encoded chunks of rows to several even files, compressed on the way; the files of a failed run are removed."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from types import TracebackType
from typing import Any, Literal, Protocol

from isal import isal_zlib

from core.errors import StoreError
from steps_impl.extract.manifest import Part
from steps_impl.extract.outputs import Output, Sink

Compression = Literal["none", "gzip"]
#: Level 1 of ISA-L: 4.5 times the speed of zlib's level 1 at a better ratio.
_LEVEL = 1
_GZIP_WINDOW = 31  # zlib's way to ask for a gzip header
_PIECE = 1 << 18  # bytes handed to the compressor and to the output at once
_AHEAD = 3  # pieces that may wait for the compressor and the output


class _Compressor(Protocol):
    def compress(self, data: bytes, /) -> bytes: ...

    def flush(self) -> bytes: ...


class _OpenPart:
    """One file while it is written; a thread of its own compresses and writes, while the next rows are encoded."""

    def __init__(self, output: Output, name: str, compressor: _Compressor | None) -> None:
        self._name = name
        self._compressor = compressor
        self._stack = ExitStack()
        self._sink: Sink = self._stack.enter_context(output.create(name))
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=f"write {name}")
        self._under_way: deque[Future[None]] = deque()
        self._waiting: list[bytes] = []
        self._size = 0
        self._written = 0
        self.rows = 0

    def write(self, text: bytes, rows: int) -> None:
        self.rows += rows
        self._waiting.append(text)
        self._size += len(text)
        if self._size >= _PIECE:
            self._drain()

    def close(self) -> Part:
        self._drain()
        if self._compressor:
            self._hand_over(lambda compressor: compressor.flush(), self._compressor)
        self._wait_until(0)
        self._thread.shutdown()
        self._stack.close()
        return Part(self._name, self._written, self.rows)

    def abandon(self, error: BaseException) -> None:
        self._thread.shutdown(cancel_futures=True)
        self._stack.__exit__(type(error), error, error.__traceback__)

    def _drain(self) -> None:
        text = b"".join(self._waiting)
        self._waiting, self._size = [], 0
        self._hand_over(self._compressor.compress if self._compressor else bytes, text)

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


class PartWriter:
    """Writes ``part-<run>-0000.tsv.gz`` and so on; a context manager that removes all of them when its block fails.

    ``sizes`` are the rows of each file; the last one takes what is left.
    """

    def __init__(self, output: Output, run: str, extension: str, compression: Compression, sizes: list[int]) -> None:
        self._output = output
        self._prefix = f"part-{run}-"
        self._suffix = f".{extension}" + (".gz" if compression == "gzip" else "")
        self._compressed = compression == "gzip"
        self._sizes = sizes
        self._parts: list[Part] = []
        self._open: _OpenPart | None = None
        self._names: list[str] = []

    def room(self) -> int:
        """Return how many rows the current file still takes (a very large number for the last one)."""
        return self._current_limit() - (self._open.rows if self._open else 0)

    def write(self, text: bytes, rows: int) -> None:
        """Write a chunk of at most ``room()`` rows."""
        if self._open is None:
            self._open = self._begin()
        self._open.write(text, rows)
        if self._open.rows >= self._current_limit():
            self._finish_part()

    def finish(self) -> list[Part]:
        """Close the last file and return all; an extract without rows has one empty file."""
        if self._open is None and not self._parts:
            self._open = self._begin()
        self._finish_part()
        return self._parts

    def _begin(self) -> _OpenPart:
        name = f"{self._prefix}{len(self._names):04d}{self._suffix}"
        self._names.append(name)
        return _OpenPart(
            self._output, name, isal_zlib.compressobj(_LEVEL, wbits=_GZIP_WINDOW) if self._compressed else None
        )

    def _finish_part(self) -> None:
        if self._open is not None:
            self._parts.append(self._open.close())
            self._open = None

    def _current_limit(self) -> int:
        return self._sizes[len(self._parts)] if len(self._parts) < len(self._sizes) - 1 else 1 << 62

    def __enter__(self) -> PartWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            return
        try:
            if self._open is not None:
                self._open.abandon(error)
        finally:
            self._remove_quietly(error)

    def _remove_quietly(self, error: BaseException) -> None:
        try:
            self._output.remove(self._names)
        except StoreError as second:
            error.add_note(f"files of this run are left behind ({second}); names begin with {self._prefix}")


def even_sizes(rows: int, files: int) -> list[int]:
    """Return the rows of each file, differing by at most one; never more files than rows, at least one file."""
    count = max(1, min(files, rows))
    return [math.ceil((rows - index) / count) for index in range(count)]
