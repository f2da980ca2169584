"""Lines in CloudWatch's embedded metric format."""

from __future__ import annotations

import json

import pytest

from agent.health import catalogue
from agent.health.emf import Lines
from core.errors import StoreUnreachable
from tests.unit.health.emf_schema import check

NOW = 1_800_000_000.0


@pytest.fixture
def lines(observed):
    return Lines(observed.numbers, ["etl", "reports"], "host-1")


def taken(lines):
    return [check(json.dumps(line)) for line in lines.next(NOW)]


def test_each_group_has_a_line_with_the_dimensions_group_and_group_with_host(lines):
    etl, reports = taken(lines)
    assert (etl["WorkerGroup"], reports["WorkerGroup"]) == ("etl", "reports")
    [directive] = etl["_aws"]["CloudWatchMetrics"]
    assert directive["Namespace"] == "Ductrunner"
    assert directive["Dimensions"] == [["WorkerGroup"], ["WorkerGroup", "Host"]]
    assert etl["_aws"]["Timestamp"] == 1_800_000_000_000


def test_a_counter_is_what_was_added_since_the_line_before(observed, lines, ended):
    observed.watcher.ended(ended("failed"))
    observed.watcher.ended(ended("failed"))
    assert taken(lines)[0]["TasksFailed"] == 2
    assert taken(lines)[0]["TasksFailed"] == 0
    observed.watcher.ended(ended("failed"))
    assert taken(lines)[0]["TasksFailed"] == 1


def test_nothing_that_happened_is_a_zero_from_the_first_line_on(lines):
    first = taken(lines)[0]
    assert {first[name] for name in ("TasksFinished", "TasksLost", "PollErrors", "StagedBytesIn", "Retries")} == {0}


def test_of_many_observations_a_sample_of_a_hundred_is_told_once(observed, lines, ended):
    for number in range(1000):
        observed.watcher.ended(ended(seconds=float(number)))
    values = taken(lines)[0]["RunTime"]
    assert len(values) == 100
    assert max(values) > 200
    assert "RunTime" not in taken(lines)[0]


def test_the_observations_of_all_types_together_are_a_hundred_at_most(observed, lines, ended, task):
    for number in range(300):
        observed.watcher.ended(
            ended(seconds=float(number), task=task("Other" if number % 2 else "ShellCommandActivity"))
        )
    values = taken(lines)[0]["RunTime"]
    assert len(values) == 100
    assert {number % 2 for number in values} == {0, 1}, "both types are among them"


def test_types_and_error_ids_that_had_news_have_lines_of_their_own(observed, lines, ended, task):
    observed.watcher.ended(ended("finished"))
    observed.watcher.ended(ended("failed", task=task("SomeActivity")))
    observed.watcher.polled("etl", taken=False, error=StoreUnreachable("gone"))
    details = [line for line in taken(lines) if "Host" not in line]
    found = {(line.get("Type"), line.get("ErrorId")): line for line in details}
    assert set(found) == {("ShellCommandActivity", None), ("other", None), (None, "StoreUnreachable")}
    assert found["ShellCommandActivity", None]["_aws"]["CloudWatchMetrics"][0]["Dimensions"] == [
        ["WorkerGroup", "Type"]
    ]
    assert found["other", None]["TasksFailed"] == 1
    assert found[None, "StoreUnreachable"]["PollErrors"] == 1
    assert all("Host" in line for line in taken(lines)), "no news, no detail"


def test_what_belongs_to_no_group_is_told_with_the_first(observed, lines):
    observed.numbers.set(catalogue.DISK_FREE, 5)
    etl, reports = taken(lines)
    assert etl["DiskFree"] == 5
    assert "DiskFree" not in reports


def test_every_metric_at_once_fits_into_a_line(observed, lines, ended):
    for metric in catalogue.CATALOGUE:
        labels = tuple("etl" if name == "group" else "finished" for name in metric.labels)
        if metric.kind == "histogram":
            observed.numbers.observe(metric, 1.0, *labels)
        elif metric.spread is None:
            observed.numbers.set(metric, 1.0, *labels)
    assert len(taken(lines)[0]["_aws"]["CloudWatchMetrics"][0]["Metrics"]) > 30


def test_no_two_metrics_have_the_same_name_anywhere():
    names = [metric.name for metric in catalogue.CATALOGUE]
    titles = [
        metric.title + value
        for metric in catalogue.CATALOGUE
        for value in (metric.spread[1] if metric.spread else ("",))
    ]
    assert len(set(names)) == len(names)
    assert len(set(titles)) == len(titles)


def test_labels_are_never_ids():
    used = {label for metric in catalogue.CATALOGUE for label in metric.labels}
    assert used == {"group", "type", "outcome", "direction", "error", "operation"}
