"""The service as a whole: state, clock, scheduler and delivery behind one lock, one transaction per call."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sandbox.datapipeline.actions import Actions
from sandbox.datapipeline.activation import Activation
from sandbox.datapipeline.answers import ApiError
from sandbox.datapipeline.clock import ServiceClock
from sandbox.datapipeline.commands import Commands
from sandbox.datapipeline.delivery import Delivery
from sandbox.datapipeline.inside import offer_again
from sandbox.datapipeline.lateness import Lateness
from sandbox.datapipeline.model import Instance, Status
from sandbox.datapipeline.options import Options
from sandbox.datapipeline.ready_queue import ReadyQueue
from sandbox.datapipeline.recurrence import Recurrence
from sandbox.datapipeline.resources import Resources
from sandbox.datapipeline.scheduler import Scheduler
from sandbox.datapipeline.state import State
from sandbox.datapipeline.store import Store
from sandbox.datapipeline.timers import Timer, Timers
from sandbox.datapipeline.verdicts import Verdicts

#: Timers that are worked off before a call, and while a manual clock is moved; more would hold up everybody.
_TIMERS_PER_CALL = 200
_TIMERS_PER_MOVE = 10_000
#: Seconds between two lots of timers when many are due, so that whoever waits for the lock gets it.
_BREATH = 0.001
_CLOCK_FACT = "clock"
_AHEAD_FACT = "ahead"
_TERMINATE_FACT = "terminate"
_RUNNERS_FACT = "taskrunners"


class Service:
    """What every operation works on. All attributes are used inside ``with service.call():`` only."""

    def __init__(self, store: Store, options: Options, *, manual_clock: bool) -> None:
        self.options = options
        self.store = store
        self.lock = threading.RLock()
        self._timer_moved = threading.Condition(self.lock)
        self.stopping = False
        facts = store.facts()
        self.clock = ServiceClock(manual=manual_clock, start=facts.get(_CLOCK_FACT if manual_clock else _AHEAD_FACT))
        if manual_clock:
            store.save_fact(_CLOCK_FACT, self.clock.now())  # it stands still through a restart, too
        self.ready = ReadyQueue(self.lock)
        self._build(facts)

    @classmethod
    def open(cls, database: Path, options: Options, *, manual_clock: bool) -> Service:
        """Return the service on a database file, with everything that was left in it."""
        return cls(Store(database), options, manual_clock=manual_clock)

    def _build(self, facts: dict[str, Any]) -> None:
        self.state = State(self.store, self.options.assumed)
        self.timers = Timers()
        self.ready.clear()
        self.scheduler = Scheduler(self.state, self.clock, self.options, self.ready, self.timers)
        self._follow()
        self.commands = Commands(self.state, self.clock, self.ready, self.scheduler)
        self.recurrence = Recurrence(self.state, self.clock, self.options, self.timers, self.scheduler)
        self.activation = Activation(
            self.state, self.clock, self.options, self.scheduler, self.commands, self.recurrence
        )
        self.delivery = Delivery(
            self.state, self.clock, self.options, self.ready, self.timers, self.scheduler, self.verdicts
        )
        self.terminating: set[str] = set(facts.get(_TERMINATE_FACT, []))
        self.taskrunners: dict[str, dict[str, Any]] = facts.get(_RUNNERS_FACT, {})
        self._take_up()

    def _follow(self) -> None:
        """Let what instances do have its consequences."""
        scheduler, guards = self.scheduler, self.scheduler.guards
        self.actions = Actions(self.state, self.clock, scheduler)
        self.lateness = Lateness(self.state, self.clock, self.options, self.timers, self.actions)
        self.resources = Resources(self.state, self.clock, self.timers, scheduler)
        self.verdicts = Verdicts(self.state, self.clock, self.options, self.ready, self.timers, scheduler, guards)
        scheduler.on_scheduled += [self.lateness.watch, self.verdicts.watch]
        scheduler.on_attempt += [self.resources.needed, self.verdicts.watch]
        scheduler.on_settled += [self.actions.settled, scheduler.cancel_guards, self.resources.settled]

    def _take_up(self) -> None:
        """Queue what waited and set the timers that were running when the service stopped."""
        attempts = [attempt for entries in self.state.attempts.values() for attempt in entries.values()]
        for attempt in attempts:
            offer_again(attempt, self.clock.now())
        waiting = [attempt for attempt in attempts if attempt.queued_at is not None]
        for attempt in sorted(waiting, key=lambda attempt: attempt.queued_at or 0):
            self.ready.put(attempt)
        for attempt in attempts:
            self.delivery.set_timer(attempt)
        for pipeline_id in self.state.pipelines:
            for instance in self.state.index.active(pipeline_id):
                self._set_timers(instance)
        for pipeline in self.state.pipelines.values():
            if pipeline.active and not pipeline.deleted:
                self.recurrence.start(pipeline)

    def _set_timers(self, instance: Instance) -> None:
        if instance.status == Status.SCHEDULED:
            self.timers.add(max(instance.due, instance.retry_at or 0), instance.pipeline_id, instance.id)
        self.lateness.set_timer(instance)
        self.resources.set_timer(instance)
        self.verdicts.watch(instance)

    @contextmanager
    def call(self) -> Iterator[None]:
        """Do the work of one call alone and write what it changed, before it is answered.

        If anything fails, what is in memory is thrown away and read again from disk.
        """
        with self.lock:
            now = self.clock.now()
            if self.timers.is_due(now):
                with self._transaction():
                    self._run_timers(now, _TIMERS_PER_CALL)
            with self._transaction():
                yield
            self.ready.wake()
            self._timer_moved.notify()

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self.store.begin()
        try:
            yield
            self.state.flush()
            self.store.commit()
        except BaseException as error:
            self.store.rollback()
            if self.state.changed or not isinstance(error, ApiError):
                self._build(self.store.facts())
            raise

    def advance_clock(self, seconds: float) -> None:
        """Move a manual clock forward, through the timers on the way in their order.

        After very many of them (a jump by years) the clock is at its target all the same; the rest of the work is
        done between calls, as it is when the machine's own clock has jumped.
        """
        target = self.clock.now() + seconds
        self._run_timers(target, _TIMERS_PER_MOVE)
        self.clock.move_to(target)
        self.store.save_fact(_CLOCK_FACT, self.clock.now())

    def skip_to(self, moment: float) -> None:
        """Set the clock forward and remember it; what falls due is done between calls."""
        self.clock.move_to(moment)
        fact = (_CLOCK_FACT, self.clock.now()) if self.clock.manual else (_AHEAD_FACT, self.clock.ahead)
        self.store.save_fact(*fact)

    def _run_timers(self, target: float, most: int) -> None:
        for _ in range(most):
            timer = self.timers.pop_due(target)
            if timer is None:
                return
            if self.clock.manual:
                self.clock.move_to(timer.due)
            self._run_timer(timer)

    def _run_timer(self, timer: Timer) -> None:
        attempt = self.state.attempts.get(timer.pipeline_id, {}).get(timer.object_id)
        instance = self.state.instances.get(timer.pipeline_id, {}).get(timer.object_id)
        if attempt is not None:
            self.delivery.look_at(attempt)
        elif instance is not None:
            self._look_at(instance)
        else:
            self.recurrence.look_at(timer.pipeline_id, timer.object_id)

    def _look_at(self, instance: Instance) -> None:
        for look in (self.lateness.look_at, self.resources.look_at, self.verdicts.overdue):
            if not instance.terminal:
                look(instance)
        if instance.status == Status.SCHEDULED:
            self.scheduler.advance(instance)

    def run_clockwork(self) -> None:
        """Wait for timers and run them, until the service stops; the loop of the clock's thread."""
        while True:
            with self.lock:
                if self.stopping:
                    return
                due = self.timers.next_due()
                pause = None if due is None else max(0.0, due - self.clock.now())
                if pause != 0:
                    self._timer_moved.wait(None if self.clock.manual else pause)
                    continue
            with self.call():
                pass
            time.sleep(_BREATH)

    def set_terminating(self, taskrunner_id: str, *, terminate: bool) -> None:
        """Say what the heartbeats of a task runner (``*`` for all) shall answer."""
        (self.terminating.add if terminate else self.terminating.discard)(taskrunner_id)
        self.store.save_fact(_TERMINATE_FACT, sorted(self.terminating))

    def heard_from(self, taskrunner_id: str, details: dict[str, Any]) -> bool:
        """Remember a heartbeat; return whether the task runner shall terminate."""
        self.taskrunners[taskrunner_id] = details
        self.store.save_fact(_RUNNERS_FACT, self.taskrunners)
        return bool(self.terminating & {taskrunner_id, "*"})

    def stop(self) -> None:
        """Wake whoever waits and close the database."""
        with self.lock:
            self.stopping = True
            self._timer_moved.notify_all()
            self.ready.wake_all()
            self.store.close()
