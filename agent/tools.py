"""What every attempt of one worker group works with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from agent.group import Group
from agent.hooks.directory import Hooks
from agent.journal.journal import Journal
from agent.lease import Lease
from agent.logs.desk import Desk
from agent.observer import Observers
from agent.processes.guard import Guard
from agent.running import Running
from core.sections.worker import AgentSettings

if TYPE_CHECKING:
    from agent.preconditions.room import Room
    from stores.s3 import S3Store


@dataclass(frozen=True)
class Tools:
    """Shared by all attempts of the group."""

    group: Group
    settings: AgentSettings
    running: Running
    lease: Lease
    journal: Journal
    #: Makes the S3 store when it is first needed, and returns the same one afterwards.
    store: Callable[[], S3Store]
    #: The environment of every child, before the attempt's own variables.
    environment: Mapping[str, str]
    guard: Guard
    observers: Observers
    hooks: Hooks
    logs: Desk
    #: Where preconditions wait.
    room: Room
