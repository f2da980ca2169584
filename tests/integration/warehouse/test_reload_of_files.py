"""A reload of files writes them into the emptied table itself, and a temporary table where that does not do."""

from __future__ import annotations

from typing import Any

import pytest

from core.errors import CheckFailed, LoadRejected

COLUMNS = ("id", "note", "at")
TABLE = (
    "CREATE TABLE t (id INT NOT NULL PRIMARY KEY, note VARCHAR(20), at TIMESTAMP, n BIGINT IDENTITY(1,1), "
    "extra VARCHAR(9) DEFAULT 'none') SORTKEY (at)"
)
LOOSE = "CREATE TABLE loose (a INT, b VARCHAR(9), note VARCHAR(20))"
FORMER = [["1", "old", None], ["2", "old", None]]


@pytest.fixture
def staged(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The temporary tables that a step makes."""
    from steps_impl.warehouse import merge

    made: list[str] = []
    create = merge.create_staging

    def noting(name: Any, *what: Any, **more: Any) -> Any:
        made.append(str(name))
        return create(name, *what, **more)

    monkeypatch.setattr(merge, "create_staging", noting)
    return made


def reload(warehouse: Any, rows: list[list[str | None]], **options: Any) -> Any:
    place = warehouse.put_extract("in", COLUMNS, rows)
    return warehouse.run("reload", **{"table_definition": TABLE, "input": [place], **options})


def rows(warehouse: Any) -> list[tuple[Any, ...]]:
    return warehouse.rows("SELECT id, note, extra FROM t ORDER BY id, note")


@pytest.fixture
def filled(warehouse: Any) -> Any:
    reload(warehouse, FORMER)
    return warehouse


def test_rows_with_every_key_once_need_no_temporary_table(filled: Any, staged: list[str]) -> None:
    done = reload(filled, [["3", "new", None], ["2", "new", "2026-01-01 00:00:00"], ["4", None, None]])
    assert rows(filled) == [(2, "new", "none"), (3, "new", "none"), (4, None, "none")]
    assert staged == []
    expected = {"deleted": 2, "staged": 3, "inserted": 3, "duplicates_dropped": 0, "target_rows": 3}
    assert expected.items() <= done.details.items()
    assert len(filled.rows("SELECT DISTINCT n FROM t")) == 3


def test_of_rows_with_one_key_the_stated_one_wins_and_the_counts_are_of_the_table(
    filled: Any, staged: list[str]
) -> None:
    twice: list[list[str | None]] = [["3", "first", "2026-01-01 00:00:00"], ["3", "last", "2026-02-01 00:00:00"]]
    for _ in range(2):
        done = reload(filled, [*twice, ["4", "x", None]], order_by="at DESC", check_dropped=50)
        assert rows(filled) == [(3, "last", "none"), (4, "x", "none")]
        assert {"deleted": 2, "inserted": 2, "duplicates_dropped": 1}.items() <= done.details.items()
    assert len(staged) == 2
    assert filled.staging_tables() == []
    assert len(filled.rows("SELECT DISTINCT n FROM t")) == 2


@pytest.mark.parametrize("more", [[["5", "x", "no time"]], [["4", "twice", None]], []])
def test_whatever_fails_leaves_the_former_rows(filled: Any, more: list[list[str | None]]) -> None:
    with pytest.raises((LoadRejected, CheckFailed)):
        reload(filled, [["4", "new", None], *more] if more else [], check_dropped=0)
    assert [row[:2] for row in rows(filled)] == [(1, "old"), (2, "old")]
    assert filled.staging_tables() == []


@pytest.mark.parametrize(
    ("policy", "counts"),
    [
        ("match", {"null_keys": 2, "dropped_null_keys": 0, "duplicates_dropped": 1, "inserted": 2}),
        ("drop", {"null_keys": 2, "dropped_null_keys": 2, "duplicates_dropped": 0, "inserted": 1}),
    ],
)
def test_rows_without_a_key_are_treated_as_the_policy_says(warehouse: Any, policy: str, counts: dict[str, int]) -> None:
    new = [["1", "a", "x"], [None, "a", "y"], [None, "a", "z"]]
    place = warehouse.put_extract("loose", ("a", "b", "note"), new)
    options = {"table_definition": LOOSE, "keys": ["a", "b"], "input": [place]}
    for _ in range(2):
        done = warehouse.run("reload", null_keys=policy, **options)
        assert {**counts, "target_rows": counts["inserted"]}.items() <= done.details.items()
    with pytest.raises(CheckFailed, match="2 of 3 staged rows for loose have NULL"):
        warehouse.run("reload", **options)
    assert warehouse.rows("SELECT COUNT(*) FROM loose") == [(counts["inserted"],)]


def test_every_row_comes_where_keys_may_come_twice(filled: Any, staged: list[str]) -> None:
    done = reload(filled, [["3", "a", None], ["3", "b", None]], enforce_primary_key=False)
    assert (rows(filled), staged) == ([(3, "a", "none"), (3, "b", "none")], [])
    assert {"inserted": 2, "duplicates_dropped": 0}.items() <= done.details.items()


def test_a_query_that_asks_for_the_new_rows_beside_the_table_has_them(filled: Any, staged: list[str]) -> None:
    query = "SELECT COUNT(*) - 1 FROM {target} JOIN {staging} USING (id)"
    reload(filled, [["3", "new", None]], check_sql=[query])
    assert (rows(filled), len(staged)) == ([(3, "new", "none")], 1)


def test_a_reload_staged_before_the_lock_is_the_same(filled: Any, staged: list[str]) -> None:
    reload(filled, [["3", "new", None]], stage_before_lock=True)
    assert (rows(filled), len(staged)) == ([(3, "new", "none")], 1)
