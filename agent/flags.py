"""The command line of the agent, and what it says about settings, keys and the proxy."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from pydantic import ValidationError

from agent import log
from core.errors import SettingsError
from core.redaction import REDACTOR
from core.settings import AgentSettings, Settings

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

_KEY_VARIABLES = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
_REGION_VARIABLES = ("AWS_DEFAULT_REGION", "AWS_REGION")

#: Permissions of a file for anybody but its owner.
_OTHERS = 0o077


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


def credentials_file(path: Path | None) -> dict[str, str]:
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


def use_credentials(access_id: str | None, secret_key: str | None) -> None:
    """Give keys from flags or file to every AWS client of this process (its children do not get them)."""
    if bool(access_id) != bool(secret_key):
        raise SettingsError("give both --accessId and --secretKey, or neither")
    if access_id and secret_key:
        REDACTOR.register(secret_key)
        os.environ["AWS_ACCESS_KEY_ID"], os.environ["AWS_SECRET_ACCESS_KEY"] = access_id, secret_key
        os.environ.pop("AWS_SESSION_TOKEN", None)


def own_access(region: str | None) -> dict[str, str]:
    """Return this process's AWS keys and region as environment variables, for a child that is our own program.

    A session token that does not belong to the keys is blanked.
    """
    keys = {name: os.environ.get(name, "") for name in _KEY_VARIABLES} if _KEY_VARIABLES[0] in os.environ else {}
    return keys | (dict.fromkeys(_REGION_VARIABLES, region) if region else {})


def use_proxy(flags: Flags) -> None:
    """Give the proxy of the flags to every client of this process, and to its children."""
    if flags.proxy_domain or flags.proxy_workstation:
        raise SettingsError("NTLM proxies (--proxyDomain, --proxyWorkstation) are not supported; use a local relay")
    if not flags.proxy_host:
        return
    REDACTOR.register(flags.proxy_password)
    login = ":".join(quote(part or "", safe="") for part in (flags.proxy_username, flags.proxy_password))
    place = f"{flags.proxy_host}:{flags.proxy_port or 8080}"
    os.environ["HTTPS_PROXY"] = f"http://{login}@{place}" if flags.proxy_username else f"http://{place}"


def warn_of_open_secrets(flags: Flags, credentials: Path | None) -> None:
    """Say where secrets lie open; TaskRunner's installations often have them so, which is no reason to stop."""
    for flag, value in (("--secretKey", flags.secret_key), ("--proxyPassword", flags.proxy_password)):
        if value:
            log.event("secret_in_arguments", level="WARNING", flag=flag, advice="it can be read while the agent starts")
    if credentials is not None and credentials.stat().st_mode & _OTHERS:
        log.event("credentials_readable", level="WARNING", path=str(credentials), advice=f"chmod 600 {credentials}")
