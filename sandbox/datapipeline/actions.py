"""``onFail``, ``onSuccess`` and ``onLateAction``: messages and cancellations.

Source: AWS Data Pipeline Developer Guide, *Actions*, *SnsAlarm*, *Terminate*; *Cascading failures and reruns* ("objects
affected by a cascade failure may trigger … onFail"). ``onFail`` comes when nothing is tried any more, and not when
somebody has canceled the object. The message is evaluated when the event happens and stored with it, in the same
transaction; it is sent afterwards, outside the service's lock.
"""

from __future__ import annotations

from core.errors import DuctrunnerError
from sandbox.datapipeline.clock import ServiceClock
from sandbox.datapipeline.model import Attempt, Instance, Status
from sandbox.datapipeline.scheduler import Scheduler
from sandbox.datapipeline.state import State

_EVENTS = {
    Status.FINISHED: "onSuccess",
    Status.FAILED: "onFail",
    Status.TIMEDOUT: "onFail",
    Status.CASCADE_FAILED: "onFail",
}


class Actions:
    """Carries out the actions of instances: an instance of the action each, with an attempt for each event."""

    def __init__(self, state: State, clock: ServiceClock, scheduler: Scheduler) -> None:
        self._state = state
        self._clock = clock
        self._scheduler = scheduler

    def settled(self, owner: Instance) -> None:
        """Do what an outcome calls for."""
        if event := _EVENTS.get(owner.status):
            self.happened(owner, event)

    def happened(self, owner: Instance, event: str) -> None:
        """Do what an event calls for."""
        for name in self._state.plan_of(owner).actions(owner.component, event):
            action = self._state.owned(owner).get(name) or self._new(owner, name)
            action.started = self._clock.now()
            if self._state.plan_of(owner).definition.type_of(name) == "Terminate":
                self._scheduler.settle(action, Status.FINISHED)
                self._scheduler.cancel(owner, f"Canceled by {name}, for {event}")
            else:
                self._scheduler.attempt(action)

    def sent(self, attempt: Attempt, answer: bool | DuctrunnerError) -> None:
        """Take whether a message was sent; a reason why not stays with the action and changes nothing else."""
        if attempt.terminal:
            return
        outcome = Status.FINISHED
        if isinstance(answer, DuctrunnerError):
            attempt.error = {"errorId": answer.error_id, "errorMessage": str(answer)}
            outcome = Status.FAILED
        self._scheduler.close(attempt, outcome)
        action = self._state.instance_of(attempt)
        if action.head_attempt == attempt.id:
            self._scheduler.settle(action, outcome)

    def _new(self, owner: Instance, name: str) -> Instance:
        action = Instance.owned_by(owner, name, self._state.new_instance_id(name, owner))
        action.due = self._clock.now()
        self._state.add_instance(action)
        return action
