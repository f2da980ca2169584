from __future__ import annotations

import pytest

from core.errors import ParameterError, SchemaMismatch
from steps_impl.tables.parser import parse_table
from steps_impl.warehouse.history_plan import plan_history

TABLE = parse_table(
    "CREATE TABLE t (n BIGINT IDENTITY(1,1), id INT PRIMARY KEY, more SUPER, note VARCHAR(9), loaded TIMESTAMP)"
)
HISTORY = parse_table(
    "CREATE TABLE h (note VARCHAR(9), id INT, more SUPER, n BIGINT, effective_ts TIMESTAMP, expiration_ts TIMESTAMP)"
)
IGNORED = ("more", "loaded")


def test_columns_are_kept_in_the_order_of_the_history_and_compared_unless_they_are_ignored() -> None:
    plan = plan_history(TABLE, HISTORY, ("id",), IGNORED)
    assert (plan.columns, plan.compared) == (("note", "id", "more", "n"), ("note",))


def test_a_type_that_cannot_be_compared_is_to_be_left_out_by_name() -> None:
    with pytest.raises(SchemaMismatch, match="'more' is super, which cannot be compared; name it in --history-ignore"):
        plan_history(TABLE, HISTORY, ("id",), ("loaded",))


@pytest.mark.parametrize(
    ("keys", "ignored", "what"),
    [
        (("id",), (*IGNORED, "nowhere"), "--history-ignore: 'nowhere' is not a column of t"),
        (("id",), (*IGNORED, "id"), "--keys: 'id' is a key"),
        (("loaded",), ("more",), "--keys: 'loaded' is a key"),
    ],
)
def test_names_that_do_not_serve_are_refused(keys: tuple[str, ...], ignored: tuple[str, ...], what: str) -> None:
    with pytest.raises(ParameterError, match=what):
        plan_history(TABLE, HISTORY, keys, ignored)


def test_a_table_with_the_columns_of_a_history_is_refused() -> None:
    table = parse_table("CREATE TABLE t (id INT PRIMARY KEY, effective_ts TIMESTAMP)")
    with pytest.raises(SchemaMismatch, match="'effective_ts' belongs to the history alone"):
        plan_history(table, HISTORY, ("id",), ())
