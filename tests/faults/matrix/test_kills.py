"""kill -9 at every named point: of the agent, of its child, of all of them, of the service."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass

import pytest

from tests.faults.matrix.case import ACKNOWLEDGEMENT_WINDOW, Case
from tests.faults.matrix.lane import LANES, Lane, SideBySide, World, chosen_cases, open_lanes
from tests.faults.matrix.points import POINTS, Death, Point

AGENT_DIES = ("kill-agent", "kill-everything")
#: Points at which the outcome may be told a second time: the answer that it was taken has not been noted down yet.
TOLD_AGAIN = {"status taken"}


@dataclass(frozen=True)
class Kill:
    """Who is killed at which point."""

    action: str
    point: Point

    def __str__(self) -> str:
        return f"{self.action} at {self.point.name}"


CASES = [Kill(action, point) for action in (*AGENT_DIES, "kill-service") for point in POINTS]
CASES += [Kill("kill-child", point) for point in POINTS if point.child]


@pytest.fixture(scope="module")
def kills(request: pytest.FixtureRequest, world: World) -> Iterator[SideBySide]:
    """The kills of this session, under way."""
    variants = [(), ("--redelivery=same-task", "--timeout-answer=task-not-found")] * (LANES // 2)
    with open_lanes(world, variants) as lanes, closing(SideBySide(lanes)) as running:
        running.start(chosen_cases(request, "kill"), run)
        yield running


@pytest.mark.parametrize("kill", CASES, ids=str)
def test_a_task_is_reported_once_and_its_table_is_right_whoever_is_killed_at_any_point(kills, kill):
    kills.result(kill)


def run(lane: Lane, kill: Kill) -> None:
    """Strike, let the survivors and their successors finish, and look at everything."""
    with closing(Case(lane, str(kill))) as case:
        pipeline = case.activate()
        target = str(lane.service.process().pid) if kill.action == "kill-service" else ""
        agent = case.struck_agent(kill.point, kill.action, target)
        case.await_strike(kill.point)
        if kill.action == "kill-service":
            lane.restart_service()
        elif kill.action in AGENT_DIES:
            assert agent.process.wait(30) == -signal.SIGKILL
            lane.control("clock", advance=ACKNOWLEDGEMENT_WINDOW)
            agent = case.agent()
        told = case.await_end(pipeline)
        case.retire(agent)
        assert outcomes(told) in true_outcomes(kill), told
        assert_told_once(told, kill)
        case.check_load()
        case.check_what_is_left()


def outcomes(told: list[dict[str, object]]) -> list[tuple[object, object]]:
    """Status and error id of each attempt."""
    return [(attempt["status"], attempt["errorId"]) for attempt in told]


def true_outcomes(kill: Kill) -> list[list[tuple[str, str | None]]]:
    """The attempts that may be told of after a kill."""
    finished = ("FINISHED", None)
    interrupted = ("FAILED", "AttemptInterrupted")
    if kill.action == "kill-child":
        return [[("FAILED", "CommandKilled"), finished]]
    if kill.action not in AGENT_DIES:
        return [[finished]]
    return {
        Death.UNTOUCHED: [[finished]],
        Death.BEGUN: [[finished], [interrupted, finished]],
        Death.INTERRUPTED: [[interrupted, finished]],
        Death.DECIDED: [[finished]],
    }[kill.point.death]


def assert_told_once(told: list[dict[str, object]], kill: Kill) -> None:
    """Each attempt has one outcome; only where the answer was lost may the same one have been told again."""
    for attempt in told:
        assert set(attempt["statuses"]) == {attempt["status"]}
        assert len(attempt["statuses"]) <= (2 if kill.point.name in TOLD_AGAIN else 1), attempt
