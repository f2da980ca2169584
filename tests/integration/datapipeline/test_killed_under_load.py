"""kill -9 of the service at random moments while workers take, report and finish tasks: every answer stands."""

from __future__ import annotations

import http.client
import json
import random
import threading
import time
from collections import Counter
from typing import Any

import pytest

PIPELINES = 10
STEPS = 12
KILLS = 6
WORKERS = 3


class Load:
    """Workers that go on through every death of the service, and what it has answered them."""

    def __init__(self, service: Any) -> None:
        self._service = service
        self.finished: Counter[tuple[str, str]] = Counter()
        self.stopped = threading.Event()
        self.broken: list[BaseException] = []

    def work(self) -> None:
        """Do tasks until stopped; a call that is cut off is made again."""
        try:
            while not self.stopped.is_set():
                task = self._call("PollForTask", workerGroup="group").get("taskObject")
                if task is not None:
                    self._do(task)
        except BaseException as error:
            self.broken.append(error)
            raise

    def _do(self, task: Any) -> None:
        if "canceled" not in self._call("ReportTaskProgress", taskId=task["taskId"]):
            return  # another worker has it: its delivery to us was too long ago
        if "__type" not in self._call("SetTaskStatus", taskId=task["taskId"], taskStatus="FINISHED"):
            self.finished[task["pipelineId"], task["attemptId"]] += 1

    def _call(self, operation: str, **request: str) -> Any:
        while not self.stopped.is_set():
            connection = http.client.HTTPConnection("127.0.0.1", self._service.port, timeout=20)
            try:
                connection.request("POST", "/", json.dumps(request), {"X-Amz-Target": f"DataPipeline.{operation}"})
                return json.loads(connection.getresponse().read())
            except (OSError, http.client.HTTPException):
                time.sleep(0.01)
            finally:
                connection.close()
        return {}


def statuses(service: Any, field_of: Any, pipelines: list[str]) -> dict[tuple[str, str], str]:
    """The status of every attempt."""
    found = {}
    for pipeline in pipelines:
        ids = service.ids(pipeline, "ATTEMPT")
        for first in range(0, len(ids), 25):
            for entry in service.describe(pipeline, *ids[first : first + 25]):
                found[pipeline, entry["id"]] = field_of(entry, "@status")
    return found


def on_demand(service: Any, make_activity: Any, _: Any) -> list[str]:
    """Pipelines whose steps depend on one another."""
    steps = [make_activity("S0"), *(make_activity(f"S{n}", dependsOn=f">S{(n - 1) // 2}") for n in range(1, STEPS))]
    return [service.run(*steps) for _ in range(PIPELINES)]


def recurring(service: Any, make_activity: Any, make_object: Any) -> list[str]:
    """As many steps, as occurrences of a schedule that began long ago."""
    often = make_object(
        "Often", type="Schedule", period="15 minutes", startDateTime="2012-12-12T00:00:00", occurrences=str(STEPS)
    )
    default = {"scheduleType": "cron", "schedule": ">Often"}
    steps = [make_activity("S0"), *(make_activity(f"S{n}", dependsOn=">S0") for n in range(1, 5))]
    return [service.run(often, *steps, default=default) for _ in range(PIPELINES // 5)]


@pytest.mark.parametrize("prepare", [on_demand, recurring])
def test_what_was_answered_before_a_kill_stands_after_it(
    start_service: Any, make_activity: Any, make_object: Any, field_of: Any, prepare: Any
) -> None:
    service, chance = start_service("--instance-interval", "0"), random.Random(20_121_130)
    pipelines = prepare(service, make_activity, make_object)
    load = Load(service)
    threads = [threading.Thread(target=load.work) for _ in range(WORKERS)]
    for thread in threads:
        thread.start()
    try:
        for kill in range(KILLS):
            enough = (kill + 1) * PIPELINES * STEPS // (KILLS + 1) + chance.randrange(5)
            until(lambda wanted=enough: len(load.finished) >= wanted, service, load)
            service.kill()
            before = set(load.finished)
            service.start()
            after = statuses(service, field_of, pipelines)
            assert {after[attempt] for attempt in before} == {"FINISHED"}
        until(lambda: {service.state(pipeline) for pipeline in pipelines} == {"FINISHED"}, service, load)
    finally:
        load.stopped.set()
        for thread in threads:
            thread.join()
    everything = statuses(service, field_of, pipelines)
    assert len(everything) == PIPELINES * STEPS
    assert set(load.finished) == set(everything)
    assert set(everything.values()) == {"FINISHED"}
    assert set(load.finished.values()) == {1}


def until(condition: Any, service: Any, load: Load) -> None:
    """Wait for a condition; time passes on the service's clock whenever the workers get no further.

    A task whose delivery was cut off by a kill comes again only when its window has closed.
    """
    give_up = time.monotonic() + 60
    known, since = len(load.finished), time.monotonic()
    while not condition():
        assert not load.broken, load.broken
        assert time.monotonic() < give_up, "the workers got no further"
        time.sleep(0.005)
        if len(load.finished) != known:
            known, since = len(load.finished), time.monotonic()
        elif time.monotonic() - since > 0.5:
            service.advance(121)
            since = time.monotonic()
