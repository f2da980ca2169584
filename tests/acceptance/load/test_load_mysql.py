"""``load-mysql`` on a real server: the rows that are there afterwards, mode by mode."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest
import zstandard

from core.errors import CheckFailed, LoadRejected, NotFound, ParameterError, SchemaMismatch, TransactionConflict
from sandbox.parts.mariadb import MariaDbPart
from tests.acceptance.load.conftest import COLUMNS, OLD, Product, numbers


def test_attempts_of_one_instance_append_once_and_the_next_instance_again(mysql: Product) -> None:
    table = mysql.make("name TEXT")
    for attempt in ("@Load_2026-01-01T00:00:00_Attempt=1", "@Load_2026-01-01T00:00:00_Attempt=2", "@Load_2026-01-02"):
        mysql.environment = {"DUCTRUNNER_PIPELINE_ID": "df-1", "DUCTRUNNER_ATTEMPT_ID": attempt}
        mysql.load(table, mysql.values((attempt,)))
    assert [row[0][-10:] for row in mysql.rows(table)] == ["_Attempt=1", "2026-01-02"]


@pytest.mark.parametrize("unique", ["", ", UNIQUE (name)"])
def test_upsert_changes_rows_and_adds_rows_however_often_it_runs(mysql: Product, unique: str) -> None:
    table = mysql.make(COLUMNS + unique, *OLD)
    source = mysql.values((2, "zwei", "2.5"), (3, None, "3"))
    for _ in range(2):
        mysql.load(table, source, mode="upsert")
        assert numbers(mysql.rows(table)) == [OLD[0], (2, "zwei", "2.50"), (3, None, "3.00")]


def test_upsert_never_changes_a_row_that_shares_only_another_unique_key(mysql: Product) -> None:
    table = mysql.make(COLUMNS + ", UNIQUE (name)", *OLD)
    with pytest.raises(LoadRejected, match=r"refused a row.*nothing was changed"):
        mysql.load(table, mysql.values((3, "one", "3")), mode="upsert")
    assert numbers(mysql.rows(table)) == OLD


def test_columns_that_the_files_do_not_hold_keep_their_values_or_get_their_defaults(mysql: Product) -> None:
    table = mysql.make(COLUMNS, *OLD)
    mysql.load(table, mysql.values(("zwei", 2), ("drei", 3)), mode="upsert", columns=["name", "id"])
    assert numbers(mysql.rows(table)) == [OLD[0], (2, "zwei", "2.00"), (3, "drei", "9.50")]


def test_rows_with_one_key_are_chosen_from_also_where_they_are_the_same_or_far_apart(mysql: Product) -> None:
    table = mysql.make("id INT PRIMARY KEY, name VARCHAR(1000)")
    wide = [(number, f"{number}" * 150) for number in range(100_000, 120_000)]  # more than one LOAD DATA takes
    done = mysql.load(table, mysql.values((7, "first"), (8, "x"), (8, "x"), *wide, (7, "last")), mode="upsert")
    assert done.details["left_out"] == 2
    assert mysql.sql(f"SELECT id, name FROM {table} WHERE id < 100") == [(7, "last"), (8, "x")]
    assert mysql.sql(f"SELECT COUNT(*) FROM {table}") == [(len(wide) + 2,)]


def test_rows_that_the_server_numbers_come_in_the_order_of_the_files(mysql: Product) -> None:
    table = mysql.make("name VARCHAR(20) PRIMARY KEY, number INT AUTO_INCREMENT, KEY (number)")
    mysql.load(table, mysql.values(("c",), ("a",), ("b",)), mode="upsert", columns=["name"])
    assert mysql.rows(table, "number") == [("c", 1), ("a", 2), ("b", 3)]


def test_delete_insert_takes_keys_that_several_rows_have(mysql: Product) -> None:
    table = mysql.make("day DATE, n INT", ("2026-01-01", 1), ("2026-01-02", 2), ("2026-01-02", 3))
    source = mysql.values(("2026-01-02", 4), ("2026-01-02", 4), ("2026-01-03", 5))
    for _ in range(2):
        mysql.load(table, source, mode="delete-insert", keys=["day"])
        assert [row[1] for row in mysql.rows(table, "day, n")] == [1, 4, 4, 5]


def test_replace_swaps_the_table_and_keeps_what_belongs_to_it(mysql: Product) -> None:
    table = mysql.make("id INT AUTO_INCREMENT PRIMARY KEY, name VARCHAR(20), KEY named (name)", (1, "a"), (700, "b"))
    mysql.sql(f"CREATE VIEW v_{table} AS SELECT name FROM {table}")
    done = mysql.load(table, mysql.values((0, "zero"), (5, "five")), mode="replace")
    assert (done.details["by"], done.details["inserted"]) == ("swap", 2)
    assert mysql.rows(table) == [(0, "zero"), (5, "five")]
    assert mysql.sql(f"SELECT COUNT(*) FROM v_{table}") == [(2,)]
    [(_, definition)] = mysql.sql(f"SHOW CREATE TABLE {table}")
    assert "KEY `named`" in definition
    assert "AUTO_INCREMENT=701" in definition
    assert mysql.sql("SHOW TABLES LIKE 'ductrunner\\_new%'") == mysql.sql("SHOW TABLES LIKE 'ductrunner\\_old%'") == []


def test_replace_deletes_where_a_swap_would_lose_triggers_or_foreign_keys(mysql: Product) -> None:
    table = mysql.make(COLUMNS, *OLD)
    child = mysql.make(f"id INT, FOREIGN KEY (id) REFERENCES {table} (id)", extra="ENGINE=InnoDB")
    for loaded in (table, child):
        source = mysql.values((9,)) if loaded == child else mysql.values((9, "nine", 9))
        with pytest.raises(ParameterError, match="a swap would not keep the foreign key"):
            mysql.load(loaded, source, mode="replace", replace_by="swap")
        assert mysql.load(loaded, source, mode="replace").details["by"] == "delete"
    mysql.sql(f"CREATE TABLE log_{table} (id INT)", f"DELETE FROM {child}")
    mysql.sql(f"CREATE TRIGGER tr_{table} AFTER INSERT ON {table} FOR EACH ROW INSERT INTO log_{table} VALUES (NEW.id)")
    mysql.load(table, mysql.values((10, "ten", 10)), mode="replace")
    assert mysql.rows(f"log_{table}") == [(10,)]


def test_rows_of_other_tables_are_never_deleted_by_a_cascade(mysql: Product) -> None:
    table = mysql.make(COLUMNS, *OLD)
    child = mysql.make(f"id INT, FOREIGN KEY (id) REFERENCES {table} (id) ON DELETE CASCADE", (1,))
    for mode in ("delete-insert", "replace"):
        with pytest.raises(ParameterError, match="use --mode upsert"):
            mysql.load(table, mysql.values((1, "one", 1)), mode=mode)
    assert mysql.rows(child) == [(1,)]


def test_no_rows_empty_a_table_only_when_that_is_allowed(mysql: Product) -> None:
    table = mysql.make(COLUMNS, *OLD)
    for by in ("swap", "delete"):
        with pytest.raises(CheckFailed, match="--allow-empty"):
            mysql.load(table, mysql.file(""), mode="replace", replace_by=by)
        assert numbers(mysql.rows(table)) == OLD
    mysql.load(table, mysql.file(""), mode="replace", allow_empty=True)
    assert mysql.rows(table) == []


def test_numbers_dates_bytes_and_reserved_words_arrive_as_they_are(mysql: Product) -> None:
    table = mysql.make(
        "`select` DECIMAL(38,10) PRIMARY KEY, `from``to` DATETIME(6), `key` VARBINARY(4), `group` DOUBLE, flag BIT(1),"
        "twice INT AS (LENGTH(`key`) * 2)"
    )
    row = ("9999999999999999999999999999.0123456789", "2026-12-31 23:59:59.999999", "00ff5c0a", "1e-300", "1")
    for mode in ("append", "upsert", "replace"):
        mysql.sql(f"DELETE FROM {table}") if mode == "append" else None
        mysql.load(table, mysql.values(row), mode=mode)
        [found] = mysql.sql(f"SELECT `select`, `from``to`, HEX(`key`), `group`, flag + 0 FROM {table}")
        assert [str(value) for value in found] == [*row[:2], "00FF5C0A", "1e-300", "1"]


@pytest.mark.parametrize("local_infile", [1, 0])
def test_booleans_of_postgres_and_redshift_are_taken_and_other_letters_are_not(
    mysql: Product, mysql_server: MariaDbPart, local_infile: int
) -> None:
    table = mysql.make("id INT PRIMARY KEY, yes BOOLEAN, flag BIT(1), small TINYINT(1)")
    mysql_server.execute(f"SET GLOBAL local_infile = {local_infile}")
    try:
        mysql.load(table, mysql.values(("1", "t", "t", "f"), ("2", "f", "f", "-128"), ("3", None, None, "1")))
        with pytest.raises(LoadRejected, match="line 1, column yes"):
            mysql.load(table, mysql.values(("4", "tt", "f", "1")))
        with pytest.raises(LoadRejected, match="line 1"):
            mysql.load(table, mysql.values(("4", "f", "x", "1")))
    finally:
        mysql_server.execute("SET GLOBAL local_infile = 1")
    found = mysql.sql(f"SELECT id, yes, flag + 0, small FROM {table} ORDER BY id")
    assert found == [(1, 1, 1, 0), (2, 0, 0, -128), (3, None, None, 1)]


@pytest.mark.parametrize("local_infile", [1, 0])
def test_the_year_0000_that_was_a_number_elsewhere_stays_the_year_0000(
    mysql: Product, mysql_server: MariaDbPart, local_infile: int
) -> None:
    table = mysql.make("id INT PRIMARY KEY, y YEAR")
    mysql_server.execute(f"SET GLOBAL local_infile = {local_infile}")
    try:
        mysql.load(table, mysql.values((1, "0"), (2, "0000"), (3, "2155"), (4, None)))
        mysql.load(table, mysql.file('{"id": 5, "y": 0}'), input_format="json")
    finally:
        mysql_server.execute("SET GLOBAL local_infile = 1")
    assert [row[0] for row in mysql.sql(f"SELECT y + 0 FROM {table} ORDER BY id")] == [0, 0, 2155, None, 0]


def test_zero_dates_are_taken_when_that_is_asked_for(mysql: Product) -> None:
    table = mysql.make("d DATE")
    mysql.load(table, mysql.values(("0000-00-00",), ("2026-00-01",)), zero_dates="keep")
    assert mysql.sql(f"SELECT CAST(d AS CHAR) FROM {table} ORDER BY 1") == [("0000-00-00",), ("2026-00-01",)]


def test_compressed_files_a_manifest_and_json_lines_are_read(mysql: Product, tmp_path: Path) -> None:
    table = mysql.make("id BIGINT PRIMARY KEY, v TEXT, price DECIMAL(38,18)")
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "part-0.tsv.gz").write_bytes(gzip.compress(b"1\ta\t1\n2\t\\N\t2\n"))
    (tmp_path / "in" / "part-1.tsv.zst").write_bytes(
        zstandard.compress(b"3\tc\t3\n") + zstandard.compress(b"4\td\t4\n")
    )
    entries = [{"url": name, "meta": {"record_count": 2}} for name in ("part-0.tsv.gz", "part-1.tsv.zst")]
    manifest = {"entries": entries, "schema": {"elements": [{"name": n} for n in ("ID", "V", "price")]}}
    (tmp_path / "in" / "manifest").write_text(json.dumps(manifest))
    mysql.load(table, str(tmp_path / "in"), mode="replace")
    lines = '{"v": "x\\ny", "id": 12345678901234567, "price": 1.000000000000000001, "more": [1]}\n\n'
    lines += '{"id": 5, "v": {"a": 1.10}}'
    mysql.load(table, mysql.file(lines), input_format="json", columns=["id", "v", "price"])
    assert [(i, v, p if p is None else str(p)[:20]) for i, v, p in mysql.rows(table)] == [
        (1, "a", "1.000000000000000000"), (2, None, "2.000000000000000000"), (3, "c", "3.000000000000000000"),
        (4, "d", "4.000000000000000000"), (5, '{"a": 1.10}', None),
        (12345678901234567, "x\ny", "1.000000000000000001"),
    ]  # fmt: skip


def test_headers_and_other_texts_of_null_are_read(mysql: Product) -> None:
    table = mysql.make("id INT PRIMARY KEY, v TEXT")
    source = mysql.file('id,v\n1,\n2,""\n3,NULL\n4,"a,,b"\n', "rows.csv")
    mysql.load(table, source, input_format="csv", ignore_header=1, null_as="", mode="replace")
    assert mysql.rows(table) == [(1, None), (2, ""), (3, "NULL"), (4, "a,,b")]
    mysql.load(table, mysql.file("1\tNULL\n2\tNULL \n"), null_as="NULL", mode="replace")
    assert mysql.rows(table) == [(1, None), (2, "NULL ")]


def test_a_row_that_does_not_fit_is_told_by_file_and_line_without_its_values(mysql: Product) -> None:
    table = mysql.make("id TINYINT PRIMARY KEY, v VARCHAR(3) NOT NULL DEFAULT 'x'", (1, "old"))
    bad = [
        ("3\tabc\n200\tabc\n", "line 2, column id: the value is out of the column's range"),
        ("3\tsecret\n", "line 1, column v: the value (does not fit|is too long)"),
        ("3\t\\N\n", "line 1, column v: NULL"),
        ("3\n", "line 1: it has 1 values"),
        ("3\ta\n4\n", "line 2: it has too few values"),
        ("5\ta\n5\tb\n", "its key is there already"),
    ]
    for content, told in bad:
        for mode in ("append", "replace") if "key" in told else ("append", "replace", "upsert"):
            with pytest.raises(LoadRejected, match=told) as failed:
                mysql.load(table, mysql.file(content), mode=mode)
            assert "rows.tsv" in str(failed.value) or "key" in told
            assert "secret" not in str(failed.value)
            assert mysql.rows(table) == [(1, "old")]


def test_decimals_and_dates_that_would_lose_digits_are_refused(mysql: Product) -> None:
    table = mysql.make("d DECIMAL(5,2), t DATE")
    mysql.load(table, mysql.values(("1.230", "2026-01-01 00:00:00")))
    for row in (("1.234", None), (None, "2026-01-01 10:00:00")):
        for mode in ("append", "replace"):
            with pytest.raises(LoadRejected, match=r"line 1, column .: the value does not fit"):
                mysql.load(table, mysql.values(row), mode=mode)
    assert [(str(d), str(t)) for d, t in mysql.rows(table)] == [("1.23", "2026-01-01")]


def test_what_cannot_be_loaded_is_refused_before_anything_is_changed(mysql: Product) -> None:
    table = mysql.make("id INT, v TEXT, twice INT AS (id * 2)")
    source = mysql.values((1, "a"))
    for error, told, given in [
        (NotFound, "has no table nothing", {"table": "nothing"}),
        (SchemaMismatch, "no column to write other", {"columns": ["id", "other"]}),
        (SchemaMismatch, r"twice \(generated\)", {"columns": ["id", "twice"]}),
        (ParameterError, "has no primary key", {"mode": "upsert"}),
        (ParameterError, "no unique key", {"mode": "upsert", "keys": ["id"]}),
        (ParameterError, "order-by.*not a column", {"mode": "delete-insert", "keys": ["id"], "order_by": "w"}),
        (ParameterError, "host-name.*did you mean 'product'", {"host_name": "produkt"}),
        (NotFound, "no file or directory", {"input": ["/nothing/here"]}),
    ]:
        given = {"table": table, "source": source, **given}
        with pytest.raises(error, match=told):
            mysql.load(given.pop("table"), given.pop("input", given.pop("source")), **given)
    assert mysql.rows(table) == []


def test_null_in_a_key_and_keys_that_may_come_once_only_are_refused(mysql: Product) -> None:
    table = mysql.make("id INT UNIQUE, v TEXT")
    with pytest.raises(LoadRejected, match=r"1 rows .* have NULL in the key id"):
        mysql.load(table, mysql.values((None, "a"), (1, "b")), mode="upsert", keys=["id"])
    with pytest.raises(LoadRejected, match=r"1 keys come several times .* \(2 rows more\)"):
        mysql.load(table, mysql.values((1, "a"), (1, "b"), (1, "c")), mode="upsert", keys=["id"], duplicates="fail")
    assert mysql.rows(table) == []


def test_a_file_that_was_cut_off_is_not_loaded(mysql: Product, tmp_path: Path) -> None:
    table = mysql.make("id INT", (1,))
    (tmp_path / "part-0").write_bytes(b"1\n2\n")
    (tmp_path / "manifest").write_text(json.dumps({"entries": [{"url": "part-0", "meta": {"record_count": 3}}]}))
    for mode in ("append", "replace"):
        with pytest.raises(CheckFailed, match="part-0 holds 2 rows, and its manifest says 3"):
            mysql.load(table, str(tmp_path / "manifest"), mode=mode)
    assert mysql.rows(table) == [(1,)]
    assert mysql.sql("SHOW TABLES LIKE 'ductrunner\\_new%'") == []


def test_a_lock_of_somebody_else_is_waited_for_and_then_told(mysql: Product) -> None:
    table = mysql.make(COLUMNS, *OLD)
    mysql.sql("BEGIN", f"SELECT * FROM {table} FOR UPDATE")
    try:
        for mode in ("replace", "upsert"):
            with pytest.raises(TransactionConflict):
                mysql.load(table, mysql.values((1, "new", 1)), mode=mode, lock_timeout=1)
    finally:
        mysql.sql("ROLLBACK")
    assert numbers(mysql.rows(table)) == OLD
    assert mysql.sql("SHOW TABLES LIKE 'ductrunner\\_new%'") == []


def test_rows_go_by_inserts_where_the_server_forbids_load_data(mysql: Product, mysql_server: MariaDbPart) -> None:
    table = mysql.make("id INT PRIMARY KEY, v TEXT, b VARBINARY(4)", (1, "old", None))
    mysql_server.execute("SET GLOBAL local_infile = 0")
    try:
        for mode in ("upsert", "replace"):
            mysql.load(table, mysql.values((1, "a\\\n", "00ff"), (2, None, None)), mode=mode)
            assert mysql.rows(table) == [(1, "a\\\n", b"\x00\xff"), (2, None, None)]
        with pytest.raises(LoadRejected, match="line 1"):
            mysql.load(table, mysql.values((1, "a", None)))
        decimals = mysql.make("id INT PRIMARY KEY, d DECIMAL(5,2)")
        with pytest.raises(LoadRejected, match="line 2, column d: the value does not fit"):
            mysql.load(decimals, mysql.values((1, "1.230"), (2, "1.234")), mode="upsert")
    finally:
        mysql_server.execute("SET GLOBAL local_infile = 1")
    assert len(mysql.rows(table)) == 2


def test_a_table_without_transactions_is_only_swapped(mysql: Product) -> None:
    table = mysql.make("id INT PRIMARY KEY", (1,), extra="ENGINE=MyISAM")
    for mode in ("append", "upsert"):
        with pytest.raises(ParameterError, match="its engine has no transactions"):
            mysql.load(table, mysql.values((2,)), mode=mode)
    mysql.load(table, mysql.values((2,)), mode="replace")
    assert mysql.rows(table) == [(2,)]


def test_a_key_over_the_beginning_of_a_column_identifies_no_row(mysql: Product) -> None:
    table = mysql.make("v TEXT NOT NULL, n INT, UNIQUE (v(2))")
    with pytest.raises(ParameterError, match=r"no unique key .* \(those are: none\)"):
        mysql.load(table, mysql.values(("abc", 1)), mode="upsert", keys=["v"])
