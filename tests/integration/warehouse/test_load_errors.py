"""The lines that COPY refuses are told by every loading step: those of this load, without the data in them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg2
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from core.errors import LoadRejected, StatementFailed
from sandbox.parts.postgres import PostgresPart

TABLE = "CREATE TABLE t (id INT NOT NULL PRIMARY KEY, note VARCHAR(5))"
COLUMNS = ("id", "note")
STEPS: dict[str, dict[str, Any]] = {
    "create-load-redshift": {"table_definition": TABLE},
    "upsert": {"table_definition": TABLE},
    "load-redshift": {"table": "t"},
    "load-reload-pk": {
        "staging_table_definition": TABLE.replace(" t ", " raw "),
        "production_table_definition": TABLE,
    },
}


@pytest.fixture
def administrator(warehouse: Any, postgres_server: PostgresPart) -> Iterator[Any]:
    a = postgres_server.superuser
    link = psycopg2.connect(
        host=a.host, port=a.port, dbname=warehouse.address.database, user=a.username, password=a.password
    )
    link.autocommit = True
    with link.cursor() as cursor:
        yield cursor.execute
        cursor.execute("GRANT SELECT ON pg_catalog.sys_load_error_detail, pg_catalog.stl_load_errors TO PUBLIC")
    link.close()


def refused(warehouse: Any, step: str, value: str) -> str:
    rows = [[str(number), "ok"] for number in range(7)]
    rows[3:] = [[f"{value}-{number}", "x"] for number in range(6)]
    with pytest.raises(LoadRejected) as caught:
        warehouse.run(step, **STEPS[step], input=[warehouse.put_extract("in", COLUMNS, rows)])
    return str(caught.value)


@pytest.mark.parametrize("step", STEPS)
def test_each_loading_step_names_file_line_column_and_reason_of_its_own_load(warehouse: Any, step: str) -> None:
    warehouse.rows(TABLE)
    refused(warehouse, step, "earlier")
    message = refused(warehouse, step, "secret")
    assert "in/part-0000.tsv.gz line 4, column id (" in message
    assert message.count("line 4") == 1
    assert "secret" not in message


def test_a_warehouse_without_the_view_is_asked_for_the_old_log(warehouse: Any, administrator: Any) -> None:
    warehouse.rows(TABLE)
    administrator("REVOKE SELECT ON pg_catalog.sys_load_error_detail FROM PUBLIC")
    message = refused(warehouse, "upsert", "secret")
    assert "in/part-0000.tsv.gz line 4, column id (" in message
    assert "secret" not in message


def test_a_log_that_cannot_be_read_does_not_hide_that_the_load_was_refused(warehouse: Any, administrator: Any) -> None:
    warehouse.rows(TABLE)
    administrator("REVOKE SELECT ON pg_catalog.sys_load_error_detail, pg_catalog.stl_load_errors FROM PUBLIC")
    message = refused(warehouse, "load-redshift", "secret")
    assert "which lines it is cannot be told" in message
    assert "secret" not in message


def test_files_with_types_of_their_own_are_refused_with_the_column_and_both_types(warehouse: Any) -> None:
    warehouse.rows(TABLE)
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table({"id": pa.array([1], pa.int32()), "note": [7]}), sink)
    where = warehouse.put("in/part.parquet", sink.getvalue().to_pybytes())
    with pytest.raises(StatementFailed, match=r"column note is VARCHAR, the files hold int64 note") as caught:
        warehouse.run("load-redshift", table="t", input=[where], input_format="parquet")
    assert "\n" not in str(caught.value)
