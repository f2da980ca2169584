"""From flags to a running agent: settings, secrets, the environment of the children, the first log line."""

from __future__ import annotations

import os
import socket
import sys
import time
from importlib.metadata import version
from pathlib import Path

from agent import log
from agent.alerts.build import make_alerts
from agent.arguments import hide
from agent.budget import Budget
from agent.contact import Contact
from agent.control import Control
from agent.flags import (
    Flags,
    credentials_file,
    require_worker_group,
    use_credentials,
    use_proxy,
    warn_of_open_secrets,
    with_flags,
)
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
from agent.logs.known_secrets import register_secrets, register_variables
from agent.observer import Observers
from agent.processes.checks import check_settings
from agent.processes.delegation import divide, find_group, remove_forgotten
from agent.processes.guard import Guard
from agent.running import Running
from agent.sources.datapipeline import Budgets, DataPipelineSource
from agent.sources.endpoint import find_endpoint
from agent.sources.instance_identity import InstanceIdentity
from agent.worker import Surroundings, Worker
from agent.workspace import make_root
from core.settings import AgentSettings, load_settings
from stores.endpoint import Endpoint


def start(flags: Flags, environment: dict[str, str]) -> int:
    """Run the agent and return its exit status; ``environment`` is what its children get.

    Raises:
        SettingsError: a flag, the file or the environment is wrong, or no worker group is named.
        AccessDenied: there are no credentials.
        HookFailed: the hook ``agent-start`` failed.
    """
    hide((flags.secret_key, flags.proxy_password))
    keys = credentials_file(flags.config)
    settings = load_settings(None if keys else flags.config)
    agent = with_flags(settings, flags)
    require_worker_group(agent)
    access_id, secret_key = flags.access_id or keys.get("access-id"), flags.secret_key or keys.get("private-key")
    use_credentials(access_id, secret_key)
    use_proxy(flags)
    make_root(agent.output.absolute())
    register_secrets(settings)
    register_variables(environment, settings.logging.redacted_vars)
    lines = log.set_up(agent.output / "logs", settings.logging.level.upper())
    warn_of_open_secrets(flags, credentials=flags.config if keys else None)
    endpoint = find_endpoint(agent.endpoint, agent.region, access_id, secret_key)
    mailbox = Mailbox()
    mailbox.catch_signals()
    control, gate = Control(mailbox), Gate()
    machine = Machine(agent, environment)
    name = agent.taskrunner_id or machine.runner_name()
    contact, running = Contact(), Running()
    groups = _groups(agent, endpoint, name, contact, InstanceIdentity(machine.metadata))
    hooks = Hooks(agent.hooks, agent.hook_timeout, settings.logging.redacted_vars)
    alerts = make_alerts(settings)
    facts = _facts(agent, endpoint, name)
    turns = Turns()
    logs = Desk(settings.logging, agent, endpoint, turns.mark)
    health = Health(facts, groups, agent, gate, turns, contact, running, find_manager(environment), logs.waiting)
    observers = Observers([*health.observers, *alerts])
    logs.follow(lines)
    sides = [*machine.watch(control, gate), *logs.sides, *alerts, *health.sides]
    guard = _start_guard(agent)
    around = Surroundings(control, gate, observers, hooks, guard, logs, endpoint.url, sides, running)
    limits = Limits(flags.once, flags.idle_exit, agent.max_uptime)
    children = _with_release(environment)
    agent_hooks = AgentHooks(hooks, guard, children, agent.output.absolute(), agent.kill_grace)
    agent_hooks.start(mailbox)
    worker = Worker(groups, agent, limits, children, mailbox, around)
    log.event(
        "agent_started",
        worker_group=agent.worker_group,
        worker_groups=agent.worker_groups or None,
        region=endpoint.region,
        endpoint=endpoint.url,
        release=facts.version,
        taskrunner_id=name,
        tasks=agent.tasks,
        output=facts.output,
        pid=facts.pid,
    )
    with health.open(environment):
        status = worker.run()
    agent_hooks.stop(mailbox)
    guard.dismiss()
    logs.close()
    machine.depart(mailbox)
    return status


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


def _groups(
    agent: AgentSettings, endpoint: Endpoint, name: str, contact: Contact, identity: InstanceIdentity
) -> list[Group]:
    """Return the groups to serve; each has a name of its own at the service, since it beats for itself."""
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
