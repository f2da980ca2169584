"""Watching what EC2 says about the end of this machine, and doing what follows from it.

============================  =================================================================================
while the agent works         no more tasks are taken; what runs may use the time that the notice leaves, less
                              ``agent.notice_reserve``; then it is ended and reported, and the agent exits 0
at its start                  no task is taken while there is a notice (gate ``leaving``); the process stays, so that
                              a supervisor has nothing to restart
it is taken back              an agent that has not polled yet begins to; one that drains does so to its end, but what
                              runs has all the time it needs
Auto Scaling                  heartbeats hold the termination back while an agent of the machine works; the last one
                              to leave lets it go on
============================  =================================================================================
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping

from agent import log
from agent.backoff import Backoff
from agent.control import Control
from agent.gate import Gate
from agent.leaving.crew import Crew
from agent.leaving.mailbox import Mailbox
from agent.leaving.notice import ITEMS, LIFECYCLE, REBALANCE, Notice
from agent.leaving.termination import Termination
from core.errors import StoreError
from core.sections.worker import AgentSettings
from stores.instance import InstanceMetadata, Item

#: The reason at the gate.
GATE = "leaving"
#: Seconds that the end of the agent may wait for Auto Scaling to be told.
DEPARTURE = 60.0


class Notices:
    """A side of the worker; ``look_first`` before it and ``depart`` after it belong to the main thread."""

    name = "notices"

    def __init__(
        self, metadata: InstanceMetadata, crew: Crew, settings: AgentSettings, control: Control, gate: Gate
    ) -> None:
        self._metadata = metadata
        self._crew = crew
        self._interval = settings.notice_interval
        self._reserve = settings.notice_reserve
        self._ignored = {REBALANCE} if settings.rebalance == "ignore" else set()
        self._control = control
        self._gate = gate
        self._termination = Termination(metadata, settings.lifecycle_hook, settings.notice_interval)
        #: By kind, as they were last told.
        self._known: dict[str, Notice] = {}
        self._unreadable = ""
        self._held = False
        self._closed = threading.Event()

    def look_first(self, *, ask: bool) -> None:
        """Look once before the first poll: with a notice nothing is taken. Without ``ask``, nobody would answer."""
        self._held = ask and bool(self._read())
        if self._held:
            self._look_held()
        else:
            self._crew.join()

    def run(self) -> None:
        """Look at every interval, until closed."""
        while not self._closed.wait(self._interval):
            self._read()
            if self._held:
                self._look_held()
                self._complete_alone()
            else:
                self._look_working()

    def close(self) -> None:
        """Let ``run`` return."""
        self._closed.set()

    def depart(self, mailbox: Mailbox) -> None:
        """The agent has no work any more: let Auto Scaling go on with the machine, if that is what it waits for.

        Failures are tried again for ``DEPARTURE`` seconds, or until a signal comes.
        """
        self._crew.leave()
        self._read()
        backoff = Backoff(first=0.5, longest=10.0)
        give_up = time.monotonic() + DEPARTURE
        while not self._complete_alone() and time.monotonic() < give_up:
            heard = mailbox.wait(backoff.delay())
            if heard.stops or heard.quit:
                break
        self._metadata.close()

    def _read(self) -> dict[str, Notice]:
        """Return what there is now, by kind; what cannot be read stays as it was."""
        before = self._known
        try:
            items = {path: self._metadata.get(path) for path in ITEMS}
        except StoreError as error:
            self._note_failure(str(error))
            return before
        found, unclear = _understood(items)
        self._note_failure("; ".join(unclear))
        self._known = {notice.kind: notice for notice in found if notice.kind not in self._ignored}
        for notice in self._known.values():
            if notice.kind not in before or before[notice.kind].mark != notice.mark:
                fields = {"kind": notice.kind, "why": notice.why, "seconds": notice.seconds}
                log.event("notice", level="WARNING", **fields)
        for kind in before.keys() - self._known.keys():
            log.event("notice_withdrawn", kind=kind)
            if not self._held:
                self._control.drain(kind)
        return self._known

    def _look_working(self) -> None:
        now = time.monotonic()
        for notice in self._known.values():
            end = self._termination.hold_back() if notice.kind == LIFECYCLE else None
            if notice.seconds is not None:
                end = now + notice.seconds
            until = None if end is None else end - self._reserve
            self._control.drain(notice.kind, until, notice.why)

    def _look_held(self) -> None:
        if self._known:
            self._gate.hold(GATE, "; ".join(notice.why for notice in self._known.values()))
            return
        self._held = False
        self._crew.join()
        self._gate.release(GATE)

    def _complete_alone(self) -> bool:
        """Complete the lifecycle action if there is one and no agent of the machine works; ``False``: try again."""
        if LIFECYCLE not in self._known or self._termination.completed:
            return True
        if others := self._crew.working():
            log.event("lifecycle_left", others=others)
            return True
        try:
            self._termination.complete()
        except StoreError as error:
            log.event("lifecycle_not_completed", level="ERROR", error=str(error))
            return False
        return True

    def _note_failure(self, error: str) -> None:
        """Say once that the metadata cannot be read, and once that it can again."""
        if bool(error) != bool(self._unreadable):
            if error:
                log.event("notices_unreadable", level="WARNING", error=error)
            else:
                log.event("notices_readable")
        self._unreadable = error


def _understood(items: Mapping[str, Item | None]) -> tuple[list[Notice], list[str]]:
    """Return the notices, and what is wrong with items that hold none that can be read."""
    found, unclear = [], []
    for path, item in items.items():
        try:
            notice = ITEMS[path](item) if item else None
        except StoreError as error:
            unclear.append(str(error))
        else:
            found += [notice] if notice else []
    return found, unclear
