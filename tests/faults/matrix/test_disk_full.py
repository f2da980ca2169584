"""The disk is full at each of the agent's writes: the outcome is true, told once, and with room the work goes on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from tests.conftest import small_disk
from tests.faults.matrix.case import Case
from tests.faults.matrix.lane import LANES, Lane, SideBySide, World, chosen_cases, open_lanes
from tests.faults.matrix.points import POINTS, Point

#: Of the agent's work directory.
SIZE = "size=4m"
NO_RESERVE = {"DUCTRUNNER_AGENT_MINIMUM_FREE_DISK": "0", "DUCTRUNNER_AGENT_MINIMUM_FREE_INODES": "0"}


@pytest.fixture(scope="module")
def full_disks(request: pytest.FixtureRequest, world: World) -> Iterator[SideBySide]:
    """The cases of this session, under way."""
    with open_lanes(world, [()] * LANES) as lanes, closing(SideBySide(lanes)) as running:
        running.start(chosen_cases(request, "point"), run)
        yield running


@pytest.mark.parametrize("point", [point for point in POINTS if point.writes], ids=lambda point: point.name)
def test_a_full_disk_fails_the_task_by_name_and_no_other_task(full_disks, point):
    full_disks.result(point)


def run(lane: Lane, point: Point) -> None:
    """Fill the disk at the point, look at the outcome, make room, and have another task done."""
    with closing(Case(lane, f"disk full at {point.name}")) as case:
        output = case.directory / "output"
        with small_disk(output, SIZE):
            first = case.activate(retries=0)
            agent = case.struck_agent(point, "fill-disk", str(output), **NO_RESERVE)
            case.await_strike(point)
            told = case.await_end(first)
            assert_true(case, first, told)
            (output / "filling").unlink()
            assert [attempt["status"] for attempt in case.await_end(case.activate(retries=0))] == ["FINISHED"]
            case.retire(agent)
            case.check_load()
            case.check_what_is_left()


def assert_true(case: Case, pipeline: str, told: list[dict[str, Any]]) -> None:
    """It has failed for want of room, or has needed none; and that was told once."""
    [attempt] = told
    assert attempt["statuses"] == [attempt["status"]]
    if attempt["status"] == "FINISHED":
        case.check_load()
        return
    [described] = case.bench.attempts(pipeline)
    told_by_command = described["errorId"] == "CommandFailed" and "No space left" in described["errorMessage"]
    assert described["errorId"] == "DiskFull" or told_by_command, described
