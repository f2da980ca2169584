"""The user as whom an attempt runs, when that is not the agent's own."""

from __future__ import annotations

import os
import pwd
from dataclasses import dataclass


@dataclass(frozen=True)
class User:
    """An account of this machine."""

    name: str
    uid: int
    gid: int
    groups: tuple[int, ...]
    home: str

    @property
    def environment(self) -> dict[str, str]:
        """What a login would set."""
        return {"HOME": self.home, "USER": self.name, "LOGNAME": self.name}


def find_user(name: str) -> User:
    """Return an account that the agent may take on.

    Raises:
        ValueError: there is no such account, or the agent has not the right; the message says which.
    """
    try:
        entry = pwd.getpwnam(name)
    except KeyError:
        raise ValueError(f"there is no user {name!r} on this machine; create it, or name another") from None
    if os.geteuid() not in {0, entry.pw_uid}:
        raise ValueError(f"only an agent that runs as root can run commands as {name!r}; start it as root")
    return User(name, entry.pw_uid, entry.pw_gid, tuple(os.getgrouplist(name, entry.pw_gid)), entry.pw_dir)
