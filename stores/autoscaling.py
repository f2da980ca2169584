"""EC2 Auto Scaling: the lifecycle hooks that hold the termination of an instance back.

A hook gives an instance its ``HeartbeatTimeout`` to end what it does. Each heartbeat begins that time anew, up to the
``GlobalTimeout`` (48 hours or 100 times the heartbeat time-out, whichever is less); completing the action ends it.
Source: Auto Scaling API Reference, PutLifecycleHook, RecordLifecycleActionHeartbeat, CompleteLifecycleAction.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from stores import aws

TERMINATING = "autoscaling:EC2_INSTANCE_TERMINATING"
GLOBAL_LIMIT = 172_800.0  # seconds
HEARTBEATS = 100
#: The one who calls has little time, and calls again: seconds, and tries of one call.
CONNECT_TIMEOUT, READ_TIMEOUT, TRIES = 3, 5, 2
#: How ValidationError says that nothing waits for this instance at a hook (any more).
_NOTHING_WAITS = "No active Lifecycle Action"


@dataclass(frozen=True)
class Hook:
    """A hook of the terminating transition; times in seconds."""

    group: str
    name: str
    heartbeat_timeout: float
    global_timeout: float


class AutoScaling:
    """What one instance asks and tells; ``region`` is where the instance is. Every method may raise ``StoreError``."""

    def __init__(self, instance_id: str, region: str) -> None:
        self._instance_id = instance_id
        self._client = aws.client(
            "autoscaling",
            region=region,
            connect_timeout=CONNECT_TIMEOUT,
            read_timeout=READ_TIMEOUT,
            retries={"mode": "standard", "total_max_attempts": TRIES},
        )

    def group(self) -> str | None:
        """Return the group of the instance; ``None`` when it is in none (any more)."""
        answer = _call(
            lambda: self._client.describe_auto_scaling_instances(InstanceIds=[self._instance_id]),
            f"find the Auto Scaling group of {self._instance_id} (autoscaling:DescribeAutoScalingInstances)",
        )
        return next((str(entry["AutoScalingGroupName"]) for entry in answer["AutoScalingInstances"]), None)

    def terminating_hooks(self, group: str) -> list[Hook]:
        """Return the hooks of a group that hold back a termination."""
        answer = _call(
            lambda: self._client.describe_lifecycle_hooks(AutoScalingGroupName=group),
            f"list the lifecycle hooks of {group} (autoscaling:DescribeLifecycleHooks)",
        )
        return list(_hooks(group, answer["LifecycleHooks"]))

    def record_heartbeat(self, hook: Hook) -> bool:
        """Begin the hook's time anew; ``False`` when it does not wait for this instance."""
        return self._tell(self._client.record_lifecycle_action_heartbeat, hook, "RecordLifecycleActionHeartbeat")

    def complete(self, hook: Hook) -> bool:
        """Let the termination go on; ``False`` when the hook does not wait for this instance."""
        return self._tell(
            self._client.complete_lifecycle_action, hook, "CompleteLifecycleAction", LifecycleActionResult="CONTINUE"
        )

    def _tell(self, operation: Callable[..., Any], hook: Hook, name: str, **arguments: str) -> bool:
        from botocore.exceptions import ClientError

        what = f"tell the hook {hook.name} of {hook.group} (autoscaling:{name})"
        given = {"AutoScalingGroupName": hook.group, "LifecycleHookName": hook.name, "InstanceId": self._instance_id}
        with aws.calling(what):
            try:
                operation(**given, **arguments)
            except ClientError as error:
                if _NOTHING_WAITS in str(error.response.get("Error", {}).get("Message")):
                    return False
                raise
        return True


def _hooks(group: str, described: Iterable[dict[str, Any]]) -> Iterable[Hook]:
    for entry in described:
        if entry.get("LifecycleTransition") == TERMINATING:
            heartbeat = float(entry.get("HeartbeatTimeout") or 3600)
            limit = min(GLOBAL_LIMIT, HEARTBEATS * heartbeat, float(entry.get("GlobalTimeout") or GLOBAL_LIMIT))
            yield Hook(group, str(entry["LifecycleHookName"]), heartbeat, limit)


def _call(call: Callable[[], Any], what: str) -> Any:
    with aws.calling(what):
        return call()
