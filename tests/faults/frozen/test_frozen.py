"""An agent that is stopped for ten minutes, whose clock jumps, or that gets a task which another one has too."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.error import HTTPError

import psutil
import pytest

from tests.conftest import skip_or_fail
from tests.faults.matrix.case import Case
from tests.faults.matrix.lane import LANES, Lane, SideBySide, World, chosen_cases, open_lanes
from tests.faults.matrix.points import POINTS
from tests.integration.agent.conftest import AgentProcess, eventually

BY_NAME = {point.name: point for point in POINTS}
#: Points of different kinds: the agent works, its command works, the outcome is on its way.
MOMENTS = ("staged in", "child started", "decided", "sending status")
#: No poll of the first agent stays open, which would be given the task instead of the other agent.
ONE_SLOT = ("--tasks=1",)
#: Seconds of the service's clock: twice the window after which a silent agent's task is given to another one.
TEN_MINUTES = 600
HOUR = 3600
#: Where Debian's package libfaketime puts it.
FAKETIME = "/usr/lib/*-linux-gnu/faketime/libfaketimeMT.so.1"
BOTH = [(), ("--redelivery=same-task", "--timeout-answer=task-not-found")] * (LANES // 2)


@dataclass(frozen=True)
class Scene:
    """What happens at which moment."""

    what: str
    moment: str

    def __str__(self) -> str:
        return f"{self.what} at {self.moment}"


FREEZES = [Scene(who, moment) for who in ("agent stopped", "machine stopped") for moment in MOMENTS]
JUMPS = [Scene(f"clock {hours:+d} h", moment) for hours in (1, -1) for moment in ("child started", "decided")]
JUMPS += [Scene(f"death and clock {hours:+d} h", "child started") for hours in (1, -1)]
TWICE = [Scene("given to another too", moment) for moment in MOMENTS]


@pytest.fixture(scope="module")
def scenes(request: pytest.FixtureRequest, world: World) -> Iterator[SideBySide]:
    """The scenes of this session, under way."""
    with open_lanes(world, BOTH) as lanes, closing(SideBySide(lanes)) as running:
        running.start(chosen_cases(request, "scene"), play)
        yield running


@pytest.mark.parametrize("scene", FREEZES, ids=str)
def test_a_task_of_an_agent_that_stands_still_for_ten_minutes_is_done_by_another_and_told_once(scenes, scene):
    scenes.result(scene)


@pytest.mark.parametrize("scene", JUMPS, ids=str)
def test_a_clock_that_jumps_by_an_hour_changes_nothing(scenes, scene):
    if faketime() is None:
        skip_or_fail("libfaketime is missing; install the package libfaketime")
    scenes.result(scene)


@pytest.mark.parametrize("scene", TWICE, ids=str)
def test_a_task_that_two_agents_have_at_once_is_told_once_and_loaded_once(scenes, scene):
    scenes.result(scene)


def play(lane: Lane, scene: Scene) -> None:
    """Play one scene and look at everything."""
    with closing(Case(lane, str(scene))) as case:
        pipeline = case.activate()
        {"agent": freeze, "machine": freeze, "clock": jump, "death": jump, "given": double}[scene.what.split()[0]](
            case, scene, pipeline
        )
        for agent in case.bench.agents:
            if agent.process.poll() is None:
                case.retire(agent)
        told = case.await_end(pipeline)
        for attempt in told:
            assert set(attempt["statuses"]) == {attempt["status"]}
        assert told[-1]["status"] == "FINISHED", told
        assert len(told) == (2 if scene.what.startswith("death") else 1), told
        case.check_load()
        case.check_what_is_left()


def freeze(case: Case, scene: Scene, pipeline: str) -> None:
    """Stop the agent, or with it all that it has started; let another one do the task; let the first go on."""
    first = case.struck_agent(BY_NAME[scene.moment], "stop-agent", flags=ONE_SLOT)
    case.await_strike(BY_NAME[scene.moment])
    family = psutil.Process(first.process.pid).children(recursive=True) if "machine" in scene.what else []
    signal_all(family, signal.SIGSTOP)
    case.lane.control("clock", advance=TEN_MINUTES)
    second = case.agent_elsewhere()
    assert case.await_end(pipeline)[-1]["status"] == "FINISHED"
    signal_all([*family, psutil.Process(first.process.pid)], signal.SIGCONT)
    [ended] = [first.wait_for("task_ended")]
    assert ended["status"] != "failed"
    assert second.process.poll() is None


def signal_all(family: list[psutil.Process], number: signal.Signals) -> None:
    for process in family:
        try:
            process.send_signal(number)
        except psutil.NoSuchProcess:
            continue


def jump(case: Case, scene: Scene, pipeline: str) -> None:
    """Move the wall clock under the agent, or between its death and the next start."""
    library = faketime()
    if library is None:
        return
    offset = case.directory / "offset"
    offset.write_text("+0")
    variables = {
        "LD_PRELOAD": library,
        "FAKETIME_TIMESTAMP_FILE": str(offset),
        "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "DONT_FAKE_MONOTONIC": "1",
    }
    dies = scene.what.startswith("death")
    point = BY_NAME[scene.moment]
    first = case.struck_agent(point, "kill-agent" if dies else "wait", **variables)
    case.await_strike(point)
    offset.write_text(f"{int(scene.what.split()[-2]) * HOUR:+d}")
    if dies:
        first.process.wait(30)
        case.agent(**variables)
    else:
        case.sign.unlink()
    case.await_end(pipeline)


def double(case: Case, scene: Scene, pipeline: str) -> None:
    """Hold the task at a moment in one agent, give it to another, and let both go on."""
    point = BY_NAME[scene.moment]
    case.struck_agent(point, "wait", flags=ONE_SLOT)
    case.await_strike(point)
    [attempt] = case.lane.attempts(pipeline)
    second = case.agent_elsewhere()
    eventually(
        lambda: given_again(case, pipeline, attempt["attemptId"], second), "the other agent to have it", look=0.3
    )
    case.sign.unlink()
    case.await_end(pipeline)
    for agent in case.bench.agents:
        agent.wait_for("task_ended")


def given_again(case: Case, pipeline: str, attempt: str, second: AgentProcess) -> bool:
    """Give the task out again until the other agent has it: a report of the first takes it off the queue."""
    with suppress(HTTPError):  # it waits to be taken, or has just been
        if not second.events("task_started"):
            case.lane.control("duplicate", pipelineId=pipeline, attemptId=attempt)
    return bool(second.events("task_started"))


def faketime() -> str | None:
    """The library that moves the wall clock of a process, where it is installed."""
    root = Path("/")
    return next((str(path) for path in root.glob(FAKETIME.lstrip("/"))), None)
