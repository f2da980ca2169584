"""What the clients of a cluster say of their jobs is understood."""

from __future__ import annotations

import pytest

from steps_impl.activities.cluster.jobs import JobWatch

HADOOP = """\
2026-11-26 09:29:59,043 INFO Job: The url to track the job: http://rm:8088/proxy/application_1700000000000_12345/
2026-11-26 09:29:59,043 INFO Job: Running job: job_1700000000000_12345
2026-11-26 09:30:01,043 INFO Job:  map 0% reduce 0%
2026-11-26 09:30:05,043 INFO Job:  map 100% reduce 50%
"""


def watched(text: str) -> tuple[JobWatch, list[tuple[float | None, str | None]]]:
    told: list[tuple[float | None, str | None]] = []
    watch = JobWatch(lambda percent, page: told.append((percent, page)))
    for line in text.splitlines():
        watch.look(line)
    return watch, told


def test_progress_page_and_id_of_a_job_are_read() -> None:
    watch, told = watched(HADOOP)
    page = "http://rm:8088/proxy/application_1700000000000_12345/"
    assert told == [(None, page), (0.0, page), (75.0, page)]
    assert watch.applications == {"application_1700000000000_12345"}


@pytest.mark.parametrize(
    ("line", "percent"),
    [
        ("2026-11-26 09:30:51,398 Stage-1 map = 50%,  reduce = 0%, Cumulative CPU 1.2 sec", 25.0),
        ("[main] INFO  MapReduceLauncher - 40% complete", 40.0),
        ("the disk is 40% full", None),
    ],
)
def test_percentages_of_hive_and_pig_are_read(line: str, percent: float | None) -> None:
    _, told = watched(line)
    assert [told[0] for told in told] == ([percent] if percent is not None else [])


@pytest.mark.parametrize(
    "line",
    [
        "INFO impl.YarnClientImpl: Submitted application application_1_0001",
        "Starting Job = job_1_0001, Tracking URL = http://rm/",
        "HadoopJobId: job_1_0001",
    ],
)
def test_applications_of_other_clients_are_known(line: str) -> None:
    assert watched(line)[0].applications == {"application_1_0001"}


def test_an_id_that_is_merely_mentioned_is_not_taken_for_ours() -> None:
    assert watched("waiting for application_1_0001 of somebody else")[0].applications == set()


def test_a_failed_job_is_remembered() -> None:
    watch, _ = watched("INFO Job: Job job_1_0001 failed with state FAILED due to: Task failed")
    assert watch.failed == {"job_1_0001": "FAILED"}
