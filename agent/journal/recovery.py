"""After a death: ends what dead agents have left running, and says at once how their attempts ended.

Without it a killed agent's tasks would stay RUNNING at the service for 5 to 15 minutes, whatever had become of them.

An attempt whose end is in the journal is reported as it ended; one that was interrupted is reported FAILED
(``AttemptInterrupted``), so that the service tries again. Past the ownership window nothing is reported: by then the
service has given the task to somebody else, who may use the same handle.
"""

from __future__ import annotations

import json
import os
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from agent import log, report
from agent.journal.entry import Record
from agent.journal.journal import ABOUT, remove_empty, take_lock
from agent.journal.reading import Left, read_entries
from agent.logs.copies import upload_logs
from agent.observer import Ended
from agent.processes.guard_process import remove_directories
from agent.processes.leftovers import ChildRecord, end_leftovers
from agent.running import Held
from agent.source import Verdict
from agent.task import digest, known_task
from core.clock import uptime
from core.errors import AttemptInterrupted

if TYPE_CHECKING:
    from agent.tools import Tools

#: What no agent of its endpoint has taken over for so long is removed: no service knows these tasks any more.
EXPIRED = 15 * 86_400.0  # seconds


class Recovery:
    """Takes over the journals below ``output`` whose agents are dead; reports in a thread of its own."""

    def __init__(self, tools: Tools, endpoint: str) -> None:
        self._tools = tools
        self._window = tools.settings.ownership_window
        self._endpoint = endpoint
        self._output = tools.settings.output.absolute()
        self._taken: list[tuple[Path, int, list[Left]]] = []
        self._closed = threading.Event()

    def take_over(self, own: str) -> None:
        """End what dead agents have left running and staged; ``own`` is the token of this agent.

        Called before the first poll: no attempt may run beside its own retry.
        """
        for directory in _others(self._output / "journal", own):
            lock = take_lock(directory)
            if lock is None:
                continue
            entries = read_entries(directory)
            ended = end_leftovers(directory.name, _children(entries), self._tools.settings.kill_grace)
            remove_directories(directory.name, str(self._output))
            log.event("journal_taken_over", agent=directory.name, attempts=len(entries), ended=ended)
            self._taken.append((directory, lock, entries))

    def run(self) -> None:
        """Report what is owed; returns when that is done or ``close`` was called."""
        for directory, lock, entries in self._taken:
            if self._is_ours(directory):
                for left in entries:
                    self._report(left)
            else:
                _drop_expired(entries)
            remove_empty(directory)
            os.close(lock)

    def close(self) -> None:
        """Begin no other report."""
        self._closed.set()

    def _is_ours(self, directory: Path) -> bool:
        """Say whether the dead agent had its tasks from the service that this one asks."""
        try:
            about = json.loads((directory / ABOUT).read_text(encoding="utf-8"))
            endpoint = about["endpoint"]
        except (OSError, ValueError, KeyError, TypeError) as error:
            log.event("journal_unreadable", level="ERROR", path=str(directory / ABOUT), error=str(error))
            return False
        if endpoint != self._endpoint:
            log.event("journal_of_another_service", level="WARNING", agent=directory.name, endpoint=endpoint)
        return bool(endpoint == self._endpoint)

    def _report(self, left: Left) -> None:
        if self._closed.is_set():
            return
        record = left.record
        key = (record.pipeline_id, record.attempt_id)
        held = Held(self._tools.group, record.task_id, key, self._tools.settings.report_interval)
        held.last_contact = uptime() - left.silent
        held.next_report = uptime()
        if not self._tools.running.claim_if_free(held):
            left.path.unlink(missing_ok=True)  # it has come again and is being worked on: that end counts
            return
        self._tools.lease.watch(held)
        try:
            verdict = left.owed or _interrupted(left)
            taken = report.send(held, verdict, self._window)
        finally:
            self._tools.running.release(held)
            held.stop.close()
        left.path.unlink(missing_ok=True)
        self._tell(left, verdict, verdict.outcome if taken else "not_taken")
        if record.log_uri:
            upload_logs(self._tools.store, record.log_uri, Path(record.logs), digest(record.task_id))

    def _tell(self, left: Left, verdict: Verdict, outcome: str) -> None:
        record = left.record
        log.event(
            "attempt_recovered",
            level="WARNING",
            task=digest(record.task_id),
            pipeline=record.pipeline_id,
            attempt=record.attempt_id,
            status=outcome,
            error_id=verdict.error_id or None,
        )
        task = known_task(record.task_id, record.pipeline_id, record.attempt_id, record.component, record.type)
        self._tools.observers.ended(
            Ended(
                group=record.group,
                task=task,
                verdict=verdict,
                outcome=outcome,
                seconds=max(0.0, time.time() - record.began),
                usage=None,
                last_lines="",
                logs=_place(record),
            )
        )


def _interrupted(left: Left) -> Verdict:
    record = left.record
    error = AttemptInterrupted(
        f"the worker on {socket.gethostname()} died while {record.component} was running; what it had begun was ended"
    )
    return report.failed(error, logs=_place(record))


def _place(record: Record) -> str:
    place = f"{record.logs} on {socket.gethostname()}"
    return f"{record.log_uri} or {place}" if record.log_uri else place


def _children(entries: list[Left]) -> list[ChildRecord]:
    return [child for left in entries for child in left.children]


def _others(root: Path, own: str) -> Iterator[Path]:
    if root.is_dir():
        yield from sorted(path for path in root.iterdir() if path.name != own and not path.name.startswith("."))


def _drop_expired(entries: list[Left]) -> None:
    for left in entries:
        if time.time() - left.path.stat().st_mtime > EXPIRED:
            left.path.unlink(missing_ok=True)
