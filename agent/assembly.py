"""The parts of an agent, put together: who asks, who watches, who holds back, what goes on beside the work."""

from __future__ import annotations

import os
import socket
import sys
import time
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from agent import log
from agent.alerts.build import make_alerts
from agent.budget import Budget
from agent.contact import Contact
from agent.control import Control
from agent.gate import Gate
from agent.group import Group
from agent.health.health import Health
from agent.health.status import Facts
from agent.health.systemd import find_manager
from agent.health.turns import Turns
from agent.hooks.directory import Hooks
from agent.hooks.lifecycle import AgentHooks
from agent.leaving.machine import Machine
from agent.leaving.mailbox import Mailbox
from agent.leaving.stopping import Limits
from agent.logs.desk import Desk
from agent.logs.known_secrets import remote_references
from agent.logs.remote_secrets import RemoteSecrets
from agent.observer import Observers
from agent.processes.checks import check_settings
from agent.processes.delegation import divide, find_group, remove_forgotten
from agent.processes.guard import Guard
from agent.running import Running
from agent.sources.datapipeline import Budgets, DataPipelineSource
from agent.sources.instance_identity import InstanceIdentity
from agent.worker import Surroundings, Worker
from core.sections.worker import AgentSettings
from core.settings import Settings
from stores.endpoint import Endpoint


@dataclass(frozen=True)
class Ground:
    """What an agent is made from."""

    settings: Settings
    #: The section ``agent``, with what the command line says in its place.
    agent: AgentSettings
    endpoint: Endpoint
    #: The agent's own lines.
    lines: log.HourlyFile


class Assembly:
    """One agent, from its first signal to its last report. Made in the main thread, which takes the signals."""

    def __init__(self, ground: Ground, environment: dict[str, str]) -> None:
        settings, agent, endpoint = ground.settings, ground.agent, ground.endpoint
        self._agent = agent
        self._environment = environment
        self._mailbox = Mailbox()
        self._mailbox.catch_signals()
        self._machine = Machine(agent, environment)
        self._facts = _facts(agent, endpoint, agent.taskrunner_id or self._machine.runner_name())
        contact, turns = Contact(), Turns()
        self._groups = _groups(ground, self._facts.taskrunner_id, contact, InstanceIdentity(self._machine.metadata))
        self._logs = Desk(settings.logging, agent, endpoint, self._facts.taskrunner_id, turns.mark)
        self._gate, self._running = Gate(), Running()
        self._health = Health(
            self._facts,
            self._groups,
            agent,
            self._gate,
            turns,
            contact,
            self._running,
            find_manager(environment),
            self._logs.waiting,
        )
        self._alerts = make_alerts(settings)
        self._secrets = RemoteSecrets(remote_references(settings))
        self._logs.follow(ground.lines)
        self._hooks = Hooks(agent.hooks, agent.hook_timeout, settings.logging.redacted_vars)
        self._guard = _start_guard(agent)
        self._children = _with_release(environment)  # last: what is meant for the agent alone is out of it by now

    def run(self, limits: Limits) -> int:
        """Work until asked to stop; returns the exit status.

        Raises:
            HookFailed: the hook ``agent-start`` failed.
        """
        agent, mailbox = self._agent, self._mailbox
        hooks = AgentHooks(self._hooks, self._guard, self._children, agent.output.absolute(), agent.kill_grace)
        hooks.start(mailbox)
        worker = Worker(self._groups, agent, limits, self._children, mailbox, self._surroundings())
        self._say_started()
        with self._health.open(self._environment):
            status = worker.run()
        hooks.stop(mailbox)
        self._guard.dismiss()
        self._logs.close()
        self._machine.depart(mailbox)
        return status

    def _surroundings(self) -> Surroundings:
        control = Control(self._mailbox)
        watch = self._machine.watch(control, self._gate)
        return Surroundings(
            control=control,
            gate=self._gate,
            observers=Observers([*self._health.observers, *self._alerts]),
            hooks=self._hooks,
            guard=self._guard,
            logs=self._logs,
            endpoint=self._facts.endpoint,
            sides=[*watch, self._secrets, *self._logs.sides, *self._alerts, *self._health.sides],
            running=self._running,
        )

    def _say_started(self) -> None:
        facts = self._facts
        log.event(
            "agent_started",
            worker_group=facts.worker_group,
            worker_groups=self._agent.worker_groups or None,
            region=facts.region,
            endpoint=facts.endpoint,
            release=facts.version,
            taskrunner_id=facts.taskrunner_id,
            tasks=self._agent.tasks,
            output=facts.output,
            pid=facts.pid,
        )


def _start_guard(agent: AgentSettings) -> Guard:
    check_settings(agent)
    group = find_group()
    if group is not None:
        divide(group)
        remove_forgotten(group)
    return Guard(agent.kill_grace, agent.output.absolute(), keep_daemons=agent.keep_daemons, cgroups=group)


def _facts(agent: AgentSettings, endpoint: Endpoint, name: str) -> Facts:
    return Facts(
        version=version("ductrunner"),
        worker_group=agent.worker_group or "",
        region=endpoint.region,
        endpoint=endpoint.url,
        taskrunner_id=name,
        host=socket.gethostname(),
        pid=os.getpid(),
        output=str(agent.output.absolute()),
        started=time.time(),
    )


def _groups(ground: Ground, name: str, contact: Contact, identity: InstanceIdentity) -> list[Group]:
    """Return the groups to serve; each has a name of its own at the service, since it beats for itself."""
    agent, endpoint = ground.agent, ground.endpoint
    first = agent.worker_group or ""
    slots = {first: agent.tasks, **agent.worker_groups}
    names = {group: name if group == first else f"{name}/{group}" for group in slots}
    budgets = Budgets(Budget(agent.max_reports_per_second), Budget(agent.max_statuses_per_second))
    return [
        Group(group, DataPipelineSource(endpoint, group, names[group], budgets, contact, identity), count)
        for group, count in slots.items()
    ]


def _with_release(environment: dict[str, str]) -> dict[str, str]:
    """Return the children's environment: ``ductrunner`` and ``python`` of the running release come first on PATH."""
    places = [str(Path(sys.argv[0]).absolute().parent), str(Path(sys.executable).parent)]
    path = environment.get("PATH", os.defpath)
    return {**environment, "PATH": os.pathsep.join((*dict.fromkeys(places), path))}
