"""Files of others, unpacked on the way: by the end of their names, as COPY is told by its options."""

from __future__ import annotations

import bz2
import io
from collections.abc import Callable
from typing import IO, Any, Final

import zstandard
from isal import igzip, isal_zlib

_gzip: Final[Any] = igzip.open
_OPENERS: dict[str, Callable[[IO[bytes]], IO[bytes]]] = {
    ".gz": lambda file: _gzip(file, "rb"),
    ".bz2": lambda file: bz2.BZ2File(file),
    ".zst": lambda file: io.BufferedReader(zstandard.ZstdDecompressor().stream_reader(file, read_across_frames=True)),
}
#: What reading a broken or cut file raises, beside what the file itself does.
BROKEN: Final[Any] = (EOFError, isal_zlib.error, igzip.BadGzipFile, zstandard.ZstdError)


def unpacked(file: IO[bytes], name: str) -> IO[bytes]:
    """Return the content of a file whose name may end in ``.gz``, ``.bz2`` or ``.zst``; ``file`` stays the caller's."""
    for end, opener in _OPENERS.items():
        if name.endswith(end):
            return opener(file)
    return file
