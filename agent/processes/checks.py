"""What the configuration says of attempts' processes, checked before the first task is taken."""

from __future__ import annotations

import os
import resource
from pathlib import Path

from agent.processes.user import find_user
from core.errors import SettingsError
from core.sections.worker import AgentSettings

#: capabilities(7): CAP_SYS_NICE.
_SYS_NICE = 23
#: A limit of n allows a niceness down to 20 - n (getrlimit(2), RLIMIT_NICE).
_NICE_BASE = 20


def check_settings(settings: AgentSettings) -> None:
    """Refuse what this agent cannot do.

    Raises:
        SettingsError: the message names the key and what to do.
    """
    if settings.run_as_user:
        try:
            find_user(settings.run_as_user)
        except ValueError as error:
            raise SettingsError(f"agent.run_as_user: {error}") from None
    if settings.nice and not _may_be(settings.nice):
        raise SettingsError(
            f"agent.nice: this agent may not run commands at a niceness of {settings.nice}; "
            f"use {os.getpriority(os.PRIO_PROCESS, 0)} or more, or give it LimitNICE={settings.nice}"
        )
    directory = settings.working_directory
    if directory and not (directory.is_absolute() and directory.is_dir()):
        raise SettingsError(f"agent.working_directory: {directory} is not the absolute path of a directory; make it")


def _may_be(nice: int) -> bool:
    if nice >= os.getpriority(os.PRIO_PROCESS, 0):
        return True
    soft, _ = resource.getrlimit(resource.RLIMIT_NICE)
    return _has_capability(_SYS_NICE) or soft == resource.RLIM_INFINITY or nice >= _NICE_BASE - soft


def _has_capability(number: int) -> bool:
    lines = Path("/proc/self/status").read_text(encoding="ascii", errors="replace").splitlines()
    [effective] = [line.split()[1] for line in lines if line.startswith("CapEff:")]
    return bool(int(effective, 16) >> number & 1)
