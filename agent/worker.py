"""The agent: its threads, and the loop that starts, watches and stops them.

Threads: ``main`` (this loop), ``poll`` (takes tasks), ``slot-N`` (one attempt each), ``precondition-N`` (one evaluation
each), ``preconditions`` (ends those that wait), ``lease`` (reports progress),
``heartbeat``, and the sides that it is given (``machine``, ``metrics``, ``status`` and ``systemd`` of health); while an
attempt has a time-out, ``deadline``. When one of them breaks, the agent stops loudly.
"""

from __future__ import annotations

import math
import os
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from agent import log
from agent.attempt import Attempt
from agent.control import Control
from agent.gate import Gate
from agent.group import Group
from agent.heartbeat import Heartbeat
from agent.hooks.directory import Hooks
from agent.intake import Intake, Pace
from agent.journal.journal import Journal
from agent.journal.recovery import Recovery
from agent.lease import Lease
from agent.leaving.mailbox import Mailbox
from agent.leaving.stopping import ONCE, Limits, Stopping
from agent.logs.desk import Desk
from agent.observer import Observers
from agent.preconditions.room import Room
from agent.processes.guard import Guard
from agent.running import Running
from agent.side import Side
from agent.source import Handed
from agent.stop import StopReason
from agent.store import store_maker
from agent.tools import Tools
from core.errors import InternalError
from core.sections.worker import AgentSettings

#: Exit statuses of the agent.
STOPPED = 0
BROKEN = 1
#: Seconds that the loops have to end once the work is over; one that hangs is left behind.
CLOSING = 5.0
#: While threads are awaited, signals are looked for after so many seconds.
HEARING = 0.02


@dataclass(frozen=True)
class Surroundings:
    """What stands beside the work: who watches it, who may hold it back, which loops go on meanwhile."""

    control: Control
    gate: Gate
    observers: Observers
    hooks: Hooks
    guard: Guard
    logs: Desk
    #: Where the service is: what another agent has left is delivered there and nowhere else.
    endpoint: str
    sides: Sequence[Side] = ()
    running: Running = field(default_factory=Running)


class Worker:
    """One agent process."""

    def __init__(
        self,
        groups: Sequence[Group],
        settings: AgentSettings,
        limits: Limits,
        environment: Mapping[str, str],
        mailbox: Mailbox,
        around: Surroundings,
    ) -> None:
        self._settings = settings
        self._limits = limits
        self._mailbox = mailbox
        self._stopping = Stopping(around.control, limits, settings.drain_timeout)
        self._control = around.control
        self._observers = around.observers
        self._sides = around.sides
        self._broken: list[str] = []
        self._hurried = False
        self._running = around.running
        self._groups = groups
        self._pace = Pace(settings.max_polls_per_second)
        self._guard = around.guard
        self._journal = Journal(settings.output.absolute() / "journal", self._guard.token, around.endpoint)
        self._lease = Lease(self._running, settings.ownership_window, around.observers)
        self._heartbeat = Heartbeat(groups, settings.heartbeat_interval, self._control, around.observers)
        self._room = Room(settings, around.gate, around.observers, self._intake_changed)
        tools = Tools(
            groups[0],
            settings,
            self._running,
            self._lease,
            self._journal,
            store_maker(settings),
            environment,
            self._guard,
            around.observers,
            around.hooks,
            around.logs,
            self._room,
        )
        self._recovery = Recovery(tools, around.endpoint)
        self._intakes = [self._intake(replace(tools, group=group), around) for group in groups]
        self._threads: list[threading.Thread] = []

    def run(self) -> int:
        """Work until asked to stop; returns the exit status. To be called in the main thread, once."""
        self._recovery.take_over(self._guard.token)
        self._start("recovery", self._recovery.run)
        for side in self._sides:
            self._start(side.name, side.run)
        self._start("lease", self._lease.run)
        self._start("heartbeat", self._heartbeat.run)
        self._look(0)  # whoever has asked by now shall not see a poll
        slots = [self._start(name, loop) for part in self._parts for name, loop in part.loops()]
        while not self._stopping.draining or self._busy:
            self._look(self._stopping.patience(self._idle_since))
        self._room.close()
        for intake in self._intakes:
            intake.end_slots()
        self._join(slots)
        self._close_sides()
        log.event("agent_stopped", level="ERROR" if self._broken else "INFO", broken=self._broken or None)
        return BROKEN if self._broken else STOPPED

    def _intake(self, tools: Tools, around: Surroundings) -> Intake:
        def work(handed: Handed) -> None:
            Attempt(handed, tools).run()

        return Intake(tools.group, self._pace, work, self._intake_changed, around.gate, around.observers)

    @property
    def _busy(self) -> int:
        """Tasks that were taken and have not ended yet."""
        return self._room.held + sum(intake.busy for intake in self._intakes)

    @property
    def _idle_since(self) -> float | None:
        return None if self._busy else max(part.idle_since for part in self._parts)

    @property
    def _parts(self) -> Sequence[Room | Intake]:
        """What holds tasks."""
        return [self._room, *self._intakes]

    def _close_sides(self) -> None:
        """The work is over: end the loops beside it, the last started first."""
        self._recovery.close()
        self._heartbeat.close()
        self._lease.close()
        for group in self._groups:
            group.source.close()
        for side in reversed(self._sides):
            try:
                side.close()
            except Exception as error:  # the others have to be closed too
                log.failure("side_not_closed", error, side=side.name)
        self._join(self._threads, CLOSING)
        self._journal.close()

    def _join(self, threads: Sequence[threading.Thread], patience: float = math.inf) -> None:
        """Wait for these threads to end, for ``patience`` seconds at most, and hear signals meanwhile."""
        give_up = time.monotonic() + patience
        for thread in threads:
            while thread.is_alive() and time.monotonic() < give_up:
                thread.join(HEARING)
                self._look(0)

    def _look(self, patience: float | None) -> None:
        """Wait until something happens, for ``patience`` seconds at most, and do what is to be done about it."""
        watched = () if self._broken else (self._guard.fileno(),)  # a dead guard would wake us without end
        heard = self._mailbox.wait(patience, *watched)
        self._stopping.hear(heard)
        if self._stopping.at_once:
            log.event("exiting_at_once", level="ERROR", running=self._busy)
            os._exit(BROKEN)
        if heard.ready:
            self._break("guard", "the guard process ended")
        if reason := self._stopping.begin(self._idle_since, broken=bool(self._broken)):
            log.event("draining", reason=reason, running=self._busy)
            self._observers.draining(reason)
            for intake in self._intakes:
                intake.stop()
        if self._stopping.draining:
            if self._stopping.leaves_waiting:
                self._room.leave("it takes no more tasks")
            self._hurry()

    def _hurry(self) -> None:
        """End the running attempts when somebody asked for it, or the drain takes too long."""
        why = self._stopping.hurry(broken=bool(self._broken))
        if why and not self._hurried:
            self._hurried = True
            log.event("hurrying", level="WARNING", running=self._busy, why=why)
            self._running.stop_all(StopReason.AGENT_STOPPED, why)

    def _intake_changed(self) -> None:
        if self._limits.once:
            self._control.drain(ONCE)
        elif self._stopping.draining:
            self._mailbox.nudge()

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
