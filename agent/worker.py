"""The agent: its threads, and the loop that starts, watches and stops them.

Threads: ``main`` (this loop), ``poll`` (takes tasks), ``slot-N`` (one attempt each), ``lease`` (reports progress),
``heartbeat``; while an attempt has a time-out, ``deadline``. When one of them breaks, the agent stops loudly.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from agent import log
from agent.attempt import Attempt
from agent.drain import Mailbox
from agent.guard import Guard
from agent.heartbeat import Heartbeat
from agent.intake import Intake
from agent.lease import Lease
from agent.running import Running
from agent.source import Handed, TaskSource
from agent.stop import StopReason
from agent.work import Tools
from core.errors import InternalError
from core.settings import AgentSettings

if TYPE_CHECKING:
    from stores.s3 import S3Store

#: Exit statuses of the agent.
STOPPED = 0
BROKEN = 1


@dataclass(frozen=True)
class Limits:
    """When the agent stops by itself."""

    once: bool = False
    #: Seconds without a task.
    idle_exit: float | None = None


class Worker:
    """One agent process; made in the main thread, since it takes the signals from then on."""

    def __init__(
        self, source: TaskSource, settings: AgentSettings, limits: Limits, environment: Mapping[str, str]
    ) -> None:
        self._settings = settings
        self._limits = limits
        self._mailbox = Mailbox()
        self._mailbox.catch_signals()
        self._broken: list[str] = []
        self._drain_asked: str | None = None
        self._draining = False
        self._hurried = False
        self._running = Running()
        self._guard = Guard(settings.kill_grace, settings.output.absolute())
        self._lease = Lease(source, self._running, settings.ownership_window)
        self._heartbeat = Heartbeat(source, settings.heartbeat_interval, lambda: self._ask_drain("terminate"))
        self._tools = Tools(
            source, settings, self._running, self._lease, _store_maker(settings), environment, self._guard.token
        )
        self._intake = Intake(source, settings.tasks, settings.max_polls_per_second, self._work, self._intake_changed)
        self._threads: list[threading.Thread] = []

    def run(self) -> int:
        """Work until asked to stop; returns the exit status. To be called in the main thread, once."""
        self._start("poll", self._intake.poll)
        self._start("lease", self._lease.run)
        self._start("heartbeat", self._heartbeat.run)
        slots = [self._start(f"slot-{number}", self._intake.serve) for number in range(1, self._settings.tasks + 1)]
        self._supervise()
        self._intake.end_slots(len(slots))
        for slot in slots:
            slot.join()
        self._heartbeat.close()
        self._lease.close()
        self._dismiss_guard()
        log.event("agent_stopped", level="ERROR" if self._broken else "INFO", broken=self._broken or None)
        return BROKEN if self._broken else STOPPED

    def _supervise(self) -> None:
        """Return when the drain is over: nothing runs and nothing will be taken."""
        signals = 0
        draining_since: float | None = None
        while draining_since is None or self._intake.busy:
            came, ready = self._mailbox.wait(self._patience(draining_since), self._guard.fileno())
            signals += came
            if ready and not self._broken:
                self._break("guard", "the guard process ended")
            reason = self._reason_to_drain(signals)
            if draining_since is None and reason:
                draining_since = time.monotonic()
                self._draining = True
                log.event("draining", reason=reason, running=self._intake.busy)
                self._intake.stop()
            if draining_since is not None:
                self._hurry(signals, draining_since)

    def _reason_to_drain(self, signals: int) -> str | None:
        if self._broken:
            return "broken"
        if signals:
            return "signal"
        if self._drain_asked:
            return self._drain_asked
        limit = self._limits.idle_exit
        if limit is not None and not self._intake.busy and time.monotonic() - self._intake.idle_since >= limit:
            return "idle"
        return None

    def _hurry(self, signals: int, since: float) -> None:
        """End the running attempts when somebody asked twice, or the drain takes too long."""
        if signals > 2:  # third signal
            log.event("exiting_at_once", level="ERROR", running=self._intake.busy)
            os._exit(BROKEN)
        timeout = self._settings.drain_timeout
        if signals > 1 or self._broken or (timeout is not None and time.monotonic() - since >= timeout):
            if not self._hurried:
                self._hurried = True
                log.event("hurrying", level="WARNING", running=self._intake.busy)
            self._running.stop_all(StopReason.AGENT_STOPPED)

    def _patience(self, draining_since: float | None) -> float | None:
        """Seconds until the loop has to look again without being woken."""
        now = time.monotonic()
        if draining_since is None:
            limit = self._limits.idle_exit
            return None if limit is None else max(0.05, self._intake.idle_since + limit - now)
        timeout = self._settings.drain_timeout
        if timeout is not None and now - draining_since < timeout:
            return draining_since + timeout - now
        return None

    def _work(self, handed: Handed) -> None:
        Attempt(handed, self._tools).run()

    def _intake_changed(self) -> None:
        if self._limits.once:
            self._drain_asked = self._drain_asked or "once"
        if self._drain_asked or self._draining:
            self._mailbox.nudge()

    def _ask_drain(self, reason: str) -> None:
        self._drain_asked = self._drain_asked or reason
        self._mailbox.nudge()

    def _dismiss_guard(self) -> None:
        try:
            self._guard.dismiss()
        except BrokenPipeError:
            log.event("guard_gone", level="ERROR")  # it had died before: that is why the agent stops

    def _start(self, name: str, loop: Callable[[], None]) -> threading.Thread:
        thread = threading.Thread(target=self._watched, args=(name, loop), name=name, daemon=True)
        self._threads.append(thread)
        thread.start()
        return thread

    def _watched(self, name: str, loop: Callable[[], None]) -> None:
        try:
            loop()
        except BaseException as error:  # whatever it was, the agent must not go on without this loop
            log.failure("thread_died", error, thread_name=name)
            self._break(name, f"{type(error).__name__}: {error}")
        self._mailbox.nudge()

    def _break(self, name: str, why: str) -> None:
        self._broken.append(str(InternalError(f"{name}: {why}")))
        self._mailbox.nudge()


def _store_maker(settings: AgentSettings) -> Callable[[], S3Store]:
    @cache
    def store() -> S3Store:
        from stores.s3 import S3Store

        return S3Store(region=settings.region, concurrency=settings.staging_concurrency)

    return store
