"""The life of Ec2Resource and EmrCluster instances, as far as it shows: the sandbox starts no machine.

What runs on a resource is given to a worker group. Its instance is RUNNING from the first attempt on it until all that
runs on it has ended, at most for ``terminateAfter``.

Source: AWS Data Pipeline Developer Guide, *Interpreting pipeline status codes* (TIMEDOUT) and *Cascading failures and
reruns*: what depends on a resource that fails is CANCELED, and a resource that nothing needs any more is FINISHED.
``actionOnResourceFailure`` is ignored after a time-out, as there; no machine can fail otherwise.
"""

from __future__ import annotations

from sandbox.datapipeline.clock import ServiceClock
from sandbox.datapipeline.durations import seconds
from sandbox.datapipeline.model import Instance, Status
from sandbox.datapipeline.scheduler import Scheduler
from sandbox.datapipeline.state import State
from sandbox.datapipeline.timers import Timers
from sandbox.datapipeline.upcoming import still_to_come

CANCELED_WITH_RESOURCE = "The resource that it was to run on has ended"
_TIMED_OUT = {"errorId": "Service_ResourceTimedOut", "errorMessage": "The resource ran into its terminateAfter"}


class Resources:
    """Moves resource instances on with what runs on them."""

    def __init__(self, state: State, clock: ServiceClock, timers: Timers, scheduler: Scheduler) -> None:
        self._state = state
        self._clock = clock
        self._timers = timers
        self._scheduler = scheduler

    def needed(self, user: Instance) -> None:
        """Bring up the resource of an instance that is about to run, again if it had ended."""
        name = self._state.plan_of(user).runs_on.get(user.component)
        resource = next(self._state.counterparts(user, name), None) if name is not None else None
        if resource is None or resource.status == Status.RUNNING:
            return
        resource.status = Status.RUNNING
        resource.started, resource.ended, resource.error = self._clock.now(), None, {}
        resource.cancellation_reason = None
        self._state.touch(resource)
        self.set_timer(resource)

    def settled(self, instance: Instance) -> None:
        """End a resource with the last that ran on it, and what runs on a resource that has failed."""
        plan = self._state.plan_of(instance)
        if instance.component in plan.runs_on:
            for resource in list(self._state.counterparts(instance, plan.runs_on[instance.component])):
                self.review(resource)
        elif instance.component in plan.users and instance.status in Status.UNSUCCESSFUL:
            for user in self._users(instance):
                self._scheduler.cancel(user, CANCELED_WITH_RESOURCE)

    def review(self, resource: Instance) -> None:
        """End a resource if nothing needs it any more: in its interval there may be several runs of what uses it."""
        if resource.terminal or not all(user.terminal for user in self._users(resource)):
            return
        names = self._state.plan_of(resource).users.get(resource.component, [])
        if not any(still_to_come(self._state, resource, name) for name in names):
            self._scheduler.settle(resource, Status.FINISHED)

    def set_timer(self, resource: Instance) -> None:
        """Ask for a look at a running resource when its time is over."""
        if (ends := self._ends(resource)) is not None:
            self._timers.add(ends, resource.pipeline_id, resource.id)

    def look_at(self, resource: Instance) -> None:
        """End a resource whose time is over."""
        ends = self._ends(resource)
        if ends is not None and ends <= self._clock.now():
            resource.error = _TIMED_OUT
            self._scheduler.settle(resource, Status.TIMEDOUT)

    def _ends(self, resource: Instance) -> float | None:
        if resource.status != Status.RUNNING or resource.component not in self._state.plan_of(resource).users:
            return None
        length = seconds(self._state, resource, "terminateAfter")
        return None if length is None or resource.started is None else resource.started + length

    def _users(self, resource: Instance) -> list[Instance]:
        names = self._state.plan_of(resource).users.get(resource.component, [])
        return [user for name in names for user in self._state.counterparts(resource, name)]
