"""The threads in which the service calls other services: it looks at preconditions and sends messages.

Nothing here holds the service's lock while it waits for an answer. What is to be done is in the state before it is
begun, and what came of it is written afterwards, so a killed service does again what it had not finished: it may look
twice, which changes nothing, and a message that SNS took just before the kill is sent twice, since nobody has written
that it was sent.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial

from core.errors import DuctrunnerError, InternalError
from core.redaction import REDACTOR
from sandbox.datapipeline.conditions import holds
from sandbox.datapipeline.inside import begin
from sandbox.datapipeline.model import OWN_ALARMS, OWN_PRECONDITIONS, Attempt
from sandbox.datapipeline.outside import Outside
from sandbox.datapipeline.service import Service

LOG = logging.getLogger(__name__)
#: How many calls of each kind may wait for an answer at once.
_THREADS = {OWN_PRECONDITIONS: 4, OWN_ALARMS: 2}
_IDLE = 60.0  # real seconds between two looks of a thread that nobody wakes
Outcome = bool | DuctrunnerError


class Errands:
    """Takes attempts that no worker is given, and carries them out."""

    def __init__(self, service: Service, outside: Outside) -> None:
        self._service = service
        self._outside = outside
        #: What is under way; after a failed call the state is read again and offers it a second time.
        self._under_way: set[tuple[str, str]] = set()

    def loops(self) -> list[tuple[str, Callable[[], None]]]:
        """Return the loops to run, each in a thread of its own, with their names."""
        return [
            (f"{group.strip(chr(0))}-{number}", partial(self._run, group))
            for group, count in _THREADS.items()
            for number in range(1, count + 1)
        ]

    def _run(self, group: str) -> None:
        while not self._service.stopping:
            attempt = self._take(group)
            if attempt is not None:
                outcome = self._outcome(attempt)
                self._report(attempt, outcome)

    def _take(self, group: str) -> Attempt | None:
        """Return the next attempt, marked as begun; ``None`` after a while without any."""
        service = self._service
        with service.lock:
            if service.stopping:
                return None
            with service.call():
                attempt = service.ready.take(group)
                if attempt is not None and (attempt.pipeline_id, attempt.id) not in self._under_way:
                    self._under_way.add((attempt.pipeline_id, attempt.id))
                    service.state.plan_of(service.state.instance_of(attempt))  # the redactor learns its secrets
                    begin(service.state, attempt)
                    return attempt
            if attempt is None:
                service.ready.wait(group, _IDLE)
            return None

    def _outcome(self, attempt: Attempt) -> Outcome:
        content = attempt.content
        try:
            if attempt.worker_group == OWN_PRECONDITIONS:
                return holds(self._outside, content.text("type") or "", content)
            arn = content.text("topicArn") or ""
            self._outside.topic(arn).publish(content.text("subject") or "", content.text("message") or "")
        except DuctrunnerError as error:
            LOG.warning("%s of %s: %s", attempt.id, attempt.pipeline_id, REDACTOR.redact(str(error)))
            return error
        except Exception:
            LOG.exception("%s of %s failed", attempt.id, attempt.pipeline_id)
            return InternalError("The service failed on this object; its log says why")
        return True

    def _report(self, attempt: Attempt, outcome: Outcome) -> None:
        """Write what came of an attempt, unless its pipeline has been deleted meanwhile."""
        service = self._service
        with service.lock:
            if service.stopping:
                return
            self._under_way.discard((attempt.pipeline_id, attempt.id))
            with service.call():
                current = service.state.attempts.get(attempt.pipeline_id, {}).get(attempt.id)
                if current is None:
                    return
                if attempt.worker_group == OWN_PRECONDITIONS:
                    service.verdicts.seen(current, outcome)
                else:
                    service.actions.sent(current, outcome)
                if current.queued_at is not None:  # it was offered anew meanwhile, and passed over
                    service.ready.put(current)
