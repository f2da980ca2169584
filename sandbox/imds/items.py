"""What the metadata service serves, and the control endpoints that change it, under ``/_sandbox/``.

===================================  ================================================================================
``GET /_sandbox/instance``           what is served now, and how many requests of each kind were answered
``POST /_sandbox/instance``          ``{"instance-id": …, "region": …, "document": …, "signature": …}``: any of these
``POST /_sandbox/spot``              ``{"action": "terminate" | "stop" | "hibernate", "seconds": n}`` or ``"time": …``:
                                     a spot interruption notice; ``DELETE`` takes it back
``POST /_sandbox/rebalance``         ``{}``: a rebalance recommendation of this moment; ``DELETE`` takes it back
``POST /_sandbox/lifecycle``         ``{"state": "InService" | "Terminated" | …}``: Auto Scaling's target state;
                                     ``DELETE``: in no group
``POST /_sandbox/raw``               ``{"path": "meta-data/…", "text": …}``: an item as it stands
``POST /_sandbox/tokens``            ``{}``: every token that was given out is bad from now on
``POST /_sandbox/fault``             ``{"fault": "error" | "delay" | "drop", "status": 500, "seconds": s}``: every
                                     answer from now on; ``DELETE`` ends it
===================================  ================================================================================

Item paths: EC2 User Guide, *Instance metadata categories*.
"""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sandbox.files import write_private

PREFIX = "/_sandbox/"
SPOT = "meta-data/spot/instance-action"
REBALANCE = "meta-data/events/recommendations/rebalance"
LIFECYCLE = "meta-data/autoscaling/target-lifecycle-state"
INSTANCE = "meta-data/instance-id"
REGION = "meta-data/placement/region"
DOCUMENT = "dynamic/instance-identity/document"
SIGNATURE = "dynamic/instance-identity/signature"
#: What may be set about the instance.
_NAMES = {"instance-id": INSTANCE, "region": REGION, "document": DOCUMENT, "signature": SIGNATURE}
ACCOUNT = "123456789012"


class Wrong(Exception):
    """A control request that is not understood; the message says why."""


@dataclass(frozen=True)
class Fault:
    """What is wrong with every answer from now on; ``seconds`` that a delayed one is held."""

    kind: str
    status: int = 500
    seconds: float = 60.0


class Items:
    """Items by their path below ``/latest/``, kept in a file; instance and region are those of a new one."""

    def __init__(self, file: Path, instance_id: str, region: str) -> None:
        self._lock = threading.Lock()
        self._file = file
        fresh = {INSTANCE: instance_id, REGION: region, SIGNATURE: "c2FuZGJveA==", LIFECYCLE: "InService"}
        self._items: dict[str, str] = json.loads(file.read_text(encoding="utf-8")) if file.exists() else fresh
        self._answers: Counter[str] = Counter()
        self.fault: Fault | None = None
        self._routes: dict[tuple[str, str], Callable[[dict[str, Any]], None]] = {
            ("GET", "instance"): lambda _: None,
            ("POST", "instance"): self._set_instance,
            ("POST", "spot"): self._set_spot,
            ("DELETE", "spot"): lambda _: self._drop(SPOT),
            ("POST", "rebalance"): self._set_rebalance,
            ("DELETE", "rebalance"): lambda _: self._drop(REBALANCE),
            ("POST", "lifecycle"): lambda body: self._set(LIFECYCLE, _text(body, "state")),
            ("DELETE", "lifecycle"): lambda _: self._drop(LIFECYCLE),
            ("POST", "raw"): lambda body: self._set(_text(body, "path"), _text(body, "text")),
            ("POST", "fault"): self._set_fault,
            ("DELETE", "fault"): self._end_fault,
        }

    def find(self, path: str) -> str | None:
        """Return an item, or the names below a category, one a line, as the service lists them."""
        with self._lock:
            items = self._items | {DOCUMENT: self._items.get(DOCUMENT) or self._document()}
        if path in items:
            return items[path]
        folder = f"{path.rstrip('/')}/" if path else ""
        below = {name.removeprefix(folder) for name in items if name.startswith(folder)}
        names = {name if "/" not in name else f"{name.partition('/')[0]}/" for name in below}
        return "\n".join(sorted(names)) or None

    def count(self, what: str) -> None:
        """Note that an answer was given."""
        with self._lock:
            self._answers[what] += 1

    def control(self, method: str, name: str, body: bytes) -> dict[str, Any]:
        """Carry out a control request; return what is served then.

        Raises:
            Wrong: there is no such endpoint, or the body is not what it takes.
        """
        route = self._routes.get((method, name))
        if route is None:
            raise Wrong(f"there is no {method} {PREFIX}{name}")
        try:
            given = json.loads(body) if body else {}
        except ValueError:
            raise Wrong("the body is not JSON") from None
        if not isinstance(given, dict):
            raise Wrong("the body is not a JSON object")
        route(given)
        with self._lock:
            if method != "GET":
                write_private(self._file, json.dumps(self._items))
            return {"items": dict(self._items), "answers": dict(self._answers)}

    def _document(self) -> str:
        return json.dumps(
            {
                "accountId": ACCOUNT,
                "architecture": "x86_64",
                "instanceId": self._items[INSTANCE],
                "instanceType": "m5.large",
                "region": self._items[REGION],
                "version": "2017-09-30",
            }
        )

    def _set(self, path: str, text: str) -> None:
        with self._lock:
            self._items[path] = text

    def _drop(self, path: str) -> None:
        with self._lock:
            self._items.pop(path, None)

    def _set_instance(self, body: dict[str, Any]) -> None:
        if unknown := body.keys() - _NAMES.keys():
            raise Wrong(f"{sorted(unknown)} cannot be set; there are {sorted(_NAMES)}")
        for name in body:
            self._set(_NAMES[name], _text(body, name))

    def _set_spot(self, body: dict[str, Any]) -> None:
        moment = body.get("time") or _stamp(datetime.now(UTC) + timedelta(seconds=float(body.get("seconds", 120))))
        self._set(SPOT, json.dumps({"action": body.get("action", "terminate"), "time": moment}))

    def _set_rebalance(self, _body: dict[str, Any]) -> None:
        self._set(REBALANCE, json.dumps({"noticeTime": _stamp(datetime.now(UTC))}))

    def _set_fault(self, body: dict[str, Any]) -> None:
        kind = _text(body, "fault")
        if kind not in {"error", "delay", "drop"}:
            raise Wrong(f"{kind!r} is no fault; there are error, delay and drop")
        self.fault = Fault(kind, int(body.get("status", 500)), float(body.get("seconds", 60)))

    def _end_fault(self, _body: dict[str, Any]) -> None:
        self.fault = None


def _text(body: dict[str, Any], key: str) -> str:
    value = body.get(key)
    if not isinstance(value, str):
        raise Wrong(f"the body needs a text {key!r}")
    return value


def _stamp(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
