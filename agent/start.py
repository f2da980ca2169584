"""From flags to a running agent: settings, secrets, the environment of the children, the first log line."""

from __future__ import annotations

import json
import os
import secrets
import socket
import sys
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from urllib.parse import quote

from pydantic import ValidationError

from agent import log
from agent.alerts.build import make_alerts
from agent.arguments import hide
from agent.budget import Budget
from agent.control import Control
from agent.gate import Gate
from agent.group import Group
from agent.hooks.directory import Hooks
from agent.hooks.lifecycle import AgentHooks
from agent.known_secrets import register_secrets
from agent.leaving.mailbox import Mailbox
from agent.leaving.stopping import Limits
from agent.observer import Observers
from agent.sources.datapipeline import Budgets, DataPipelineSource
from agent.sources.endpoint import Endpoint, find_endpoint
from agent.worker import Surroundings, Worker
from core.errors import SettingsError
from core.redaction import REDACTOR
from core.settings import AgentSettings, Settings, load_settings

#: Flags that override a key of the same name in the file's section ``agent``.
_OVERRIDING = ("worker_group", "taskrunner_id", "tasks", "output", "log_uri", "endpoint", "region", "max_uptime")

#: Permissions of a file for anybody but its owner.
_OTHERS = 0o077


@dataclass(frozen=True)
class Flags:
    """The command line; ``None`` where nothing was given."""

    worker_group: str | None
    config: Path | None
    region: str | None
    endpoint: str | None
    taskrunner_id: str | None
    tasks: int | None
    output: Path | None
    log_uri: str | None
    access_id: str | None
    secret_key: str | None
    proxy_host: str | None
    proxy_port: int | None
    proxy_username: str | None
    proxy_password: str | None
    proxy_domain: str | None
    proxy_workstation: str | None
    source: str
    once: bool
    idle_exit: float | None
    max_uptime: float | None


def start(flags: Flags, environment: dict[str, str]) -> int:
    """Run the agent and return its exit status; ``environment`` is what its children get.

    Raises:
        SettingsError: a flag, the file or the environment is wrong, or no worker group is named.
        AccessDenied: there are no credentials.
        HookFailed: the hook ``agent-start`` failed.
    """
    hide((flags.secret_key, flags.proxy_password))
    keys = _credentials_file(flags.config)
    settings = load_settings(None if keys else flags.config)
    agent = _with_flags(settings, flags)
    access_id, secret_key = flags.access_id or keys.get("access-id"), flags.secret_key or keys.get("private-key")
    _use_credentials(access_id, secret_key)
    _use_proxy(flags)
    register_secrets(settings)
    log.set_up(agent.output / "logs", settings.logging.level.upper())
    _warn(flags, credentials=flags.config if keys else None)
    endpoint = find_endpoint(agent.endpoint, agent.region, access_id, secret_key)
    mailbox = Mailbox()
    mailbox.catch_signals()
    control, gate = Control(mailbox), Gate()
    name = agent.taskrunner_id or f"{socket.gethostname()}-{secrets.token_hex(4)}"
    groups = _groups(agent, endpoint, name)
    hooks = Hooks(agent.hooks, agent.hook_timeout, settings.logging.redacted_vars)
    alerts = make_alerts(settings)
    around = Surroundings(control, gate, Observers(alerts), hooks, endpoint.url, alerts)
    limits = Limits(flags.once, flags.idle_exit, agent.max_uptime)
    children = _with_release(environment)
    agent_hooks = AgentHooks(hooks, children, agent.output.absolute(), agent.kill_grace)
    agent_hooks.start(mailbox)
    worker = Worker(groups, agent, limits, children, mailbox, around)
    log.event(
        "agent_started",
        worker_group=agent.worker_group,
        worker_groups=agent.worker_groups or None,
        region=endpoint.region,
        endpoint=endpoint.url,
        release=version("ductrunner"),
        taskrunner_id=name,
        tasks=agent.tasks,
        output=str(agent.output.absolute()),
        pid=os.getpid(),
    )
    status = worker.run()
    agent_hooks.stop(mailbox)
    return status


