"""What Python has no call for: prctl(2)."""

from __future__ import annotations

import ctypes
import os

_SET_NAME = 15
_SET_CHILD_SUBREAPER = 36
_LIBC = ctypes.CDLL(None, use_errno=True)


def become_subreaper() -> None:
    """Let descendants whose parent has died become children of this process, instead of the machine's first."""
    _prctl(_SET_CHILD_SUBREAPER, 1)


def name_process(name: str) -> None:
    """Show this process under ``name`` (at most 15 bytes) in ``ps`` and ``top``."""
    _prctl(_SET_NAME, name.encode())


def _prctl(option: int, argument: int | bytes) -> None:
    if _LIBC.prctl(option, argument, 0, 0, 0):
        number = ctypes.get_errno()
        raise OSError(number, f"prctl {option}: {os.strerror(number)}")
