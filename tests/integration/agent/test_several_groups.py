"""One process serves several worker groups, each with slots of its own."""

from __future__ import annotations

import os

import pytest

from core.errors import SettingsError
from core.settings import load_settings


@pytest.fixture
def two_groups(bench):
    """Starts pipelines of the bench's second group: ``two_groups(command)``; its name is ``two_groups.name``."""

    def shell(command):
        first, bench.group = bench.group, shell.name
        try:
            return bench.shell(command)
        finally:
            bench.group = first

    shell.name = f"{bench.group}-second"
    return shell


def test_tasks_of_every_group_are_done(bench, two_groups):
    agent = bench.agent(f"--workerGroups={two_groups.name}=1")
    first, second = bench.shell("true"), two_groups("true")
    assert bench.ended(first)["@status"] == bench.ended(second)["@status"] == "FINISHED"
    agent.process.terminate()
    assert agent.wait() == 0


def test_slots_belong_to_their_group(bench, two_groups, await_condition):
    """Long work of one group does not keep the other from its slots, and no group takes more than it has."""
    fifo, started = bench.directory / "go", [bench.directory / f"started-{number}" for number in range(2)]
    os.mkfifo(fifo)
    held = [bench.shell(f"touch {path}; cat {fifo}") for path in started]
    bench.agent("--tasks=1", f"--workerGroups={two_groups.name}=1")
    await_condition(lambda: any(path.exists() for path in started), "the first group's slot to be taken")
    assert bench.ended(two_groups("true"))["@status"] == "FINISHED"
    assert sum(path.exists() for path in started) == 1
    fifo.write_text("go")
    await_condition(lambda: all(path.exists() for path in started), "the slot to be taken again")
    fifo.write_text("go")
    assert {bench.ended(pipeline)["@status"] for pipeline in held} == {"FINISHED"}


def test_each_group_beats_for_itself(bench, two_groups, await_condition):
    bench.agent("--taskrunnerId=both", f"--workerGroups={two_groups.name}=1")

    def beating():
        runners = bench.control_get("runners")["taskrunners"]
        return {"both", f"both/{two_groups.name}"} <= runners.keys()

    await_condition(beating, "a heartbeat of each group")


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("reports", "NAME=SLOTS"),
        ("reports=", "NAME=SLOTS"),
        ("=2", "NAME=SLOTS"),
        ("reports=many", "valid integer"),
        ("reports=0", "greater than or equal to 1"),
        ("etl=1", "name it once"),
    ],
)
def test_a_wrong_list_of_groups_is_refused_by_name(value, words):
    variables = {"DUCTRUNNER_AGENT_WORKER_GROUP": "etl", "DUCTRUNNER_AGENT_WORKER_GROUPS": value}
    with pytest.raises(SettingsError, match=words):
        load_settings(None, {**variables, "DUCTRUNNER_CONFIG": "/dev/null"})


def test_groups_are_read_from_the_environment():
    variables = {"DUCTRUNNER_AGENT_WORKER_GROUPS": "reports=1, with=sign=2", "DUCTRUNNER_CONFIG": "/dev/null"}
    assert load_settings(None, variables).agent.worker_groups == {"reports": 1, "with=sign": 2}
