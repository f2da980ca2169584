r"""How the values of a CSV or TSV stand in its files, told from the files themselves.

Data Pipeline's CSV comes in two ways: without quotes, a backslash before what is text and ``\n`` for NULL (as AWS
documents CopyActivity, and as ours writes), or with quotes (RFC 4180) and ``\N``; Hive writes ``\N`` without quotes.
COPY has to be told which. The files are read up to the first value that tells, most often within the first block; a
file without any such value reads the same either way.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO, cast

from isal import igzip

from core.errors import StagingFailed
from stores.s3 import S3Store

_BLOCK = 1 << 20  # bytes
#: Bytes at the end of a block that are looked at again with the next one: a value may lie across.
_OVERLAP = 8
_GzipFile: Any = igzip.IGzipFile
_LAST_LINE = b"\n\n\n"


@dataclass(frozen=True)
class Dialect:
    """What the files told; nothing when they hold neither quotes nor NULL."""

    #: Values stand in double quotes.
    quoted: bool = False
    #: The text of NULL is a backslash and a small n, as AWS documents CopyActivity.
    documented_null: bool = False
    #: There are backslashes that are not COPY's own text of NULL.
    escapes: bool = False


def look(
    store: S3Store, files: Iterable[str], separator: str, *, quotes: bool, gzip: bool, cancelled: threading.Event
) -> Dialect:
    """Read the files up to the first value that tells; ``quotes`` says whether the format knows any.

    Raises:
        StoreError: S3 does not give them.
        StagingFailed: a file is not gzip.
        InterruptedError: the step was cancelled.
    """
    evidence = _evidence(separator.encode(), quotes=quotes)
    backslashes = 0  # that are not of NULL
    for uri in files:
        rest = b"\n"  # a file begins as a line does
        for block in _blocks(store, uri, gzip=gzip, cancelled=cancelled):
            text = rest + block
            match = evidence.search(text) if _may_tell(text) else None
            if match and match.end() < len(text) - len(_LAST_LINE):
                return _told(match)
            backslashes += block.count(b"\\") - (_last_backslash(rest) + block).count(rb"\N")
            rest = text[_tail(text) :]
        if match := evidence.search(rest + _LAST_LINE):
            return _told(match)
    return Dialect(escapes=backslashes > 0)


def _evidence(separator: bytes, *, quotes: bool) -> re.Pattern[bytes]:
    r"""Match a separator or line end that no backslash hides, and behind it a quote or a value ``\n``."""
    ends = re.escape(separator) + rb"\n"
    quote = rb"\"|" if quotes else rb""
    return re.compile(rb"(?<!\\)(?:\\\\)*[" + ends + rb"](" + quote + rb"\\n(?=[" + ends + rb"]|\r\n))")


def _may_tell(text: bytes) -> bool:
    return b'"' in text or rb"\n" in text


def _told(match: re.Match[bytes]) -> Dialect:
    quoted = match[1] == b'"'
    return Dialect(quoted=quoted, documented_null=not quoted, escapes=not quoted)


def _last_backslash(text: bytes) -> bytes:
    return text[-1:] if text.endswith(b"\\") else b""


def _tail(text: bytes) -> int:
    """Return where the bytes begin that are looked at again; never behind a backslash."""
    start = max(len(text) - _OVERLAP, 0)
    while start and text[start - 1] == 0x5C:
        start -= 1
    return start


def _blocks(store: S3Store, uri: str, *, gzip: bool, cancelled: threading.Event) -> Iterator[bytes]:
    with store.open_reader(uri) as reader:
        stream = cast(BinaryIO, _GzipFile(fileobj=reader, mode="rb")) if gzip else reader
        while True:
            if cancelled.is_set():
                raise InterruptedError
            try:
                block = stream.read(_BLOCK)
            except (OSError, EOFError) as error:
                raise StagingFailed(f"{uri} cannot be unpacked; is it gzip? ({type(error).__name__})") from None
            if not block:
                return
            yield block
