"""Tasks in the hands of workers: handing over, acknowledgement, ownership, time-outs, outcome.

Source: AWS Data Pipeline API Reference, *PollForTask*, *ReportTaskProgress*, *SetTaskStatus*: a task that is not
acknowledged within 2 minutes is assigned again; so is one whose worker falls silent.
"""

from __future__ import annotations

import base64
import secrets
from typing import Any

from sandbox.datapipeline.answers import InvalidRequest, PipelineDeleted, TaskNotFound
from sandbox.datapipeline.clock import ServiceClock
from sandbox.datapipeline.evaluation import api_object
from sandbox.datapipeline.fields import attempt_fields, ref
from sandbox.datapipeline.model import ApiField, Attempt, Status
from sandbox.datapipeline.options import Options
from sandbox.datapipeline.parameters import SECRET_MARK
from sandbox.datapipeline.ready_queue import ReadyQueue
from sandbox.datapipeline.scheduler import Scheduler
from sandbox.datapipeline.state import State
from sandbox.datapipeline.timers import Timers
from sandbox.datapipeline.verdicts import Verdicts

#: Random bytes of a task id.
_TASK_ID_BYTES = 192


class Delivery:
    """Hands tasks to workers and hears from them."""

    def __init__(
        self,
        state: State,
        clock: ServiceClock,
        options: Options,
        ready: ReadyQueue,
        timers: Timers,
        scheduler: Scheduler,
        verdicts: Verdicts,
    ) -> None:
        self._state = state
        self._clock = clock
        self._options = options
        self._ready = ready
        self._timers = timers
        self._scheduler = scheduler
        self._verdicts = verdicts

    def hand_over(self, attempt: Attempt, hostname: str | None) -> dict[str, Any]:
        """Give an attempt that was taken from the queue to a worker; return the task object."""
        now = self._clock.now()
        if attempt.task_id is None or self._options.redelivery == "new-task":
            if attempt.task_id is not None:
                self._state.tasks.pop(attempt.task_id, None)
            attempt.task_id = _new_task_id(attempt.deliveries + 1)
            self._state.tasks[attempt.task_id] = attempt
        attempt.deliveries += 1
        attempt.queued_at, attempt.delivered, attempt.reported = None, now, None
        attempt.first_delivered = attempt.first_delivered if attempt.first_delivered is not None else now
        attempt.hostname = hostname
        self._state.touch(attempt)
        self._set_timer(attempt)
        return self._task_object(attempt)

    def take_back(self, task_id: str) -> None:
        """Queue a task again at once: its answer could not be written to the worker."""
        attempt = self._state.tasks.get(task_id)
        untouched = attempt is not None and attempt.reported is None and attempt.queued_at is None
        if attempt is not None and untouched and attempt.status in Status.WITH_RUNNER:
            self._requeue(attempt, first=True)

    def report(self, task_id: str, fields: list[ApiField]) -> bool:
        """Take a worker's progress report, which acknowledges the task; return whether it shall cancel.

        Raises:
            TaskNotFound: the task is not, or no more, this worker's.
            PipelineDeleted: its pipeline has been deleted.
        """
        attempt = self._attempt(task_id)
        if attempt.status == Status.CANCELED:
            return True
        if attempt.status == Status.TIMEDOUT and self._options.timeout_answer == "canceled":
            return True
        if attempt.terminal:
            raise _task_not_found()
        self._own(attempt)
        for entry in fields:
            attempt.progress[entry["key"]] = entry
        return False

    def outcome(self, task_id: str, status: str, error: dict[str, str]) -> None:
        """Take the outcome of a task. The same outcome twice is one outcome; after a cancel it changes nothing.

        Raises:
            TaskNotFound: the task is not, or no more, this worker's, or has another outcome already.
            PipelineDeleted: its pipeline has been deleted.
        """
        attempt = self._attempt(task_id)
        if attempt.terminal:
            canceled = attempt.status == Status.CANCELED or (
                attempt.status == Status.TIMEDOUT and self._options.timeout_answer == "canceled"
            )
            if canceled or attempt.status == status or status in attempt.statuses:
                self._took(attempt, status)
                return
            raise _task_not_found()
        precondition = self._scheduler.guards.is_one(self._state.instance_of(attempt))
        if status == "FALSE" and not precondition:
            raise InvalidRequest("taskStatus FALSE is for preconditions; report an activity as FINISHED or FAILED")
        attempt.error = error
        self._took(attempt, status)
        if precondition:
            self._verdicts.ended(attempt, status)
        else:
            self._scheduler.attempt_ended(attempt, status)

    def look_at(self, attempt: Attempt) -> None:
        """Do what the clock says about an attempt that a worker holds."""
        if attempt.inside:
            self._verdicts.look_at(attempt)
            return
        if attempt.status not in Status.WITH_RUNNER or attempt.first_delivered is None:
            return
        now = self._clock.now()
        if (limit := self._timeout(attempt)) is not None and limit <= now:
            attempt.error = {
                "errorId": "Service_AttemptTimedOut",
                "errorMessage": "The attempt ran into its attemptTimeout",
            }
            self._scheduler.attempt_ended(attempt, Status.TIMEDOUT)
        elif attempt.queued_at is None and self._silence_ends(attempt) <= now:
            self._requeue(attempt, first=False)
        else:
            self._set_timer(attempt)

    def deliver_again(self, attempt: Attempt) -> None:
        """Queue an attempt that a worker holds, as if the worker had fallen silent."""
        self._requeue(attempt, first=True)

    def set_timer(self, attempt: Attempt) -> None:
        """Ask for a look at an attempt when its next window closes; used when the service starts."""
        if attempt.inside:
            self._verdicts.set_timer(attempt)
        elif not attempt.terminal and attempt.first_delivered is not None:
            self._set_timer(attempt)

    def _attempt(self, task_id: str) -> Attempt:
        attempt = self._state.tasks.get(task_id)
        if attempt is None:
            if task_id in self._state.orphaned:
                raise PipelineDeleted(f"Pipeline {self._state.orphaned[task_id]} has been deleted")
            raise _task_not_found()
        if attempt.status in (Status.PAUSED, Status.INACTIVE):
            raise _task_not_found()
        return attempt

    def _took(self, attempt: Attempt, status: str) -> None:
        attempt.statuses.append(status)
        self._state.touch(attempt)

    def _own(self, attempt: Attempt) -> None:
        attempt.reported = self._clock.now()
        attempt.queued_at = None
        if attempt.status != Status.RUNNING:
            attempt.status = Status.RUNNING
            instance = self._state.instance_of(attempt)
            instance.status = Status.RUNNING
            self._state.touch(instance)
        self._state.touch(attempt)

    def _requeue(self, attempt: Attempt, *, first: bool) -> None:
        attempt.status, attempt.queued_at = Status.WAITING_FOR_RUNNER, self._clock.now()
        instance = self._state.instance_of(attempt)
        instance.status = Status.WAITING_FOR_RUNNER
        self._state.touch(instance)
        self._state.touch(attempt)
        (self._ready.put_back if first else self._ready.put)(attempt)
        if self._timeout(attempt) is not None:
            self._set_timer(attempt)

    def _set_timer(self, attempt: Attempt) -> None:
        moments = [limit for limit in (self._timeout(attempt),) if limit is not None]
        if attempt.queued_at is None:
            moments.append(self._silence_ends(attempt))
        if moments:
            self._timers.add(min(moments), attempt.pipeline_id, attempt.id)

    def _silence_ends(self, attempt: Attempt) -> float:
        if attempt.reported is None:
            return (attempt.delivered or 0) + self._options.ack_window
        return attempt.reported + (attempt.content.seconds("reportProgressTimeout") or self._options.ownership_window)

    def _timeout(self, attempt: Attempt) -> float | None:
        limit = attempt.content.seconds("attemptTimeout")
        return None if limit is None or attempt.first_delivered is None else attempt.first_delivered + limit

    def _task_object(self, attempt: Attempt) -> dict[str, Any]:
        runtime = attempt_fields(self._state, attempt)
        instance = self._state.instance_of(attempt)
        parent = ref("parent", instance.component)
        objects = [api_object(attempt.id, attempt.id, [*attempt.content.fields, parent, *runtime])]
        if self._options.task_map == "full":
            objects += attempt.content.linked
        return {
            "taskId": attempt.task_id,
            "pipelineId": attempt.pipeline_id,
            "attemptId": attempt.id,
            "objects": {entry["id"]: self._secrets_as_chosen(entry) for entry in objects},
        }

    def _secrets_as_chosen(self, entry: dict[str, Any]) -> dict[str, Any]:
        if self._options.secret_key == "starred":  # noqa: S105 - the name of a variant
            return entry
        fields = [{**field, "key": field["key"].removeprefix(SECRET_MARK)} for field in entry["fields"]]
        return {**entry, "fields": fields}


def _new_task_id(number: int) -> str:
    return f"{base64.b64encode(secrets.token_bytes(_TASK_ID_BYTES)).decode()}:{number}"


def _task_not_found() -> TaskNotFound:
    return TaskNotFound("The task was not found; it may have been given to another worker")
