"""Several connections and several files: each row once, one state of the table, even files."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pymysql
import pytest
import yaml

from core.errors import AccessDenied, ParameterError, TransactionConflict, UnsupportedValue
from core.sections.databases import MySqlHost
from steps_impl.contract import StepContext
from steps_impl.extract import mysql_snapshot, rds
from steps_impl.extract.mysql_origin import MySqlOrigin
from steps_impl.extract.query import Typing
from steps_impl.extract.ranges import range_conditions, split_columns
from tests.integration.extract.readers import manifest, records
from tests.integration.extract.test_extract_formats import from_postgres, postgres_source  # noqa: F401
from tests.phases import Silent

TABLES = {
    "gaps": ("id BIGINT PRIMARY KEY", [(number,) for number in [-(2**62), *range(100), 2**62]]),
    "composite": ("a INT, b VARCHAR(9), PRIMARY KEY (a, b)", [(n // 60, f"k{n % 60}") for n in range(120)]),
    "texts": ("id VARCHAR(20) PRIMARY KEY", [(f"{'aAzZé😀'[n % 6]}'{n}",) for n in range(90)]),
    "moments": ("at TIMESTAMP(6) PRIMARY KEY", [(f"2024-01-01 00:00:{n % 60:02}.{n:05}1",) for n in range(80)]),
}


def values(rows: list[dict[str, Any]]) -> list[tuple[str, ...]]:
    return sorted(tuple(str(value) for value in row.values()) for row in rows)


def expected(rows: list[tuple[Any, ...]]) -> list[tuple[str, ...]]:
    return sorted(tuple(str(value) for value in row) for row in rows)


@pytest.mark.parametrize("shape", TABLES)
def test_every_row_of_a_mysql_table_is_read_once(source, shape):
    columns, rows = TABLES[shape]
    source.execute(f"CREATE TABLE t ({columns}) CHARACTER SET utf8mb4")
    source.insert("t", rows)
    assert source.extract(table="t", parallel=4, files=3).rows == len(rows)
    assert values(records(source.output)) == expected(rows)
    assert max(counts(source.output)) - min(counts(source.output)) <= 1


@pytest.mark.parametrize("shape", TABLES)
def test_every_row_of_a_postgres_table_is_read_once(postgres_source, tmp_path, shape):  # noqa: F811
    columns, rows = TABLES[shape]
    postgres_source.execute(f"CREATE TABLE t ({columns})")
    postgres_source.executemany(f"INSERT INTO t VALUES ({', '.join(['%s'] * len(rows[0]))})", rows)
    assert from_postgres(tmp_path / "out", table="own.t", parallel=4, files=3).rows == len(rows)
    assert values(records(tmp_path / "out")) == expected(rows)


def counts(output: Any) -> list[int]:
    return [entry["meta"]["record_count"] for entry in manifest(output)["entries"]]


def test_what_is_sorted_in_another_way_than_it_compares_makes_no_ranges(source):
    source.execute("CREATE TABLE t (n INT, e ENUM('z', 'm', 'a'), b VARBINARY(9), PRIMARY KEY (n, e))")
    source.insert("t", [(n // 3, "zma"[n % 3], b"\xff") for n in range(30)])
    for given in ({"table": "t"}, {"sql": "SELECT * FROM t"}):
        for column in ("e", "b"):
            with pytest.raises(ParameterError, match=f"--split-by {column}: rows cannot be told apart"):
                source.extract(**given, parallel=3, split_by=column)
            with pytest.raises(ParameterError, match=f"--cursor-column {column}: rows cannot be told apart"):
                source.extract(**given, cursor_column=column)
    assert source.extract(table="t", parallel=3).rows == len(records(source.output)) == 30


def test_rows_without_a_split_value_and_with_many_equal_ones_are_not_lost(source):
    rows = [(n, None if n % 5 == 0 else 7 if n % 5 < 4 else n) for n in range(200)]
    source.execute("CREATE TABLE t (id INT, part INT)")
    source.insert("t", rows)
    source.extract(table="t", parallel=4, split_by="part")
    assert values(records(source.output)) == expected([(a, "None" if b is None else b) for a, b in rows])


def test_a_query_is_read_in_ranges_where_the_column_is_named(postgres_source, tmp_path):  # noqa: F811
    query = {"sql": "SELECT n, n % 7 AS r FROM generate_series(1, 500) AS n", "parallel": 3}
    assert from_postgres(tmp_path / "out", **query, split_by="r").rows == 500
    with pytest.raises(ParameterError, match="give --split-by"):
        from_postgres(tmp_path / "out", **query)


@contextmanager
def origin_of(source: Any, **parameters: Any) -> Iterator[MySqlOrigin]:
    given = rds.ExtractRdsParameters(host_name="source", output="-", **parameters)
    with ExitStack() as stack:
        yield MySqlOrigin(MySqlHost(**source.entry), given, StepContext(Silent()), stack, retries=0, typing=Typing())


def test_ranges_are_even_in_rows_whatever_the_values(source):
    source.execute("CREATE TABLE t (id BIGINT PRIMARY KEY)")
    source.insert("t", [(number**6,) for number in range(1001)])
    with origin_of(source, table="t") as origin:
        columns = split_columns(None, origin.relation)
        conditions = range_conditions(origin.relation, origin.dialect, origin.ask, "", columns, 4)
        sizes = [int(next(iter(origin.ask(origin.relation.counting(part))))[0]) for part in conditions]
    assert sizes == [250, 250, 250, 251]


def move_until(stop: threading.Event, source: Any) -> None:
    """Move one from the first row to the last and back, in transactions that never change the sum."""
    address = source.address
    with (
        pymysql.connect(**address.mysql_login) as connection,
        connection.cursor() as cursor,
    ):
        step = 1
        while not stop.is_set():
            cursor.execute("UPDATE t SET v = v - %s WHERE id = 0", (step,))
            cursor.execute("UPDATE t SET v = v + %s WHERE id = 399", (step,))
            connection.commit()
            step = -step


def test_all_connections_see_one_state_while_others_write(source):
    source.execute("CREATE TABLE t (id INT PRIMARY KEY, v INT)")
    source.insert("t", [(number, 10) for number in range(400)])
    stop = threading.Event()
    writer = threading.Thread(target=move_until, args=(stop, source))
    writer.start()
    try:
        for _ in range(5):
            source.extract(table="t", parallel=4)
            assert sum(int(row["v"]) for row in records(source.output)) == 4000
    finally:
        stop.set()
        writer.join()


JOINED = """
SELECT a.id, a.v AS `where`, 'FROM nowhere, x' AS text -- , y
FROM t a /* JOIN z */ LEFT JOIN `other` AS `o``o` ON `o``o`.id = a.id, (SELECT COUNT(*) AS n FROM t AS inner_t) AS s"""


def test_all_connections_of_a_query_see_one_state_while_others_write(source):
    source.execute("CREATE TABLE t (id INT PRIMARY KEY, v INT)", "CREATE TABLE other (id INT PRIMARY KEY)")
    source.insert("t", [(number, 10) for number in range(400)])
    stop = threading.Event()
    writer = threading.Thread(target=move_until, args=(stop, source))
    writer.start()
    try:
        for _ in range(5):
            result = source.extract(sql=JOINED, parallel=4, split_by="id")
            assert "one_connection_because" not in result.details
            assert sum(int(row["where"]) for row in records(source.output)) == 4000
    finally:
        stop.set()
        writer.join()


@pytest.mark.parametrize(
    ("sql", "why"),
    [
        ("SELECT id FROM t UNION ALL SELECT id FROM t", "two names"),
        ("SELECT id FROM old", "old is no table of InnoDB"),
        ("SELECT id FROM shown", "shown is no table of InnoDB"),
        ("SELECT seq AS id FROM seq_1_to_3", "seq_1_to_3 is no table of InnoDB"),
        ("SELECT 1 AS id", "names no table"),
        ("SELECT f() AS id FROM other", "two names"),
    ],
)
def test_a_query_of_which_nobody_can_tell_what_it_reads_is_read_by_one_connection(source, sql, why):
    source.execute(
        "CREATE TABLE t (id INT PRIMARY KEY)", "INSERT INTO t VALUES (1), (2)", "CREATE VIEW shown AS SELECT id FROM t",
        "CREATE TABLE other (id INT)", "INSERT INTO other VALUES (1)", "CREATE TABLE old (id INT) ENGINE=MyISAM",
        "CREATE OR REPLACE FUNCTION f() RETURNS INT READS SQL DATA RETURN (SELECT MAX(id) FROM t)",
    )  # fmt: skip
    alone = source.extract(sql=sql)
    result = source.extract(sql=sql, parallel=3, split_by="id")
    assert why in result.details["one_connection_because"]
    assert result.rows == alone.rows
    source.execute("DROP FUNCTION f")


def test_postgres_connections_share_one_snapshot(postgres_source, tmp_path, monkeypatch):  # noqa: F811
    from steps_impl.extract import extraction

    postgres_source.execute("CREATE TABLE t AS SELECT n AS id, 10 AS v FROM generate_series(0, 399) AS n")
    postgres_source.execute("ALTER TABLE t ADD PRIMARY KEY (id)")
    read_all = extraction.read_all

    def change_first(*arguments: Any) -> None:
        postgres_source.execute("UPDATE t SET v = v + 1; INSERT INTO t VALUES (1000, 1)")
        read_all(*arguments)

    monkeypatch.setattr(extraction, "read_all", change_first)
    assert from_postgres(tmp_path / "out", table="own.t", parallel=4).rows == 400
    assert sum(int(row["v"]) for row in records(tmp_path / "out")) == 4000


def test_an_open_transaction_that_has_written_is_waited_for_but_not_for_ever(source, monkeypatch):
    monkeypatch.setattr(mysql_snapshot, "LOCK_WAIT", 1)
    source.execute("CREATE TABLE t (id INT PRIMARY KEY)", "BEGIN", "INSERT INTO t VALUES (1)")
    with pytest.raises(TransactionConflict):
        source.extract(table="t", parallel=2)
    source.execute("COMMIT")
    assert source.extract(table="t", parallel=2).rows == 1


def test_a_missing_right_to_lock_is_named(source, mysql_server, tmp_path, monkeypatch):
    source.execute("CREATE TABLE t (id INT PRIMARY KEY)", "INSERT INTO t VALUES (1)")
    database = source.address.database
    mysql_server.execute("CREATE OR REPLACE USER reader IDENTIFIED BY 'reads-only'")
    mysql_server.execute(f"GRANT SELECT ON {database}.* TO reader")
    entry = {**source.entry, "username": "reader", "password": "reads-only"}
    (tmp_path / "reader.yaml").write_text(
        yaml.safe_dump({"mysql": {"source": entry}, "etl": {"connection_retries": 0}})
    )
    monkeypatch.setenv("DUCTRUNNER_CONFIG", str(tmp_path / "reader.yaml"))
    with pytest.raises(AccessDenied, match="needs the right LOCK TABLES"):
        source.extract(table="t", parallel=2)
    with pytest.raises(AccessDenied, match="needs the right LOCK TABLES"):
        source.extract(sql="SELECT id FROM t", parallel=2, split_by="id")
    mysql_server.execute(f"GRANT LOCK TABLES ON {database}.* TO reader")
    result = source.extract(sql="SELECT id FROM t", parallel=2, split_by="id")
    assert (result.rows, "one_connection_because" in result.details) == (1, False)
    assert source.extract(table="t").rows == 1
    mysql_server.execute("DROP USER reader")


def test_a_table_that_shows_no_one_state_is_refused(source):
    source.execute("CREATE TABLE t (id INT PRIMARY KEY) ENGINE=MyISAM")
    with pytest.raises(ParameterError, match="t is no table of InnoDB"):
        source.extract(table="t", parallel=2)


def test_a_refused_value_in_one_range_stops_all_and_leaves_nothing(source):
    source.execute(
        "CREATE TABLE t (id INT PRIMARY KEY, d DATE)",
        "INSERT INTO t SELECT seq, IF(seq = 2900, '0000-00-00', '2024-01-01') FROM seq_1_to_3000",
    )
    with pytest.raises(UnsupportedValue, match="column d"):
        source.extract(table="t", parallel=3, files=4)
    assert not list(source.output.iterdir())


@pytest.mark.parametrize("files", [3, 12])
def test_files_are_even_in_rows_and_bytes_where_rows_grow(source, files):
    source.execute(
        "CREATE TABLE t (id INT PRIMARY KEY, a TEXT)",
        "INSERT INTO t SELECT seq, REPEAT(MD5(seq), IF(seq > 2000, 20, 1)) FROM seq_1_to_4000",
    )
    source.extract(table="t", files=files, compression="none")
    sizes = [(source.output / entry["url"]).stat().st_size for entry in manifest(source.output)["entries"]]
    assert len(sizes) == files
    assert max(counts(source.output)) - min(counts(source.output)) <= 1
    if files == 3:
        assert max(sizes) < 1.1 * min(sizes)
    assert sorted(int(row["id"]) for row in records(source.output)) == list(range(1, 4001))
