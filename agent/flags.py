"""The command line of the agent, and what it says about settings and the proxy."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from pydantic import ValidationError

from agent import log
from core.errors import SettingsError
from core.redaction import REDACTOR
from core.sections.worker import AgentSettings
from core.settings import Settings

#: Flags that override a key of the same name in the file's section ``agent``.
_OVERRIDING = (
    "worker_group",
    "worker_groups",
    "taskrunner_id",
    "tasks",
    "output",
    "log_uri",
    "endpoint",
    "region",
    "max_uptime",
)

DEFAULT_PROXY_PORT = 8080
_S3_ADDRESS = re.compile(r"s3[an]?://[A-Za-z0-9][A-Za-z0-9._-]+(/.*)?")


@dataclass(frozen=True)
class Flags:
    """The command line; ``None`` where nothing was given."""

    worker_group: str | None
    worker_groups: str | None
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


def with_flags(settings: Settings, flags: Flags) -> AgentSettings:
    """Return the section ``agent``, with what the command line says in its place.

    Raises:
        SettingsError: a flag has a wrong value.
    """
    given = {key: value for key in _OVERRIDING if (value := getattr(flags, key)) is not None}
    try:
        return AgentSettings.model_validate({**settings.agent.model_dump(), **given})
    except ValidationError as error:
        raise SettingsError(f"the flags: {error.errors()[0]['msg']}") from None


def require_worker_group(agent: AgentSettings) -> str:
    """Return the worker group.

    Raises:
        SettingsError: none is named.
    """
    if not agent.worker_group:
        raise SettingsError("no worker group; give --workerGroup=NAME, or agent.worker_group in the configuration")
    return agent.worker_group


def require_log_uri(agent: AgentSettings) -> None:
    """Refuse a ``logUri`` that no log could go to.

    Raises:
        SettingsError: it is no address of a bucket in S3.
    """
    if agent.log_uri and not _S3_ADDRESS.fullmatch(agent.log_uri):
        raise SettingsError(f"--logUri {agent.log_uri!r} is no address in S3; write s3://bucket or s3://bucket/folder")


def use_proxy(flags: Flags) -> None:
    """Give the proxy of the flags to every client of this process, and to its own programs, over the environment's."""
    if flags.proxy_domain or flags.proxy_workstation:
        raise SettingsError("NTLM proxies (--proxyDomain, --proxyWorkstation) are not supported; use a local relay")
    if not flags.proxy_host:
        return
    REDACTOR.register(flags.proxy_password)
    address = proxy_address(flags.proxy_host, flags.proxy_port, flags.proxy_username, flags.proxy_password)
    os.environ.pop("https_proxy", None)  # it would win over the other spelling
    os.environ["HTTPS_PROXY"] = address


def proxy_address(host: str, port: int | str | None, username: str | None, password: str | None) -> str:
    """Return a proxy as the environment names it; user name and password may hold any character."""
    login = ":".join(quote(part or "", safe="") for part in (username, password))
    place = f"{host}:{port or DEFAULT_PROXY_PORT}"
    return f"http://{login}@{place}" if username else f"http://{place}"


def warn_of_open_secrets(flags: Flags) -> None:
    """Say where secrets lie open in the command line; installations often have them so, which is no reason to stop."""
    for flag, value in (("--secretKey", flags.secret_key), ("--proxyPassword", flags.proxy_password)):
        if value:
            log.event("secret_in_arguments", level="WARNING", flag=flag, advice="it can be read while the agent starts")
