"""When the statements' own counts show that every staged key is in the target once."""

from __future__ import annotations

import pytest

from steps_impl.tables.parser import parse_table
from steps_impl.warehouse.checks import counts_tell
from steps_impl.warehouse.plan import MergeCounts, MergePlan

TABLE = parse_table("CREATE TABLE t (id INT, kind CHAR(3), size DOUBLE PRECISION, note VARCHAR(9))")


@pytest.mark.parametrize(
    ("keys", "inserted", "tells"),
    [
        (("id",), 3, True),
        (("id", "kind"), 3, True),
        (("id",), 2, False),  # one was there already, perhaps more than once
        (("id",), 4, False),
        (("id", "size"), 3, False),  # two NaN need not be equal: the DELETE may have left one
    ],
)
def test_the_counts_tell_where_every_row_was_inserted_and_keys_equal_themselves(
    keys: tuple[str, ...], inserted: int, tells: bool
) -> None:
    plan = MergePlan(TABLE, ("id", "note"), keys, ())
    assert counts_tell(plan, MergeCounts(unique=3, inserted=inserted)) is tells
