"""The proof of which EC2 instance polls: the signed identity document of the instance metadata."""

from __future__ import annotations

import threading
import time

from agent import log
from core.errors import StoreError
from stores.instance import InstanceMetadata

#: Longest member that PollForTask takes, in characters (API Reference, InstanceIdentity).
LIMIT = 1024
#: Seconds until a failed look is repeated.
RETRY = 60.0
_DOCUMENT, _SIGNATURE = "dynamic/instance-identity/document", "dynamic/instance-identity/signature"


class InstanceIdentity:
    """Fetched once, by the second poll: the first must not wait for it. Shared by all polls of the process."""

    def __init__(self, metadata: InstanceMetadata | None) -> None:
        self._metadata = metadata
        self._lock = threading.Lock()
        self._members: dict[str, str] | None = None
        self._polled = False
        self._next = 0.0

    def members(self) -> dict[str, str]:
        """Return ``document`` and ``signature``; empty while there is none, and when one of them is too long."""
        with self._lock:
            due = self._polled and self._members is None and time.monotonic() >= self._next
            self._polled = True
            if due and self._metadata is not None:
                self._members = self._fetch(self._metadata)
            return self._members or {}

    def _fetch(self, metadata: InstanceMetadata) -> dict[str, str] | None:
        try:
            items = {"document": metadata.get(_DOCUMENT), "signature": metadata.get(_SIGNATURE)}
        except StoreError as error:
            log.event("identity_unknown", level="WARNING", error=str(error))
            self._next = time.monotonic() + RETRY
            return None
        members = {name: item.text for name, item in items.items() if item}
        too_long = [name for name, text in members.items() if len(text) > LIMIT]
        if too_long:
            log.event("identity_left_out", level="WARNING", too_long=too_long)
        return members if len(members) == len(items) and not too_long else {}
