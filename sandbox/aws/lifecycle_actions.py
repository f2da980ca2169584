"""Lifecycle hooks of a termination, which moto lists but does not act upon.

With a hook of the terminating transition, ``TerminateInstanceInAutoScalingGroup`` leaves the instance in
``Terminating:Wait`` until every hook was completed or its time is over: its heartbeat time-out since the last
heartbeat, or the global one (Auto Scaling User Guide, *How lifecycle hooks work*). That is seen when somebody asks.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from moto.autoscaling.exceptions import ValidationError
from moto.autoscaling.models import AutoScalingBackend, InstanceState, TerminateInstanceActivity
from moto.autoscaling.responses import AutoScalingResponse
from moto.core.responses import EmptyResult

TERMINATING = "autoscaling:EC2_INSTANCE_TERMINATING"
GLOBAL_LIMIT = 172_800  # seconds
HEARTBEATS = 100
_terminate = AutoScalingBackend.terminate_instance
_describe = AutoScalingBackend.describe_auto_scaling_instances


@dataclass
class Wait:
    """An instance that a hook holds back; moments in ``time.monotonic()``."""

    heartbeat_timeout: int
    began: float = field(default_factory=time.monotonic)
    beat: float = field(default_factory=time.monotonic)

    @property
    def over(self) -> bool:
        """Whether its time has passed."""
        limit = min(GLOBAL_LIMIT, HEARTBEATS * self.heartbeat_timeout)
        return time.monotonic() >= min(self.beat + self.heartbeat_timeout, self.began + limit)


def install() -> None:
    """Give moto's Auto Scaling what it lacks."""
    for method in (terminate_instance, describe_auto_scaling_instances):
        setattr(AutoScalingBackend, method.__name__, method)
    for answer in (record_lifecycle_action_heartbeat, complete_lifecycle_action):
        setattr(AutoScalingResponse, answer.__name__, answer)


def terminate_instance(
    backend: AutoScalingBackend, instance_id: str, should_decrement: bool
) -> TerminateInstanceActivity:
    """Let the hooks of the group hold the instance back, if there are any."""
    state = _state_of(backend, instance_id)
    hooks = backend.describe_lifecycle_hooks(state.auto_scaling_group_name) if state else []
    waits = {hook.name: Wait(hook.heartbeat_timeout) for hook in hooks if hook.lifecycle_transition == TERMINATING}
    if state is None or not waits:
        return _terminate(backend, instance_id, should_decrement)
    state.lifecycle_state = "Terminating:Wait"
    state.waits, state.should_decrement = waits, should_decrement  # type: ignore[attr-defined]
    return TerminateInstanceActivity(state.instance, state.auto_scaling_group.desired_capacity)


def describe_auto_scaling_instances(backend: AutoScalingBackend, instance_ids: list[str]) -> list[InstanceState]:
    """Terminate those whose hooks have had their time, then list."""
    for state in _describe(backend, []):
        waits = _waits(state)
        for name in [name for name, wait in waits.items() if wait.over]:
            _let_go(backend, state, name)
    return _describe(backend, instance_ids)


def record_lifecycle_action_heartbeat(response: AutoScalingResponse) -> EmptyResult:
    """Answer ``RecordLifecycleActionHeartbeat``."""
    state, name = _waiting(response)
    _waits(state)[name].beat = time.monotonic()
    return EmptyResult()


def complete_lifecycle_action(response: AutoScalingResponse) -> EmptyResult:
    """Answer ``CompleteLifecycleAction``; a termination goes on with either result."""
    state, name = _waiting(response)
    _let_go(response.autoscaling_backend, state, name)
    return EmptyResult()


def _waiting(response: AutoScalingResponse) -> tuple[InstanceState, str]:
    backend = response.autoscaling_backend
    instance_id, name = response._get_param("InstanceId"), response._get_param("LifecycleHookName")
    state = next(iter(backend.describe_auto_scaling_instances([instance_id])), None)
    if state is None or name not in _waits(state):
        raise ValidationError(f"No active Lifecycle Action found with instance ID {instance_id}")
    return state, name


def _let_go(backend: AutoScalingBackend, state: InstanceState, name: str) -> None:
    waits = _waits(state)
    del waits[name]
    if not waits:
        _terminate(backend, state.instance_id, state.should_decrement)  # type: ignore[attr-defined]


def _waits(state: InstanceState) -> dict[str, Wait]:
    waits: dict[str, Wait] = getattr(state, "waits", {})
    return waits


def _state_of(backend: AutoScalingBackend, instance_id: str) -> InstanceState | None:
    return next(iter(_describe(backend, [instance_id])), None)
