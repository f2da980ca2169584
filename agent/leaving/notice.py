"""What EC2 says about the end of a machine: spot interruption, rebalance recommendation, Auto Scaling's target state.

Sources: EC2 User Guide, *Spot Instance interruption notices*, *EC2 instance rebalance recommendations*; EC2 Auto
Scaling User Guide, *Retrieve the target lifecycle state through instance metadata*.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from core.errors import StoreError
from stores.instance import Item

SPOT = "spot"
REBALANCE = "rebalance"
LIFECYCLE = "lifecycle"
STANDBY = "standby"
#: States that an instance does not work in, nor survive as it is; lifecycle hooks hold them back.
ENDING_STATES = frozenset({"Terminated", "Warmed:Terminated", "Warmed:Stopped", "Warmed:Hibernated"})
#: States that it goes on in, without work.
RESTING_STATES = frozenset({"Warmed:Running", "Standby"})


@dataclass(frozen=True)
class Notice:
    """One notice."""

    kind: str
    #: A part of a sentence: "EC2 reclaims this spot instance at …".
    why: str
    #: Seconds that it left when it was read; ``None``: it does not say.
    seconds: float | None = None
    #: What the notice is about: a later one with another is told again.
    mark: str = ""


def read_spot(item: Item) -> Notice:
    """Read ``{"action": "terminate" | "stop" | "hibernate", "time": …}``; hibernation begins at once."""
    document = _document(item, "spot/instance-action")
    action = _text(document, "action", "spot/instance-action")
    moment = _moment(_text(document, "time", "spot/instance-action"), "spot/instance-action")
    ends = {"terminate": "terminates", "stop": "stops", "hibernate": "hibernates"}.get(action, "reclaims")
    why = f"EC2 reclaims this spot instance: it {ends} it at {moment:%Y-%m-%dT%H:%M:%SZ}"
    return Notice(SPOT, why, max(0.0, moment.timestamp() - item.now), f"{action} {moment}")


def read_rebalance(item: Item) -> Notice:
    """Read ``{"noticeTime": …}``: a spot instance is likely to be reclaimed soon."""
    moment = _moment(_text(_document(item, "rebalance"), "noticeTime", "rebalance"), "rebalance")
    return Notice(REBALANCE, f"EC2 recommends since {moment:%Y-%m-%dT%H:%M:%SZ} to leave this spot instance")


def read_lifecycle(item: Item) -> Notice | None:
    """Read the target state; ``None`` while the instance is to stay in service."""
    state = item.text.strip()
    if state not in ENDING_STATES | RESTING_STATES:
        return None
    kind = LIFECYCLE if state in ENDING_STATES else STANDBY
    return Notice(kind, f"Auto Scaling takes this instance out of service (target state {state})", None, state)


#: Where each notice is, and who reads it.
ITEMS: dict[str, Callable[[Item], Notice | None]] = {
    "meta-data/spot/instance-action": read_spot,
    "meta-data/events/recommendations/rebalance": read_rebalance,
    "meta-data/autoscaling/target-lifecycle-state": read_lifecycle,
}


def _document(item: Item, what: str) -> dict[str, Any]:
    try:
        document = json.loads(item.text)
    except ValueError:
        document = None
    if not isinstance(document, dict):
        raise StoreError(f"the instance metadata about {what} is not a JSON object; nothing is done about it")
    return document


def _text(document: dict[str, Any], key: str, what: str) -> str:
    value = document.get(key)
    if not isinstance(value, str):
        raise StoreError(f"the instance metadata about {what} holds no text {key!r}; nothing is done about it")
    return value


def _moment(text: str, what: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise StoreError(f"the instance metadata about {what} holds {text[:40]!r} as a time") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
