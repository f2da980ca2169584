"""What each status of an instance means to who waits for it (the documented rules 3 and 5 to 8)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any, cast

import pytest

from steps_impl.control.pipeline_dependencies import _Dependency
from stores.datapipeline import Described, PipelineRuns

DAY = date(2026, 11, 1)


class Runs:
    """The runs of one day, each with a status."""

    def __init__(self, *statuses: str) -> None:
        self.statuses = dict(enumerate(statuses))
        self.described: list[str] = []

    def ids_scheduled(self, first: str, last: str) -> list[str]:
        assert (first, last) == ("2026-11-01T00:00:00", "2026-11-01T23:59:59")
        return [str(number) for number in self.statuses]

    def describe(self, ids: Iterable[str]) -> Iterable[Described]:
        for name in ids:
            self.described.append(name)
            yield Described(name, name, {"@status": self.statuses[int(name)]}, {})


def dependency(runs: Any) -> _Dependency:
    return _Dependency("nightly", cast(PipelineRuns, runs))


@pytest.mark.parametrize("status", ["CANCELED", "CANCELLED", "TIMEDOUT", "TIMEOUT", "FAILED", "CASCADE_FAILED"])
def test_one_that_ended_badly_is_a_failure_that_names_the_status(status: str) -> None:
    looked = dependency(Runs("FINISHED", status, "RUNNING"))
    assert looked.look(DAY)
    assert (looked.done, looked.failure) == (True, f"nightly has the bad status {status} (1)")


@pytest.mark.parametrize(
    "status",
    ["RUNNING", "WAITING_FOR_RUNNER", "WAITING_ON_DEPENDENCIES", "PENDING", "CREATING", "PAUSED", "ACTIVATING", ""],
)
def test_one_that_has_not_ended_is_waited_for_and_what_has_finished_is_not_asked_again(status: str) -> None:
    runs = Runs("FINISHED", status, "SKIPPED")
    looked = dependency(runs)
    for _ in range(2):
        assert looked.look(DAY)
        assert (looked.done, looked.failure) == (False, None)
    assert runs.described == ["0", "1", "2", "1"]
    runs.statuses[1] = "FINISHED"
    assert looked.look(DAY)
    assert looked.done
