"""What the kernel's log says of the processes that it had to end for want of memory."""

from __future__ import annotations

import os
import re
import time

_LOG = "/dev/kmsg"
#: Longest record (Documentation/ABI/testing/dev-kmsg).
_RECORD = 8192  # bytes
_VICTIM = re.compile(rb"[Oo]ut of memory.*?: Killed process (\d+) \(([^)]*)\).*?anon-rss:(\d+)kB")


def last_victim(began: float) -> str | None:
    """Return who was ended last since ``began`` (``time.time()``), with its size; ``None`` when we may not know."""
    since = time.monotonic() - (time.time() - began)
    try:
        fd = os.open(_LOG, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        return _last(fd, since)
    finally:
        os.close(fd)


def _last(fd: int, since: float) -> str | None:
    found = None
    while True:
        try:
            record = os.read(fd, _RECORD)
        except BlockingIOError:
            return found
        except BrokenPipeError:  # it was overwritten while we read; the next one is there
            continue
        head, _, text = record.partition(b";")
        if float(head.split(b",")[2]) / 1_000_000 >= since and (victim := _VICTIM.search(text)):
            name = victim[2].decode("utf-8", "replace")
            found = f"process {int(victim[1])} ({name}, {int(victim[3]) // 1000} MB)"
