"""From flags to a running agent: settings, secrets, keys, the log; the parts are put together in ``agent.assembly``."""

from __future__ import annotations

from agent import log
from agent.assembly import Assembly, Ground
from agent.credentials import read_credentials, use_credentials, warn_of_file
from agent.flags import (
    Flags,
    require_log_uri,
    require_worker_group,
    use_proxy,
    warn_of_open_secrets,
    with_flags,
)
from agent.leaving.stopping import Limits
from agent.logs.known_secrets import register_secrets, register_variables
from agent.sources.endpoint import find_endpoint
from agent.workspace import make_root
from core.arguments import hide
from core.settings import load_settings


def start(flags: Flags, environment: dict[str, str]) -> int:
    """Run the agent and return its exit status; ``environment`` is what its children get.

    Raises:
        SettingsError: a flag, the file or the environment is wrong, or no worker group is named.
        AccessDenied: there are no credentials.
        HookFailed: the hook ``agent-start`` failed.
    """
    ground = _prepare(flags, environment)
    limits = Limits(flags.once, flags.idle_exit, ground.agent.max_uptime)
    return Assembly(ground, environment).run(limits)


def _prepare(flags: Flags, environment: dict[str, str]) -> Ground:
    hide((flags.secret_key, flags.proxy_password))
    config = flags.config.expanduser() if flags.config else None
    file = read_credentials(config)
    settings = load_settings(None if file else config)
    agent = with_flags(settings, flags)
    require_worker_group(agent)
    require_log_uri(agent)
    access_id, secret_key = flags.access_id, flags.secret_key
    if file and not (access_id or secret_key):
        access_id, secret_key = file.access_id, file.secret_key
    use_credentials(access_id, secret_key)
    use_proxy(flags)
    make_root(agent.output.absolute())
    register_secrets(settings)
    register_variables(environment, settings.logging.redacted_vars)
    lines = log.set_up(agent.output / "logs", settings.logging.level.upper())
    warn_of_open_secrets(flags)
    if file:
        warn_of_file(file)
    endpoint = find_endpoint(agent.endpoint, agent.region, access_id, secret_key)
    return Ground(settings, agent, endpoint, lines)
