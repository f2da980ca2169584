from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from typing import Any

import pytest

from steps_impl.quality.sampling import SampleComparison, SampleReport, Side, chance_of, key_condition

Compare = Callable[[Sequence[tuple[Any, ...]], Sequence[tuple[Any, ...]]], SampleComparison]

TYPES = {"id": "bigint", "name": "varchar(20)"}


def side(connection: sqlite3.Connection, rows: Sequence[tuple[Any, ...]]) -> Side:
    """A relation in SQLite, a real engine that is always there (its RANDOM() is scaled to 0..1)."""
    connection.execute("CREATE TABLE t (id, name)")
    connection.executemany("INSERT INTO t VALUES (?, ?)", rows)

    def fetch(sql: str, values: Sequence[Any]) -> list[Any]:
        return connection.execute(sql.replace("%s", "?"), list(values)).fetchall()

    chance = "(ABS(RANDOM()) / 9223372036854775808.0)"
    return Side(fetch=fetch, quote=lambda name: f'"{name}"', relation="t", random=chance)


@pytest.fixture
def compare() -> Iterator[Compare]:
    """Make a comparison of two lists of rows."""
    with closing(sqlite3.connect(":memory:")) as one, closing(sqlite3.connect(":memory:")) as other:
        yield lambda source, target: SampleComparison(side(one, source), side(other, target), TYPES, ["id"])


ROWS = [(number, f"name {number}") for number in range(500)]


def test_equal_relations_have_no_difference(compare: Compare) -> None:
    comparison = compare(ROWS, ROWS)
    report = comparison.from_source(1000) + comparison.from_target(1000)
    assert report == SampleReport(compared=1000)
    assert report.error_rate == 0.0


def test_a_value_that_differs_is_counted_with_its_column(compare: Compare) -> None:
    report = compare(ROWS, [(0, "other"), *ROWS[1:]]).from_source(1000)
    assert (report.different, dict(report.columns), report.error_rate) == (1, {"name": 1}, 0.2)


def test_null_and_the_empty_string_differ(compare: Compare) -> None:
    assert compare([(1, None)], [(1, "")]).from_source(10).different == 1


def test_a_row_that_is_missing_on_either_side_is_counted(compare: Compare) -> None:
    comparison = compare(ROWS[:-1], ROWS[1:])
    assert comparison.from_source(1000).missing_in_target == 1
    assert comparison.from_target(1000).missing_in_source == 1


def test_a_null_key_finds_its_row(compare: Compare) -> None:
    assert compare([(None, "x")], [(None, "x")]).from_source(10) == SampleReport(compared=1)


def test_an_equal_row_among_several_of_one_key_is_no_difference(compare: Compare) -> None:
    assert compare([(1, "old"), (1, "new")], [(1, "new")]).from_target(10) == SampleReport(compared=1)


def test_a_sample_is_about_its_size_and_no_larger(compare: Compare) -> None:
    report = compare(ROWS, ROWS).from_source(50)
    assert 20 < report.compared <= 50


def test_nothing_to_compare_has_no_error_rate(compare: Compare) -> None:
    assert compare([], []).from_source(10).error_rate is None


def test_values_of_keys_travel_as_parameters() -> None:
    condition, values = key_condition(['"a"', '"b"'], [(1, None), ("x'", 2)])
    assert condition == '("a" = %s AND "b" IS NULL) OR ("a" = %s AND "b" = %s)'
    assert values == [1, "x'", 2]


def test_a_sample_of_one_row_finds_a_row_in_a_large_table(compare: Compare) -> None:
    many = [(number, "x") for number in range(20_000)]
    assert compare(many, many).from_target(1).compared == 1
    assert chance_of(1, 20_000) == pytest.approx(21.3 / 20_000)
