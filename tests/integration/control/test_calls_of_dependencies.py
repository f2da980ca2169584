"""However many pipelines the account has, and however many runs a pipeline has had: how often the service is asked."""

from __future__ import annotations

import itertools
import secrets
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import botocore.client
import pytest

from core.errors import DependencyFailed
from tests.integration.control.conftest import Looks, Pipelines, run_step

STEP = "pipeline-dependencies"


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Iterator[Counter[str]]:
    """Every call of AWS by its operation."""
    counted: Counter[str] = Counter()
    ask = botocore.client.BaseClient._make_api_call

    def count(client: Any, operation: str, arguments: Any) -> Any:
        counted[operation] += 1
        return ask(client, operation, arguments)

    monkeypatch.setattr(botocore.client.BaseClient, "_make_api_call", count)
    return counted


def test_the_account_is_listed_once_and_a_look_costs_two_calls_for_each_pipeline_that_runs(
    pipelines: Pipelines, calls: Counter[str]
) -> None:
    with ThreadPoolExecutor(8) as crew:
        for number in range(300):
            crew.submit(pipelines.client.create_pipeline, name=f"other-{number}", uniqueId=secrets.token_hex(8))
    done, slow = (pipelines.make()[0] for _ in range(2))
    pipelines.end(done, "FINISHED")
    pages = list(pipelines.client.get_paginator("list_pipelines").paginate())
    assert sum(len(page["pipelineIdList"]) for page in pages) >= 302
    counts: list[Counter[str]] = []

    def look(number: int) -> None:
        counts.append(Counter(calls))
        if number == 4:
            pipelines.end(slow, "FINISHED")
        for operation in ("PollForTask", "ReportTaskProgress", "SetTaskStatus"):
            counts[-1].pop(operation, None)

    calls.clear()
    run_step(STEP, Looks(look), dependencies=(done, slow), refresh_rate=0.01)
    assert counts[0]["ListPipelines"] == len(pages)
    assert counts[0]["QueryObjects"] == counts[0]["DescribeObjects"] == 2
    for before, after in itertools.pairwise(counts[:-1]):
        assert after - before == Counter(QueryObjects=1, DescribeObjects=1), "one pipeline still runs"


def test_what_has_ended_badly_is_told_once_and_not_asked_again(
    pipelines: Pipelines, calls: Counter[str], capsys: pytest.CaptureFixture[str]
) -> None:
    bad, other, slow = (pipelines.make()[0] for _ in range(3))
    for name in (bad, other):
        pipelines.end(name, "FAILED")
    looks = Looks(lambda number: pipelines.end(slow, "FINISHED") if number == 5 else None)
    result = run_step(
        STEP, looks, dependencies_ok_to_fail=(bad, other, bad, slow), sns_topic_arn="None", refresh_rate=0.01
    )
    assert [failure.partition(" ")[0] for failure in result.details["failed"]] == [bad, other]
    said = capsys.readouterr().err
    assert (said.count(bad), said.count(other)) == (1, 1)
    assert calls["Publish"] == 0


def test_a_pipeline_that_has_no_run_today_is_no_endless_wait(pipelines: Pipelines, calls: Counter[str]) -> None:
    name, _ = pipelines.make()
    with pytest.raises(DependencyFailed, match="does not exist today"):
        run_step(STEP, dependencies=(name,), start_date="1999-01-01", refresh_rate=0.01)
    assert calls["QueryObjects"] == 1
    assert calls["DescribeObjects"] == 0, "nothing of other days is described"
