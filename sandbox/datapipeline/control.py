"""The sandbox's own endpoints, under ``/_sandbox/``: what AWS has no call for.

All answers are JSON.

==========================  =========================================================================================
``GET /_sandbox/health``    ``{"status": "ok", "now": …, "pipelines": n, "queued": {group: n}, "polls": n}``
``GET /_sandbox/clock``     ``{"now": "YYYY-MM-DDTHH:MM:SS", "seconds": …, "manual": bool}``
``POST /_sandbox/clock``    ``{"advance": seconds}`` moves a manual clock; every window on the way closes in its order
``POST /_sandbox/skip``     ``{"pipelineId": …}``: the clock, manual or not, goes to the next moment that matters if
                            this pipeline waits for nothing but time; answers with the seconds that were ``skipped``
``GET /_sandbox/groups``    for each worker group that attempts wait for: ``waiting`` (how many, by pipeline), ``held``
                            (how many a worker has) and ``silence`` (real seconds since a worker asked; null: never)
``GET /_sandbox/runners``   the task runners that have sent heartbeats
``POST /_sandbox/terminate``  ``{"taskrunnerId": id or "*", "terminate": bool}``: what heartbeats answer from now on
``GET /_sandbox/faults``    the faults that are still to come
``POST /_sandbox/faults``   ``{"operation": name or "*", "fault": "error" | "delay" | "drop-before" | "drop-after",
                            "count": n, "status": 500, "code": "ThrottlingException", "message": …, "seconds": s}``:
                            the next n calls answer with the error, are held for real seconds, or lose their
                            connection before or after the work is done; with ``"rate": 0.05, "seed": n`` it is that
                            share of all calls, until the faults are forgotten
``DELETE /_sandbox/faults``  forgets them
``GET /_sandbox/attempts``  for each attempt ``pipelineId``, ``attemptId``, ``status``, ``errorId``, ``deliveries`` (how
                            often it was handed over) and ``statuses`` (the SetTaskStatus calls of it that were taken)
``POST /_sandbox/duplicate``  ``{"pipelineId": …, "attemptId": …}``: hands a task out again though a worker holds it
==========================  =========================================================================================
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

from sandbox.datapipeline.answers import InvalidRequest
from sandbox.datapipeline.clock import END_OF_TIME, text_of
from sandbox.datapipeline.injection import Injections
from sandbox.datapipeline.model import Attempt, Status
from sandbox.datapipeline.service import Service
from sandbox.datapipeline.skipping import skip_idle_time

PREFIX = "/_sandbox/"


class Control:
    """Answers the control endpoints."""

    def __init__(self, service: Service, injections: Injections) -> None:
        self._service = service
        self._injections = injections
        self._routes: dict[tuple[str, str], Callable[[dict[str, Any]], dict[str, Any]]] = {
            ("GET", "health"): self._health,
            ("GET", "clock"): self._clock,
            ("POST", "clock"): self._advance,
            ("POST", "skip"): self._skip,
            ("GET", "groups"): self._groups,
            ("GET", "runners"): self._runners,
            ("POST", "terminate"): self._terminate,
            ("GET", "faults"): self._faults,
            ("POST", "faults"): self._inject,
            ("DELETE", "faults"): self._clear_faults,
            ("GET", "attempts"): self._attempts,
            ("POST", "duplicate"): self._duplicate,
        }

    def answer(self, method: str, path: str, body: bytes) -> dict[str, Any]:
        """Return the answer to one control request.

        Raises:
            InvalidRequest: no such endpoint, or a wrong body.
        """
        route = self._routes.get((method, path.removeprefix(PREFIX)))
        if route is None:
            known = ", ".join(f"{verb} {PREFIX}{name}" for verb, name in self._routes)
            raise InvalidRequest(f"There is no {method} {path}; there are {known}")
        try:
            request = json.loads(body) if body else {}
        except ValueError:
            raise InvalidRequest("The body is not JSON") from None
        if not isinstance(request, dict):
            raise InvalidRequest("The body must be a JSON object")
        return route(request)

    def _health(self, _request: dict[str, Any]) -> dict[str, Any]:
        with self._service.lock:
            kept = [pipeline for pipeline in self._service.state.pipelines.values() if not pipeline.deleted]
            ready = self._service.ready
            counts = {"pipelines": len(kept), "queued": ready.lengths(), "polls": ready.polls()}
            return self._clock({}) | {"status": "ok"} | counts

    def _clock(self, _request: dict[str, Any]) -> dict[str, Any]:
        now = self._service.clock.now()
        return {"now": text_of(now), "seconds": now, "manual": self._service.clock.manual}

    def _advance(self, request: dict[str, Any]) -> dict[str, Any]:
        seconds = request.get("advance")
        if not self._service.clock.manual:
            raise InvalidRequest("The clock is the machine's; start the service with --clock manual to move it")
        if not isinstance(seconds, int | float) or not 0 <= seconds < math.inf:
            raise InvalidRequest("advance must be a number of seconds, not negative")
        if self._service.clock.now() + seconds > END_OF_TIME:
            raise InvalidRequest(f"The clock ends at {text_of(END_OF_TIME)}")
        with self._service.call():
            self._service.advance_clock(float(seconds))
        return self._clock({})

    def _skip(self, request: dict[str, Any]) -> dict[str, Any]:
        pipeline_id = request.get("pipelineId")
        if not isinstance(pipeline_id, str):
            raise InvalidRequest("pipelineId must be a string")
        with self._service.call():
            skipped = skip_idle_time(self._service, pipeline_id)
        return self._clock({}) | {"skipped": skipped}

    def _groups(self, _request: dict[str, Any]) -> dict[str, Any]:
        with self._service.lock:
            held: Counter[str] = Counter()
            waiting: dict[str, Counter[str]] = {}
            for attempt in self._with_runner():
                if attempt.queued_at is None:
                    held[attempt.worker_group] += 1
                else:
                    waiting.setdefault(attempt.worker_group, Counter())[attempt.pipeline_id] += 1
            silence = self._service.ready.silence
            return {
                "groups": {
                    name: {"waiting": counts, "held": held[name], "silence": silence(name)}
                    for name, counts in waiting.items()
                }
            }

    def _with_runner(self) -> Iterator[Attempt]:
        state = self._service.state
        for pipeline_id, instances in state.instances.items():
            if state.pipelines[pipeline_id].state == Status.FINISHED:
                continue
            for instance in instances.values():
                attempt = state.head(instance) if instance.status in Status.WITH_RUNNER else None
                if attempt is not None and not attempt.inside:
                    yield attempt

    def _runners(self, _request: dict[str, Any]) -> dict[str, Any]:
        with self._service.lock:
            return {"taskrunners": self._service.taskrunners, "terminating": sorted(self._service.terminating)}

    def _terminate(self, request: dict[str, Any]) -> dict[str, Any]:
        runner, terminate = request.get("taskrunnerId", "*"), request.get("terminate", True)
        if not isinstance(runner, str) or not isinstance(terminate, bool):
            raise InvalidRequest("taskrunnerId must be a string and terminate a boolean")
        with self._service.call():
            self._service.set_terminating(runner, terminate=terminate)
        return self._runners({})

    def _faults(self, _request: dict[str, Any]) -> dict[str, Any]:
        return {"faults": self._injections.listing()}

    def _inject(self, request: dict[str, Any]) -> dict[str, Any]:
        self._injections.add(request)
        return self._faults({})

    def _clear_faults(self, _request: dict[str, Any]) -> dict[str, Any]:
        self._injections.clear()
        return self._faults({})

    def _attempts(self, _request: dict[str, Any]) -> dict[str, Any]:
        with self._service.lock:
            known = [attempt for entries in self._service.state.attempts.values() for attempt in entries.values()]
            return {"attempts": [_told(attempt) for attempt in known]}

    def _duplicate(self, request: dict[str, Any]) -> dict[str, Any]:
        attempts = self._service.state.attempts.get(request.get("pipelineId", ""), {})
        attempt = attempts.get(request.get("attemptId", ""))
        with self._service.call():
            if attempt is None or attempt.status not in Status.WITH_RUNNER or attempt.queued_at is not None:
                raise InvalidRequest("Name pipelineId and attemptId of an attempt that a worker holds")
            self._service.delivery.deliver_again(attempt)
        return {}


def _told(attempt: Attempt) -> dict[str, Any]:
    return {
        "pipelineId": attempt.pipeline_id,
        "attemptId": attempt.id,
        "status": attempt.status,
        "errorId": attempt.error.get("errorId"),
        "deliveries": attempt.deliveries,
        "statuses": attempt.statuses,
    }
