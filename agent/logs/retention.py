"""How long local logs are kept: by age, by number, by share of the disk; and what dead agents have left goes too.

Never touched: attempts that are in a journal (they run, here or in another agent, or are still to be reported), logs of
which CloudWatch has not had everything (``logging.backlog_limit`` bounds these), and whatever a symbolic link leads to.
A walk goes through all logs without keeping a list of them, with pauses; there is one at the start, every few hours,
and when a limit is passed or the disk is short.
"""

from __future__ import annotations

import shutil
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from agent import log
from agent.logs.hourly_files import pack_agent_files, remove_agent_files
from agent.logs.leftovers import in_journals, remove_left
from agent.logs.notes import noted_files
from agent.logs.old_logs import OldLog, find_logs, remove_log
from agent.logs.output import OutputFile
from core.sections.telling import LoggingSettings

#: Seconds between looks at whether something is to be done.
LOOK = 60.0
#: Most and fewest seconds between two walks that nothing urges.
LONGEST, SHORTEST = 6 * 3600.0, 600.0
#: Walks in the time that logs are kept.
WALKS = 50
#: A walk rests for ``REST`` seconds after so many attempts.
STRIDE, REST = 100, 0.005
#: Ages are counted in steps of so many seconds.
STEP = 60.0
DAY = 86_400.0
SLACK = 1.1


@dataclass(frozen=True)
class Border:
    """What is to be removed: everything before ``time``, then the oldest of the next step until enough is gone."""

    time: float
    attempts: int = 0
    bytes: float = 0


class Retention:
    """The loop; a ``Side`` of the agent. ``minimum_free`` is how many bytes tasks need on the disk."""

    name = "retention"

    def __init__(self, settings: LoggingSettings, output: Path, minimum_free: int) -> None:
        self._settings = settings
        self._output = output
        self._root = str(output / "logs")
        self._minimum_free = minimum_free
        self._closed = threading.Event()
        self._lock = threading.Lock()
        #: Attempts and their bytes, as of the last walk and with what has been added since.
        self._attempts = 0
        self._bytes = 0

    def added(self, files: Sequence[OutputFile]) -> None:
        """An attempt has ended, or a precondition was evaluated, and these are its logs."""
        with self._lock:
            self._attempts += all(file.fresh for file in files)
            self._bytes += sum(file.size - file.begin for file in files)

    def run(self) -> None:
        """Look at the start and from time to time, until closed."""
        next_walk, last, packed = 0.0, -SHORTEST, -SHORTEST
        while not self._closed.is_set():
            now = time.monotonic()
            if now - packed >= SHORTEST:
                pack_agent_files(self._root, time.time(), lambda: noted_files(self._output))
                packed = now
            if now >= next_walk or (now - last >= SHORTEST and self._urgent()):
                self.sweep()
                last = time.monotonic()
                next_walk = last + min(LONGEST, max(SHORTEST, self._settings.keep_days * DAY / WALKS))
            self._closed.wait(LOOK)

    def close(self) -> None:
        """Let ``run`` return."""
        self._closed.set()

    def sweep(self) -> None:
        """Remove what is to be kept no longer."""
        now = time.time()
        remove_left(self._output, now)
        noted = noted_files(self._output)
        remove_agent_files(self._root, now - self._settings.keep_days * DAY, noted)
        self._remove(self._border(now), now)

    def _urgent(self) -> bool:
        """Whether a limit is passed by a tenth (a walk costs the same for one log as for all), or the disk is short."""
        with self._lock:
            attempts, size = self._attempts / SLACK, self._bytes / SLACK
        return attempts > self._settings.keep_attempts or size > self._room() or self._missing() > 0

    def _room(self) -> float:
        """Bytes that logs may take."""
        return self._settings.keep_disk_share * shutil.disk_usage(self._output).total

    def _missing(self) -> int:
        """Bytes that are to be freed so that there is room for tasks and some more."""
        return max(0, 2 * self._minimum_free - shutil.disk_usage(self._output).free)

    def _border(self, now: float) -> Border:
        """Walk through the logs and decide which go."""
        counts, sizes = Counter[int](), Counter[int]()
        for found in self._walk():
            step = int(found.time // STEP)
            counts[step] += 1
            sizes[step] += found.size
        with self._lock:
            self._attempts, self._bytes = counts.total(), sizes.total()
        attempts = counts.total() - self._settings.keep_attempts
        size = max(sizes.total() - self._room(), self._missing())
        border = now - self._settings.keep_days * DAY
        for step in sorted(counts):
            if counts[step] > attempts and sizes[step] > size:  # not all of it has to go
                return Border(max(border, step * STEP), max(0, attempts), max(0.0, size))
            attempts, size = attempts - counts[step], size - sizes[step]
        return Border(now if counts else border)

    def _remove(self, border: Border, now: float) -> None:
        kept = in_journals(self._output) | {str(Path(file).parent) for file in noted_files(self._output)}
        attempts, freed = 0, 0
        for found in self._condemned(border):
            if found.path in kept:
                continue
            try:
                remove_log(found, now)
            except OSError as error:
                log.event("logs_not_removed", level="WARNING", path=found.path, error=error.strerror)
                continue
            attempts, freed = attempts + 1, freed + found.size
        if attempts:
            with self._lock:
                self._attempts, self._bytes = self._attempts - attempts, self._bytes - freed
            log.event("logs_removed", attempts=attempts, bytes=freed)

    def _condemned(self, border: Border) -> Iterator[OldLog]:
        """Walk again: what lies before the border at once, then what is still needed of the step behind it."""
        next_step: list[OldLog] = []
        for found in self._walk():
            if found.time < border.time:
                yield found
            elif found.time < border.time + STEP and (border.attempts or border.bytes):
                next_step.append(found)
        attempts, size = border.attempts, border.bytes
        for found in sorted(next_step, key=lambda found: found.time):
            if attempts <= 0 and size <= 0:
                return
            attempts, size = attempts - 1, size - found.size
            yield found

    def _walk(self) -> Iterator[OldLog]:
        for number, found in enumerate(find_logs(self._root), start=1):
            yield found
            if number % STRIDE == 0 and self._closed.wait(REST):
                return
