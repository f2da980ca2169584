"""Real short disks and a short memory: no task is taken, it is said, and the agent recovers by itself."""

from __future__ import annotations

import pytest

from tests.integration.agent.conftest import eventually
from tests.integration.health.conftest import Asked

MIB = 1024**2


@pytest.fixture
def mounted(bench, mount_disk):
    """``mounted(options)`` puts a small disk under the agent's output directory."""
    places = []

    def mount(options):
        place = bench.directory / "output"
        place.mkdir()
        mount_disk(place, options)
        places.append(place)
        return place

    yield mount
    for agent in bench.agents:
        agent.stop()


def held_and_released(bench, agent, name, recover):
    """The intake is held for this reason and a task waits; after ``recover()`` the task runs."""
    line = agent.wait_for("intake_held")
    assert (line["reason"], line["level"]) == (name, "WARNING")
    asked = Asked(agent)
    code, body, _ = asked.get("/readyz")
    assert code == 503
    assert f"held by {name}: " in body
    assert asked.get("/healthz")[0] == 200
    assert asked.status()["state"] == "held"
    pipeline = bench.shell("true")
    assert bench.attempts(pipeline)[0]["@status"] == "WAITING_FOR_RUNNER"
    recover()
    assert bench.ended(pipeline)["@status"] == "FINISHED"
    assert agent.events("intake_released")[0]["reason"] == name
    eventually(lambda: asked.get("/readyz")[0] == 200, "a ready agent")


def test_a_full_disk_holds_the_intake_until_there_is_room(bench, mounted):
    filler = mounted("size=16m") / "filler"
    filler.write_bytes(b"x" * 12 * MIB)
    agent = bench.agent(DUCTRUNNER_AGENT_MINIMUM_FREE_DISK=str(8 * MIB), DUCTRUNNER_AGENT_MINIMUM_FREE_INODES="0")
    held_and_released(bench, agent, "disk", filler.unlink)


def test_a_disk_that_fills_while_the_agent_runs_holds_it_too(bench, mounted):
    place = mounted("size=16m")
    agent = bench.agent(DUCTRUNNER_AGENT_MINIMUM_FREE_DISK=str(8 * MIB), DUCTRUNNER_AGENT_MINIMUM_FREE_INODES="0")
    assert bench.ended(bench.shell("true"))["@status"] == "FINISHED"
    (place / "filler").write_bytes(b"x" * 12 * MIB)
    agent.wait_for("intake_held")
    assert Asked(agent).get("/readyz")[0] == 503


def test_a_disk_without_inodes_holds_the_intake(bench, mounted):
    place = mounted("size=64m,nr_inodes=300")
    files = [place / f"file-{number}" for number in range(200)]
    for path in files:
        path.touch()

    def recover():
        for path in files:
            path.unlink()

    agent = bench.agent(DUCTRUNNER_AGENT_MINIMUM_FREE_DISK="0", DUCTRUNNER_AGENT_MINIMUM_FREE_INODES="150")
    held_and_released(bench, agent, "inodes", recover)


def test_a_short_memory_holds_the_intake(bench):
    agent = bench.agent(DUCTRUNNER_AGENT_MINIMUM_FREE_MEMORY=str(10**18))
    assert agent.wait_for("intake_held")["reason"] == "memory"
    assert "of memory available, less than minimum_free_memory" in Asked(agent).get("/readyz")[1]
