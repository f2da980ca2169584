"""Serialization failures that the warehouse itself raises in the middle of a load."""

from __future__ import annotations

from typing import Any

import pytest

TABLE = "CREATE TABLE t (id INT NOT NULL PRIMARY KEY, note VARCHAR(20))"


@pytest.fixture
def filled(warehouse: Any) -> Any:
    """A target with one row, and a source with two."""
    warehouse.rows(TABLE)
    warehouse.rows("INSERT INTO t VALUES (1, 'old')")
    warehouse.rows("CREATE TABLE raw (id INT, note VARCHAR(20))")
    warehouse.rows("INSERT INTO raw VALUES (1, 'new'), (2, 'new')")
    warehouse.rows("CREATE TABLE other (id INT)")
    yield warehouse
    warehouse.rows("CALL sandbox_serialization_failures(0)")


def rows(warehouse: Any) -> Any:
    return warehouse.rows("SELECT id, note FROM t ORDER BY id")


@pytest.mark.parametrize("stage_before_lock", [False, True])
@pytest.mark.parametrize("mode", ["delete-insert", "merge", "append"])
def test_commits_that_fail_with_1023_are_done_again(filled: Any, mode: str, stage_before_lock: bool) -> None:
    filled.rows("CALL sandbox_serialization_failures(2)")
    options = {"mode": mode, "stage_before_lock": stage_before_lock}
    result = filled.run("upsert", table_definition=TABLE, source_table="raw", **options)
    assert result.details["attempts"] == 3
    assert rows(filled) == [(1, "old" if mode == "append" else "new"), (2, "new")]
    assert filled.staging_tables() == []


def cycle(warehouse: Any) -> None:
    """Commit two transactions that the open one can no longer be put in an order with, once it reads ``raw``.

    It began before ``raw`` was written to, which was written by one that did not see what was committed before it.
    """
    writer = warehouse.connect()
    with writer.cursor() as cursor:
        cursor.execute("SELECT COUNT(*) FROM other")
        warehouse.rows("INSERT INTO other VALUES (1)")
        cursor.execute("INSERT INTO raw VALUES (3, 'newest')")
    writer.commit()
    writer.close()


@pytest.mark.parametrize("step", ["upsert", "reload"])
def test_a_conflict_of_real_transactions_is_resolved_with_what_the_others_committed(filled: Any, step: str) -> None:
    filled.reporter.at["stage"] = lambda: cycle(filled)
    result = filled.run(step, table_definition=TABLE, source_table="raw")
    assert result.details["attempts"] == 2
    assert result.details["staged"] == 3
    assert rows(filled) == [(1, "new"), (2, "new"), (3, "newest")]
    assert filled.staging_tables() == []
