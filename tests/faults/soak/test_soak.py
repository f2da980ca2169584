"""Two agents at a service of which every twentieth call fails: no task is lost, none is done or reported twice."""

from __future__ import annotations

from tests.faults.soak.soak import assert_nothing_lost, soak

TASKS = 1500
SEED = 20_121_130


def test_no_task_is_lost_or_told_twice_when_every_twentieth_call_fails(aws_server, tmp_path):
    figures = soak(tmp_path, TASKS, SEED, aws_server.client_environment())
    print(figures)
    assert_nothing_lost(figures)
    assert figures.faults > TASKS * 3 * 0.03
