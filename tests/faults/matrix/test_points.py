"""The table of points fits the agent."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.faults.matrix.launcher import resolve
from tests.faults.matrix.points import POINTS


@pytest.mark.parametrize("point", POINTS, ids=lambda point: point.name)
def test_each_point_names_a_function_of_the_agent(point):
    assert callable(resolve(point.function)[2])
    assert point.within is None or callable(resolve(point.within)[2])
    assert point.when in {"before", "after"}


def test_there_are_enough_points_and_each_is_a_moment_of_its_own():
    assert len(POINTS) >= 20
    assert Counter(point.name for point in POINTS).most_common(1)[0][1] == 1
    moments = {(point.function, point.when, point.number, point.within) for point in POINTS}
    assert len(moments) == len(POINTS)
