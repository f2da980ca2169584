"""An agent that is killed in the middle of an upsert: another one ends the work, and the tables are right."""

from __future__ import annotations

import json
import os
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

GROUP = "killed"
COUNT = 2000
#: Longer than the service waits for a report of a lost worker, in seconds of its clock, which the test moves.
WINDOW = 1000


@pytest.fixture
def place(
    example: SimpleNamespace, tmp_path: Path, mysql_server: Any, restored_environment: None
) -> Iterator[SimpleNamespace]:
    """A sandbox whose clock the test moves, with everything in place for the first load."""
    options = ("--retry-delay-minimum=0", "--manual-clock")
    with example.machines.running_sandbox(tmp_path / "sandbox", options=options, keep=False) as variables:
        os.environ.clear()
        os.environ.update({**example.machines.clean_environment(), **variables})
        import demo

        configuration = example.databases.read_configuration()
        with (
            closing(example.databases.open_source(configuration)) as source,
            closing(example.databases.open_source(configuration)) as locker,
            closing(example.databases.open_warehouse(configuration)) as warehouse,
        ):
            example.seed.first_load(source, COUNT)
            warehouse.run(f"CREATE SCHEMA {example.check.SCHEMA}")
            demo.upload()
            yield SimpleNamespace(source=source, locker=locker, warehouse=warehouse, base=demo.BASE, output=tmp_path)


def test_after_a_kill_in_the_middle_of_an_upsert_another_agent_ends_the_work(
    example: SimpleNamespace, place: SimpleNamespace
) -> None:
    definition = _comparing_with_a_copy(example, place.output / "pipeline.json")
    place.source.run("CREATE TABLE enrollments_copy AS SELECT * FROM enrollments")
    place.locker.run("LOCK TABLES enrollments_copy WRITE")  # the upsert will wait before its commit
    pipeline = example.service.Pipeline("killed-agent")
    pace = {"myRefreshRate": "0.2", "myRetryDelay": "1 second"}
    pipeline.put(definition, {"myWorkerGroup": GROUP, "myS3Base": place.base, **pace})
    pipeline.activate()
    with example.machines.running_agent(GROUP, place.output / "first", dict(os.environ)) as first:
        _until(lambda: _waits_for_the_copy(place.source))
        first.kill()
        first.wait()
    assert place.warehouse.rows("SELECT tablename FROM pg_tables WHERE tablename = 'enrollments'") == []
    _until(lambda: not _waits_for_the_copy(place.source))  # the step has gone with its agent
    place.locker.run("UNLOCK TABLES")
    place.source.run("DROP TABLE enrollments_copy")
    place.source.run("CREATE VIEW enrollments_copy AS SELECT * FROM enrollments")
    _advance(WINDOW)
    with example.machines.running_agent(GROUP, place.output / "second", dict(os.environ)) as second:
        steps = pipeline.watch(lambda _: None, lambda: _demand_alive(second))
    assert {step.status for step in steps} == {"FINISHED"}, steps
    assert example.check.differences(place.source, place.warehouse) == []
    temporary = "SELECT COUNT(*) FROM pg_class WHERE relname LIKE 'stg%'"
    assert place.warehouse.rows(temporary) == [(0,)]


def _comparing_with_a_copy(example: SimpleNamespace, target: Path) -> Path:
    text = (example.folder / "pipeline.json").read_text("utf-8")
    altered = text.replace("--compare-table enrollments ", "--compare-table enrollments_copy ")
    assert altered != text
    target.write_text(altered, encoding="utf-8")
    return target


def _waits_for_the_copy(source: Any) -> bool:
    query = "SELECT COUNT(*) FROM information_schema.processlist WHERE state LIKE 'Waiting for table%'"
    return bool(source.rows(query)[0][0])


def _until(condition: Callable[[], bool], within: float = 120.0) -> None:
    end = time.monotonic() + within
    while not condition():
        assert time.monotonic() < end, "it did not come to pass"
        time.sleep(0.1)


def _advance(seconds: float) -> None:
    url = f"{os.environ['AWS_ENDPOINT_URL_DATA_PIPELINE']}/_sandbox/clock"
    request = urllib.request.Request(url, json.dumps({"advance": seconds}).encode(), method="POST")
    with urllib.request.urlopen(request) as answer:
        assert answer.status == 200


def _demand_alive(agent: Any) -> None:
    assert agent.poll() is None, "the second agent has ended"
