"""The preconditions of an activity or a data node: one instance of each for every instance that they guard.

Source: AWS Data Pipeline Developer Guide, *Preconditions* and *Cascading failures and reruns*. They are there as soon
as their owner is, and are evaluated when everything else that the owner waits for has finished.
"""

from __future__ import annotations

from sandbox.datapipeline.catalogue import Kind
from sandbox.datapipeline.model import Instance, Status
from sandbox.datapipeline.options import Options
from sandbox.datapipeline.state import State


class Guards:
    """Makes and finds the preconditions of an instance."""

    def __init__(self, state: State, options: Options) -> None:
        self._state = state
        self._always_fails = options.precondition_failed == "cascade"

    def of(self, owner: Instance) -> list[Instance]:
        """Return the preconditions of an instance; those that it does not have yet are made, and wait."""
        names = self._state.plan_of(owner).preconditions(owner.component)
        if not names:
            return []
        owned = self._state.owned(owner)
        return [owned.get(name) or self._new(owner, name) for name in names]

    def unfinished(self, owner: Instance) -> list[Instance]:
        """Return the preconditions that an instance still waits for, or waits for in vain."""
        return [guard for guard in self.of(owner) if guard.status not in Status.DONE]

    def is_one(self, instance: Instance) -> bool:
        """Tell whether an instance is a precondition."""
        return instance.owner is not None and self._kind(instance) is Kind.PRECONDITION

    def fails_with(self, instance: Instance, failed: Instance) -> bool:
        """Tell whether an instance fails because one that it depends on has.

        Where that one is a precondition, or a data node that failed for want of one, it does so whatever its
        ``failureAndRerunMode``: nothing else could happen to it. Unless the option says otherwise.
        """
        if self._state.plan_of(instance).cascades(instance.component):
            return True
        return self._always_fails and (self.is_one(failed) or self._failed_on_guard(failed))

    def _failed_on_guard(self, instance: Instance) -> bool:
        cause = self._state.instances[instance.pipeline_id].get(instance.cascade_failed_on or "")
        return cause is not None and cause.owner == instance.id

    def _kind(self, instance: Instance) -> Kind:
        return self._state.plan_of(instance).kind(instance.component)

    def _new(self, owner: Instance, name: str) -> Instance:
        guard = Instance.owned_by(owner, name, self._state.new_instance_id(name, owner))
        guard.status = Status.WAITING_ON_DEPENDENCIES
        self._state.add_instance(guard)
        return guard