def _with_flags(settings: Settings, flags: Flags) -> AgentSettings:
    given = {key: value for key in _OVERRIDING if (value := getattr(flags, key)) is not None}
    try:
        agent = AgentSettings.model_validate({**settings.agent.model_dump(), **given})
    except ValidationError as error:
        raise SettingsError(f"the flags: {error.errors()[0]['msg']}") from None
    if not agent.worker_group:
        raise SettingsError("no worker group; give --workerGroup=NAME, or agent.worker_group in the configuration")
    return agent


def _groups(agent: AgentSettings, endpoint: Endpoint, name: str) -> list[Group]:
    """Return the groups to serve; each has a name of its own at the service, since it beats for itself."""
    first = agent.worker_group or ""
    further = {group: slots for group, slots in agent.worker_groups.items() if group != first}
    budgets = Budgets(Budget(agent.max_reports_per_second), Budget(agent.max_statuses_per_second))
    groups = [Group(first, DataPipelineSource(endpoint, first, name, budgets), agent.tasks)]
    for group, slots in further.items():
        groups.append(Group(group, DataPipelineSource(endpoint, group, f"{name}/{group}", budgets), slots))
    return groups


def _credentials_file(path: Path | None) -> dict[str, str]:
    """Return the keys of a TaskRunner ``credentials.json``; empty when the file is something else."""
    if path is None or path.suffix != ".json":
        return {}
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SettingsError(f"cannot read the credentials {path}: {error}") from None
    if not isinstance(document, dict) or not {"access-id", "private-key"} <= document.keys():
        raise SettingsError(f'{path} must hold {{"access-id": …, "private-key": …}}')
    return {key: str(value) for key, value in document.items()}


def _use_credentials(access_id: str | None, secret_key: str | None) -> None:
    """Give keys from flags or file to every AWS client of this process (its children do not get them)."""
    if bool(access_id) != bool(secret_key):
        raise SettingsError("give both --accessId and --secretKey, or neither")
    if access_id and secret_key:
        REDACTOR.register(secret_key)
        os.environ["AWS_ACCESS_KEY_ID"], os.environ["AWS_SECRET_ACCESS_KEY"] = access_id, secret_key
        os.environ.pop("AWS_SESSION_TOKEN", None)


def _warn(flags: Flags, credentials: Path | None) -> None:
    """Say where secrets lie open; TaskRunner's installations often have them so, which is no reason to stop."""
    for flag, value in (("--secretKey", flags.secret_key), ("--proxyPassword", flags.proxy_password)):
        if value:
            log.event("secret_in_arguments", level="WARNING", flag=flag, advice="it can be read while the agent starts")
    if credentials is not None and credentials.stat().st_mode & _OTHERS:
        log.event("credentials_readable", level="WARNING", path=str(credentials), advice=f"chmod 600 {credentials}")


def _use_proxy(flags: Flags) -> None:
    if flags.proxy_domain or flags.proxy_workstation:
        raise SettingsError("NTLM proxies (--proxyDomain, --proxyWorkstation) are not supported; use a local relay")
    if not flags.proxy_host:
        return
    REDACTOR.register(flags.proxy_password)
    login = ":".join(quote(part or "", safe="") for part in (flags.proxy_username, flags.proxy_password))
    place = f"{flags.proxy_host}:{flags.proxy_port or 8080}"
    os.environ["HTTPS_PROXY"] = f"http://{login}@{place}" if flags.proxy_username else f"http://{place}"


def _with_release(environment: dict[str, str]) -> dict[str, str]:
    """Return the children's environment: ``ductrunner`` and ``python`` of the running release come first on PATH."""
    places = [str(Path(sys.argv[0]).absolute().parent), str(Path(sys.executable).parent)]
    path = environment.get("PATH", os.defpath)
    return {**environment, "PATH": os.pathsep.join((*dict.fromkeys(places), path))}
