from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from core.errors import SandboxError
from sandbox.datapipeline.instances import Instances
from sandbox.datapipeline.model import Instance, Pipeline, Status
from sandbox.datapipeline.state import State, instance_id
from sandbox.datapipeline.store import SCHEMA_VERSION, Store

HOUR = 3600.0
PIPELINE = "df-1"


def instance(component: str, start: float, length: float = HOUR, run: int = 1) -> Instance:
    return Instance(PIPELINE, instance_id(component, start), component, run, 1, start, start + length, start)


@pytest.fixture
def index() -> Instances:
    index = Instances()
    index.open(PIPELINE)
    return index


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "state.db"


@pytest.fixture
def state_on() -> Iterator[Callable[[Path], State]]:
    """Open a state; every one is closed afterwards."""
    with ExitStack() as stores:

        def opened(database: Path) -> State:
            store = Store(database)
            stores.callback(store.close)
            return State(store)

        yield opened


def write(state: State, *changes: Any) -> None:
    state._store.begin()
    for change in changes:
        change()
    state.flush()
    state._store.commit()


def ids(found: Any) -> list[str]:
    return [entry.id for entry in found]


def test_occurrences_are_in_the_order_of_their_start_however_they_come(index: Instances) -> None:
    for start in (2, 0, 1):
        index.add(instance("A", start * HOUR))
    assert ids(index.occurrences(PIPELINE, 1, "A")) == [instance_id("A", n * HOUR) for n in range(3)]
    found = index.occurrence(PIPELINE, 1, "A", HOUR)
    assert found is not None
    assert found.scheduled_start == HOUR
    assert index.occurrence(PIPELINE, 1, "A", HOUR / 2) is None
    assert index.occurrence(PIPELINE, 1, "B", HOUR) is None


def test_counterparts_are_those_of_the_same_time(index: Instances) -> None:
    hours = [instance("Hourly", n * HOUR) for n in range(-1, 26)]
    day = instance("Daily", 0, 24 * HOUR)
    for entry in [*hours, day]:
        index.add(entry)
    assert list(index.counterparts(day, "Hourly")) == hours[1:25]
    assert list(index.counterparts(hours[5], "Daily")) == [day]
    assert list(index.counterparts(hours[0], "Daily")) == []
    assert list(index.counterparts(hours[3], "Hourly")) == [hours[3]]


def test_the_runs_of_an_on_demand_pipeline_are_apart(index: Instances) -> None:
    first, second = ([instance(name, run, 0, run) for name in "AB"] for run in (1, 2))
    for entry in [*first, *second]:
        index.add(entry)
    assert list(index.counterparts(second[0], "B")) == [second[1]]
    assert index.run(PIPELINE, 1) == first


def test_the_tally_and_the_active_follow_every_status(index: Instances) -> None:
    first, second = instance("A", 0), instance("A", HOUR)
    index.add(first)
    index.add(second)
    first.status = Status.FINISHED
    index.recount(first)
    index.recount(first)
    tally = index.tally(PIPELINE, 1)
    assert (tally[Status.SCHEDULED], tally[Status.FINISHED]) == (1, 1)
    assert index.active(PIPELINE, "A") == [second]
    first.status = Status.SCHEDULED
    index.recount(first)
    assert len(index.active(PIPELINE)) == 2
    assert index.tally("df-other", 1)[Status.FINISHED] == 0


def test_a_shared_component_has_an_instance_for_each_owner_also_after_a_restart(
    database: Path, state_on: Callable[[Path], State]
) -> None:
    state = state_on(database)
    owners = [instance("A", 0), instance("B", 0)]
    pipeline = Pipeline(PIPELINE, "name", "unique", 0.0, run=1)
    write(state, lambda: state.add_pipeline(pipeline), lambda: [state.add_instance(owner) for owner in owners])

    def own() -> None:
        for owner in owners:
            state.add_instance(Instance.owned_by(owner, "Ready", state.new_instance_id("Ready", owner)))

    write(state, own)
    state._store.close()
    again = state_on(database)
    names = []
    for owner in again.instances[PIPELINE].values():
        for owned in again.owned(owner).values():
            names.append(owned.id)
            assert again.owner(owned) is owner
            assert list(again.counterparts(owner, "Ready")) == [owned]
            assert list(again.counterparts(owned, owner.component)) == [owner]
    assert names == [instance_id("Ready", 0), instance_id("Ready", 0) + "_B"]
    assert ids(again.instances_of(again.pipeline(PIPELINE), "Ready")) == names


def test_nothing_is_left_of_a_pipeline_that_is_forgotten(index: Instances) -> None:
    owner = instance("A", 0)
    index.add(owner)
    index.add(Instance.owned_by(owner, "Ready", "@Ready"))
    index.forget(PIPELINE)
    assert index.run(PIPELINE, 1) == []
    assert index.active(PIPELINE) == []
    assert not any(vars(index)[name] for name in vars(index))


def test_a_state_file_of_the_first_format_is_read_and_one_of_a_later_release_is_refused(
    database: Path, state_on: Callable[[Path], State]
) -> None:
    state = state_on(database)
    pipeline, kept = Pipeline(PIPELINE, "name", "unique", 0.0, run=1), instance("A", 0)
    write(state, lambda: state.add_pipeline(pipeline), lambda: state.add_instance(kept))
    state._store.close()
    with sqlite3.connect(database) as connection:
        connection.execute("UPDATE instances SET record = json_remove(record, '$.owner')")
        connection.execute("PRAGMA user_version=1")
    connection.close()
    old = state_on(database)
    assert old.instances[PIPELINE] == {kept.id: kept}
    old._store.close()
    with sqlite3.connect(database) as connection:
        assert connection.execute("PRAGMA user_version").fetchone()[0] == SCHEMA_VERSION
        connection.execute(f"PRAGMA user_version={SCHEMA_VERSION + 1}")
    connection.close()
    with pytest.raises(SandboxError, match="another release"):
        state_on(database)
