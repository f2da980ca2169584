"""What is counted of what happens."""

from __future__ import annotations

import pytest

from agent.health import catalogue
from agent.health.attempts import attempt_number, queue_wait
from agent.health.watcher import REMEMBERED

START = 1_767_225_600.0  # 2026-01-01T00:00:00Z


def value(observed, metric, *labels):
    return observed.numbers.read().values[metric].get(labels)


@pytest.mark.parametrize(("number", "expected"), [(1, 1), (3, 3)])
def test_the_number_of_the_try_is_in_the_attempts_id(task, number, expected):
    assert attempt_number(task(number=number)) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [("2026-01-01T00:00:00", 90.0), ("2026-01-01T00:00:00Z", 90.0), ("2026-01-01T01:00:00", 0.0), ("yesterday", None)],
)
def test_the_wait_in_the_queue_begins_at_the_actual_start_time(task, text, expected):
    assert queue_wait(task(at_actualStartTime=text), START + 90) == expected


def test_without_an_actual_start_time_the_wait_is_not_known(task):
    assert queue_wait(task(), START) is None


def test_a_second_try_is_a_retry(observed, task):
    observed.watcher.started("etl", task(number=1))
    assert value(observed, catalogue.RETRIES, "etl") is None
    observed.watcher.started("etl", task(number=2))
    assert value(observed, catalogue.RETRIES, "etl") == 1


def test_a_type_that_the_worker_does_not_run_makes_no_label_of_its_own(observed, ended, task):
    observed.watcher.ended(ended(task=task("MadeUpBySomebody")))
    assert value(observed, catalogue.TASKS, "etl", "other", "finished") == 1


def test_only_the_last_attempts_are_remembered(observed, ended):
    for number in range(3 * REMEMBERED):
        observed.watcher.ended(ended(seconds=float(number)))
    remembered = [entry.seconds for _, entry in observed.watcher.recent()]
    assert len(remembered) == REMEMBERED
    assert remembered[0] == 3 * REMEMBERED - 1


def test_staged_files_and_bytes_are_counted_by_direction(observed):
    observed.watcher.staged("etl", "in", 2, 100)
    observed.watcher.staged("etl", "in", 1, 11)
    observed.watcher.staged("etl", "out", 1, 5)
    assert value(observed, catalogue.STAGED_BYTES, "etl", "in") == 111
    assert value(observed, catalogue.STAGED_FILES, "etl", "in") == 3
    assert value(observed, catalogue.STAGED_BYTES, "etl", "out") == 5


def test_a_histogram_counts_each_observation_in_its_bucket(observed):
    for seconds in (0.05, 0.1, 0.2, 10**6):
        observed.numbers.observe(catalogue.RUN_TIME, seconds, "etl", "other")
    entry = observed.numbers.read().distributions[catalogue.RUN_TIME]["etl", "other"]
    assert entry.counts[:2] == [2, 1]
    assert entry.counts[-1] == 1
    assert entry.total == pytest.approx(10**6 + 0.35)
