"""Holding back the termination of this instance while attempts run, and letting it go on afterwards.

Auto Scaling's client is made when it is needed, which is once in the life of a machine.
"""

from __future__ import annotations

import time
from functools import cached_property
from typing import TYPE_CHECKING

from agent import log
from agent.backoff import Backoff
from core.errors import NotFound, StoreError
from stores.instance import InstanceMetadata

if TYPE_CHECKING:
    from stores.autoscaling import AutoScaling, Hook

#: A heartbeat goes out when this share of a hook's time is over.
SHARE = 1 / 3


class Termination:
    """The lifecycle hooks that wait for this instance: all of the group's, or the one that is named (``only``).

    Used by one thread at a time: the side's, and after its end the main thread. Moments are in ``time.monotonic()``.
    """

    def __init__(self, metadata: InstanceMetadata, only: str | None, interval: float) -> None:
        self._metadata = metadata
        self._only = only
        self._interval = interval
        self._seen = 0.0
        self._hooks: list[Hook] | None = None
        self._beats: dict[Hook, float] = {}
        self._retry = 0.0
        self._backoff = Backoff(first=interval, longest=60.0)
        self.completed = False

    def hold_back(self) -> float | None:
        """Send the heartbeats that are due; return when the first hook lets go, ``None`` when that is not known."""
        if not self._seen:
            # It may have been decided just after the look before.
            self._seen = time.monotonic() - self._interval
        if self._hooks is None and time.monotonic() >= self._retry:
            try:
                self._find()
            except StoreError as error:
                log.event("lifecycle_unknown", level="ERROR", error=str(error), retry_in=self._later())
        if self._hooks is None:
            return None
        for hook in self._hooks:
            self._beat(hook)
        return min((self._end(hook) for hook in self._hooks), default=self._seen)

    def complete(self) -> None:
        """Let the termination go on.

        Raises:
            StoreError: a hook could not be told; to be tried again.
        """
        for hook in self._find():
            waited = self._auto_scaling.complete(hook)
            log.event("lifecycle_completed", group=hook.group, hook=hook.name, waited=waited)
        self.completed = True

    @cached_property
    def _auto_scaling(self) -> AutoScaling:
        from stores.autoscaling import AutoScaling

        instance = self._metadata.get("meta-data/instance-id")
        region = self._metadata.get("meta-data/placement/region")
        if instance is None or region is None:
            raise NotFound("the instance metadata names no instance-id or no placement/region")
        return AutoScaling(instance.text.strip(), region.text.strip())

    def _find(self) -> list[Hook]:
        """Return the hooks, asked for once."""
        if self._hooks is None:
            group = self._auto_scaling.group()
            found = self._auto_scaling.terminating_hooks(group) if group else []
            self._hooks = [hook for hook in found if self._only in {None, hook.name}]
            log.event("lifecycle_hooks", group=group, hooks=[hook.name for hook in self._hooks])
        return self._hooks

    def _beat(self, hook: Hook) -> None:
        now = time.monotonic()
        last = self._beats.get(hook)
        if now < self._retry or (last is not None and now - last < SHARE * hook.heartbeat_timeout):
            return
        try:
            self._auto_scaling.record_heartbeat(hook)
        except StoreError as error:
            fields = {"group": hook.group, "hook": hook.name, "retry_in": self._later()}
            log.event("lifecycle_heartbeat_failed", level="ERROR", error=str(error), **fields)
        else:
            self._beats[hook] = now
            self._backoff.reset()
            log.event("lifecycle_heartbeat", group=hook.group, hook=hook.name)

    def _end(self, hook: Hook) -> float:
        heartbeat = self._beats.get(hook, self._seen) + hook.heartbeat_timeout
        return min(heartbeat, self._seen + hook.global_timeout)

    def _later(self) -> float:
        """Note a failure; return in how many seconds the next try follows."""
        delay = self._backoff.delay()
        self._retry = time.monotonic() + delay
        return round(delay, 1)
