from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from core.errors import CheckFailed, LoadRejected, ParameterError, SchemaMismatch

CHECKOUT = Path(__file__).parents[3]
STAGING = "CREATE TABLE raw (id BIGINT, note VARCHAR(9), updated DATE)"
PRODUCTION = "CREATE TABLE t (note VARCHAR(9), id BIGINT NOT NULL DISTKEY, updated DATE, PRIMARY KEY (id)) SORTKEY(id)"
BOTH = {"staging_table_definition": STAGING, "production_table_definition": PRODUCTION}
WAITING = "SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
COLUMNS = ("id", "note", "updated")
OLD = [["1", "old", "2020-01-01"], ["2", "old", "2020-01-01"]]
NEW = [["1", "new", "2020-01-02"], ["3", "first", "2020-01-01"], ["3", "last", "2020-01-09"], ["4", None, None]]


def put(warehouse: Any, name: str, rows: Any) -> str:
    return str(warehouse.put_extract(name, COLUMNS, rows))


def both(warehouse: Any) -> tuple[Any, Any]:
    return (
        [row[0] for row in warehouse.rows("SELECT note FROM raw ORDER BY id, updated")],
        warehouse.rows("SELECT id, note FROM t ORDER BY id"),
    )


@pytest.fixture
def loaded(warehouse: Any) -> Any:
    warehouse.run("load-reload-pk", **BOTH, input=[put(warehouse, "old", OLD)])
    return warehouse


def test_staging_holds_every_row_and_production_one_for_each_key_however_often_it_is_run(loaded: Any) -> None:
    manifest = put(loaded, "new", NEW)
    for _ in range(2):
        result = loaded.run("load-reload-pk", **BOTH, input=[manifest], order_by="updated DESC")
        assert both(loaded) == (["new", "first", "last", None], [(1, "new"), (3, "last"), (4, None)])
    assert {"staged": 4, "duplicates_dropped": 1, "deleted": 3, "inserted": 3}.items() <= result.details.items()
    assert result.details["analyze"] == {"staging": "done", "production": "done"}
    assert loaded.staging_tables() == []


@pytest.mark.parametrize(
    ("rows", "more", "error", "message"),
    [
        (NEW, {"enforce_primary_key": False}, CheckFailed, "1 rows for t have a key that comes twice"),
        ([[None, "n", None]], {}, CheckFailed, "have NULL in id"),
        ([], {}, CheckFailed, "--allow-empty"),
        ([["x", "secret", None]], {}, LoadRejected, "line 1, column id"),
    ],
)
def test_what_must_not_be_in_production_changes_neither_table(
    loaded: Any, rows: Any, more: dict[str, Any], error: type[Exception], message: str
) -> None:
    before = both(loaded)
    with pytest.raises(error, match=message) as caught:
        loaded.run("load-reload-pk", **BOTH, input=[put(loaded, "bad", rows)], **more)
    assert "secret" not in str(caught.value)
    assert both(loaded) == before


def test_rows_without_a_key_may_be_left_out_of_production(loaded: Any) -> None:
    rows = [[None, "none", None], ["7", "seven", None]]
    result = loaded.run("load-reload-pk", **BOTH, input=[put(loaded, "in", rows)], null_keys="drop")
    assert both(loaded) == (["seven", "none"], [(7, "seven")])
    assert {"null_keys": 1, "inserted": 1}.items() <= result.details.items()


def test_nobody_reads_rows_that_are_not_checked_yet(loaded: Any) -> None:
    seen: list[Any] = []
    reader = threading.Thread(target=lambda: seen.append(both(loaded)))

    def look_and_stop() -> None:
        """Everything is in its place and the checks come next: somebody reads, and the step is stopped."""
        reader.start()
        while not loaded.rows(WAITING):
            pass
        loaded.cancelled.set()

    loaded.reporter.at["check"] = look_and_stop
    before = both(loaded)
    with pytest.raises(InterruptedError):
        loaded.run("load-reload-pk", **BOTH, input=[put(loaded, "new", NEW)])
    reader.join()
    assert seen == [before]


def test_production_and_staging_have_to_fit(loaded: Any) -> None:
    manifest = put(loaded, "in", OLD)
    given = {"staging_table_definition": STAGING, "input": [manifest]}
    other = "CREATE TABLE t (id BIGINT PRIMARY KEY, more INT)"
    with pytest.raises(SchemaMismatch, match=r"'more' of production.*'note' of staging is not in production"):
        loaded.run("load-reload-pk", **given, production_table_definition=other)
    with pytest.raises(ParameterError, match="no primary key"):
        loaded.run("load-reload-pk", **given, production_table_definition=STAGING.replace("raw", "t"))
    with pytest.raises(ParameterError, match="both name raw"):
        loaded.run("load-reload-pk", **given, production_table_definition=STAGING)


def test_a_step_that_dies_leaves_both_tables_and_the_next_one_finishes(loaded: Any) -> None:
    path = loaded.config.parent / "parameters.json"
    path.write_text(json.dumps({**BOTH, "input": [put(loaded, "new", NEW)], "order_by": "updated DESC"}))
    command = [sys.executable, "-m", "ductrunner", "step", "load-reload-pk", "--params", str(path)]
    before = both(loaded)
    holder = loaded.connect()
    with holder.cursor() as cursor:
        cursor.execute("SELECT * FROM t")
        with subprocess.Popen(command, env=loaded.environment, cwd=CHECKOUT) as process:
            while not loaded.rows(WAITING):
                pass
            process.send_signal(signal.SIGKILL)
            process.wait()
    holder.rollback()
    holder.close()
    while loaded.rows(WAITING):
        pass
    assert both(loaded) == before
    done = subprocess.run(command, env=loaded.environment, cwd=CHECKOUT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert both(loaded)[1] == [(1, "new"), (3, "last"), (4, None)]
