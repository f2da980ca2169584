"""A plan: everything that is to be done for one attempt, whatever its activity type. Made before anything is run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from agent.proxy import TaskProxy
    from agent.staging import StagedNode


@dataclass(frozen=True)
class Script:
    """A file to be written (``text``) or fetched (``uri``) before the child starts."""

    path: Path
    text: str | None = None
    uri: str | None = None


@dataclass(frozen=True)
class Look:
    """Something in S3 that the agent itself looks for: an object of this address, or any below this directory."""

    uri: str
    is_directory: bool


@dataclass(frozen=True)
class Plan:
    """What to stage in, what to run, what to stage out, where its output goes beside the logs."""

    #: Program and arguments; with a script, the arguments that follow the script's path.
    argv: tuple[str, ...]
    script: Script | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    inputs: tuple[StagedNode, ...] = ()
    outputs: tuple[StagedNode, ...] = ()
    #: Where a copy of the child's output goes: an S3 address or a local path.
    stdout: str | None = None
    stderr: str | None = None
    #: The program is ours: it works with the agent's AWS keys and region; a user's command never gets the keys.
    own_program: bool = False
    #: The way that the task names for itself.
    proxy: TaskProxy | None = None
    #: In place of a program: whether this is there.
    look: Look | None = None
    #: Exit statuses that say "not true yet", of a precondition; ``None``: each but 0.
    untrue: frozenset[int] | None = frozenset()
