"""The numbers that are known only by looking: sampled when they are read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from agent.backoff import PASSING
from agent.contact import OK, Contact
from agent.health import catalogue, proc
from agent.health.machine_watch import MachineWatch
from agent.health.numbers import Numbers
from agent.health.readiness import Readiness
from agent.health.watcher import Watcher
from agent.running import Running
from core.errors import Throttled

#: The call that reports the end of a task.
STATUS = "SetTaskStatus"


class Samples:
    """Sets the gauges, and the counters that are kept elsewhere; ``log_backlog`` gives bytes."""

    def __init__(
        self,
        numbers: Numbers,
        watcher: Watcher,
        readiness: Readiness,
        contact: Contact,
        running: Running,
        machine: MachineWatch,
        log_backlog: Callable[[], float],
    ) -> None:
        self._numbers = numbers
        self._watcher = watcher
        self._readiness = readiness
        self._contact = contact
        self._running = running
        self._machine = machine
        self._log_backlog = log_backlog

    def take(self) -> None:
        """Look at everything."""
        self._take_contact()
        self._take_work()
        self._take_machine()
        self._take_own()

    def _take_contact(self) -> None:
        outcomes: Counter[str] = Counter()
        for (operation, outcome), count in self._contact.calls().items():
            self._numbers.set(catalogue.CALLS, count, operation, outcome)
            outcomes[outcome] += count
            if operation == STATUS and outcome != OK:
                self._numbers.set(catalogue.STATUS_ERRORS, count, outcome)
        self._numbers.set(catalogue.THROTTLED, outcomes[Throttled.error_id])
        self._numbers.set(catalogue.RETRIED, sum(outcomes[error.error_id] for error in PASSING))
        if (age := self._readiness.contact_age()) is not None:
            self._numbers.set(catalogue.CONTACT_AGE, round(age, 1))
        if (ahead := self._contact.clock_ahead) is not None:
            self._numbers.set(catalogue.CLOCK_OFFSET, round(ahead, 1))

    def _take_work(self) -> None:
        ages = dict.fromkeys(self._watcher.groups, 0.0)
        waiting = Counter(dict.fromkeys(ages, 0))
        for held in self._running.all():
            # What a dead agent has left may be of a group that is not served any more.
            ages[held.group.name] = max(ages.get(held.group.name, 0.0), held.silent)
            waiting[held.group.name] += held.is_precondition
        for group, age in ages.items():
            self._numbers.set(catalogue.LEASE_AGE, round(age, 1), group)
            self._numbers.set(catalogue.PRECONDITIONS, waiting[group], group)
        self._numbers.set(catalogue.READY, 0 if self._readiness.reasons() else 1)
        self._numbers.set(catalogue.LOG_BACKLOG, self._log_backlog())

    def _take_machine(self) -> None:
        now = self._machine.readings
        values = {
            catalogue.CPU: now.cpu,
            catalogue.LOAD: now.load,
            catalogue.MEMORY_FREE: now.memory_available,
            catalogue.MEMORY_TOTAL: now.memory_total,
            catalogue.DISK_FREE: now.disk_free,
            catalogue.DISK_TOTAL: now.disk_total,
            catalogue.INODES_FREE: now.inodes_free,
        }
        for metric, value in values.items():
            if value is not None:
                self._numbers.set(metric, round(value, 2))

    def _take_own(self) -> None:
        cpu, resident, threads, files = proc.own()
        self._numbers.set(catalogue.OWN_CPU, cpu)
        self._numbers.set(catalogue.OWN_MEMORY, resident)
        self._numbers.set(catalogue.OWN_THREADS, threads)
        self._numbers.set(catalogue.OWN_FILES, files)
