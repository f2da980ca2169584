"""Where a script comes from: an object in S3 or a file of this machine."""

from __future__ import annotations

from pathlib import Path

from core.errors import NotFound, ParameterError
from stores.s3 import S3Store

#: Longest script that is read, in bytes.
LIMIT = 64 * 1024 * 1024
_SCHEMES = ("s3://", "s3n://", "s3a://")


def is_in_s3(address: str) -> bool:
    """Tell whether an address is one of S3."""
    return address.startswith(_SCHEMES)


def read_script(address: str, store: S3Store) -> str:
    """Return the script at ``s3://bucket/key`` or at a path (with or without ``file:`` before it).

    Raises:
        NotFound: there is none.
        ParameterError: it is not UTF-8 text.
        StoreError: S3 refuses.
    """
    content = store.get_bytes(address, LIMIT) if is_in_s3(address) else _file(address.removeprefix("file:"))
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ParameterError(f"the script {address} is not UTF-8 (at byte {error.start}); save it as UTF-8") from None


def _file(path: str) -> bytes:
    try:
        return Path(path).expanduser().read_bytes()
    except OSError as error:
        raise NotFound(f"cannot read the script {path}: {error.strerror}") from None
