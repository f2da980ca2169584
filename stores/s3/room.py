"""Whether a file system has room for what is to be downloaded, asked before the first byte."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from core.errors import DiskFull
from stores.s3.faults import local_file


def require_room(sizes: Sequence[int], entries: int, directory: Path, reserve: int) -> None:
    """Check that files of these sizes (bytes) and ``entries`` files and directories fit, with ``reserve`` bytes left.

    Raises:
        DiskFull: they do not; nothing was written.
    """
    with local_file(directory):
        status = os.statvfs(directory)
    block = status.f_frsize or 4096
    needed = sum(-(-size // block) * block for size in sizes)
    free = status.f_bavail * block
    if needed + reserve > free:
        raise DiskFull(
            f"{directory} has {_readable(free)} free, but the input needs {_readable(needed)} and "
            f"{_readable(reserve)} are kept free (minimum_free_disk); free space or use a larger disk"
        )
    if status.f_files and entries > status.f_favail:  # some file systems do not count inodes: f_files is 0
        raise DiskFull(f"{directory} has room for {status.f_favail} more files, but the input has {entries}")


def _readable(size: int) -> str:
    value = float(size)
    for unit in ("bytes", "KiB", "MiB", "GiB"):
        if value < 1024:
            return f"{value:.0f} {unit}"
        value /= 1024
    return f"{value:.1f} TiB"
