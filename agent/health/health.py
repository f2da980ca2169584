"""Everything that operators see of a running agent, put together."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext

from agent import log
from agent.contact import Contact
from agent.gate import Gate
from agent.group import Group
from agent.health import proc
from agent.health.address_file import Entry, announced
from agent.health.emf import Lines
from agent.health.http_server import HttpServer
from agent.health.limits import limits
from agent.health.listen import find_place, written
from agent.health.machine import Machine
from agent.health.machine_watch import MachineWatch
from agent.health.metrics_lines import MetricsLines
from agent.health.numbers import Numbers
from agent.health.pages import Pages
from agent.health.readiness import Readiness
from agent.health.samples import Samples
from agent.health.status import Facts, Status
from agent.health.systemd import Manager, Systemd
from agent.health.turns import Turns
from agent.health.watcher import Watcher
from agent.observer import Observer
from agent.running import Running
from agent.side import Side
from core.sections.worker import AgentSettings


class Health:
    """Its observers and side loops are given to the worker; ``log_backlog`` says how many bytes of logs wait."""

    def __init__(
        self,
        facts: Facts,
        groups: Sequence[Group],
        settings: AgentSettings,
        gate: Gate,
        turns: Turns,
        contact: Contact,
        running: Running,
        manager: Manager | None,
        log_backlog: Callable[[], float],
    ) -> None:
        self._facts = facts
        self._settings = settings
        numbers = Numbers()
        watcher = Watcher(numbers, turns, contact, groups)
        readiness = Readiness(watcher, turns, gate, contact, settings.report_interval)
        self._machine = machine = MachineWatch(Machine(settings.output), limits(settings), gate, watcher)
        samples = Samples(numbers, watcher, readiness, contact, running, machine, log_backlog)
        numbers.sampled_by(samples.take)
        pages = Pages(readiness, Status(facts, watcher, readiness, contact, running, numbers, machine), numbers)
        place = find_place(settings.listen)
        self._server = HttpServer(place, pages.answer, watcher) if place else None
        lines = Lines(numbers, [group.name for group in groups], facts.host)
        systemd = [Systemd(manager, readiness, watcher)] if manager else []
        self.observers: Sequence[Observer] = (watcher, *systemd)
        self.sides: Sequence[Side] = (
            machine,
            MetricsLines(lines, settings.metrics_interval, watcher),
            *([self._server] if self._server else []),
            *systemd,
        )

    def open(self, environment: Mapping[str, str]) -> AbstractContextManager[None]:
        """Look at the machine, listen, and keep the files that lead ``ductrunner status`` here while the block runs.

        Raises:
            SettingsError: this machine has no such address as ``agent.listen``.
        """
        self._machine.look()
        if self._server is None:
            return nullcontext()
        address = written(self._server.open())
        log.event("status_offered", address=address)
        entry = Entry(self._facts.pid, proc.started(self._facts.pid) or 0, address, self._facts.worker_group)
        return announced(entry, self._settings.output.absolute(), environment)
