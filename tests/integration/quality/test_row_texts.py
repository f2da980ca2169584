from __future__ import annotations

from typing import Any

import pytest

from steps_impl.quality.comparing.forms import Form
from steps_impl.quality.comparing.mysql_forms import mysql_field, mysql_row
from steps_impl.quality.comparing.postgres_forms import PostgresForms, RedshiftForms
from steps_impl.quality.engines import Column

TEXT = Form("text", free=True)
#: Texts of which any two that stand side by side could be taken for others, were their ends not known.
ODD = ["NULL", "''", "'|'", "'1'", "'1|'", "'|1'", "'1|a'", "'a'", "'2|é|'", "'é'"]


def texts(cursor: Any, expression: str) -> list[str]:
    columns = [f"({' UNION ALL '.join(f'SELECT {value} AS {name}' for value in ODD)}) {name}s" for name in "xyz"]
    cursor.execute(f"SELECT {expression} FROM (SELECT NULL AS n UNION ALL SELECT 1) ns, {', '.join(columns)}")
    return sorted(text for (text,) in cursor.fetchall())


def test_rows_that_differ_have_different_texts_and_every_engine_the_same_ones(hosts: Any) -> None:
    fields = [mysql_field("n", Form("integer")), *(mysql_field(name, TEXT) for name in "xyz")]
    with hosts.mysql.cursor() as cursor:
        expected = texts(cursor, mysql_row(fields))
    assert len(set(expected)) == 2 * len(ODD) ** 3
    for forms, connection in ((PostgresForms(), hosts.postgres), (RedshiftForms(), hosts.redshift)):
        number = forms.field("n::text", Column("n", "integer"), Form("integer"))
        others = [forms.field(f"{name}::varchar", Column(name, "text", utf8=True), TEXT) for name in "xyz"]
        with connection.cursor() as cursor:
            assert texts(cursor, forms.row([number, *others])) == expected


def test_the_text_of_one_column_tells_null_from_nothing(hosts: Any) -> None:
    with hosts.mysql.cursor() as cursor:
        assert len(set(texts(cursor, mysql_row([mysql_field("x", TEXT)])))) == len(ODD)
    field = PostgresForms().field("x::text", Column("x", "text", utf8=True), TEXT)
    with hosts.postgres.cursor() as cursor:
        assert len(set(texts(cursor, PostgresForms().row([field])))) == len(ODD)


def test_texts_that_are_the_same_bytes_in_other_character_sets_differ(hosts: Any) -> None:
    hosts.on("source", "CREATE TABLE t (id INT PRIMARY KEY, a VARCHAR(9), b VARCHAR(9)) CHARACTER SET latin1",
             "INSERT INTO t VALUES (1, 'Ã¤', 'Ã¤'), (2, 'ä', 'é')")  # fmt: skip
    hosts.on("postgres", "CREATE TABLE t (id INT, a TEXT, b TEXT)", "INSERT INTO t VALUES (1, 'ä', 'ä'), (2, 'ä', 'é')")
    assert hosts.compare("postgres", "--on-failure", "warn").details["columns"] == {"a": 1, "b": 1}
    hosts.on("postgres", "UPDATE t SET a = 'Ã¤', b = 'Ã¤' WHERE id = 1")
    assert hosts.compare("postgres").code == 0


@pytest.mark.parametrize("checksum", ["auto", "strong"])
@pytest.mark.parametrize(
    ("change", "different"),
    [
        ("UPDATE t SET v = 3 - v WHERE id IN (1, 2)", 2),
        ("UPDATE t SET v = -v WHERE id = 1", 1),
        ("UPDATE t SET a = b, b = a WHERE id = 2", 1),
        ("UPDATE t SET a = '' WHERE id = 3", 1),
        ("UPDATE t SET b = '0' WHERE id = 3", 1),
        ("UPDATE t SET a = 'buckeroo' WHERE id = 1", 1),  # CRC32 takes it for 'plumless'
        ("UPDATE t SET v = CASE id WHEN 4 THEN 11 WHEN 5 THEN 8 ELSE 11 END WHERE id IN (4, 5, 6)", 3),
        ("UPDATE t SET at = 'infinity' WHERE id = 4", 1),
        ("UPDATE t SET at = '12024-02-29 00:00:01' WHERE id = 5", 1),
        ("UPDATE t SET at = '0044-03-15 00:00:00.1 BC' WHERE id = 6", 1),
    ],
)
def test_changes_that_weak_checksums_miss_are_found(hosts: Any, checksum: str, change: str, different: int) -> None:
    rows = ("(1, 'plumless', 'x', 1, '2024-01-01'), (2, 'x', 'y', 2, '2024-01-01'), (3, NULL, NULL, NULL, NULL), "
            "(4, '', '', 10, '-infinity'), (5, '', '', 10, '12024-02-29 00:00:00.5'), "
            "(6, '', '', 10, '0044-03-15 00:00:00 BC')")  # fmt: skip
    table = "(id INT PRIMARY KEY, a TEXT, b TEXT, v INT, at TIMESTAMP)"
    hosts.on("postgres", f"CREATE TABLE t {table}", f"INSERT INTO t VALUES {rows}", "DROP TABLE IF EXISTS other",
             f"CREATE TABLE other {table}", "INSERT INTO other SELECT * FROM t")  # fmt: skip
    assert hosts.compare("postgres", "--target-table", "other", source="postgres").code == 0
    hosts.on("postgres", change)
    words = ("--target-table", "other", "--on-failure", "warn", "--checksum", checksum)
    done = hosts.compare("postgres", *words, source="postgres")
    assert done.details["different"] == different


@pytest.mark.parametrize("key", ["id", "a"])
def test_the_crc_is_the_same_on_mysql_and_postgres_and_finds_the_rows(hosts: Any, key: str) -> None:
    rows = ", ".join(f"({n}, 'k{n}', {n % 7}.5, 'text é {n % 5}')" for n in range(500))
    table = "(id INT PRIMARY KEY, a VARCHAR(9), v DECIMAL(9,2), b VARCHAR(20))"
    hosts.on("source", f"CREATE TABLE t {table} CHARACTER SET utf8mb4", f"INSERT INTO t VALUES {rows}")
    hosts.on("postgres", f"CREATE TABLE t {table}", f"INSERT INTO t VALUES {rows}")
    words = ("--keys", key, "--on-failure", "warn")
    equal = hosts.compare("postgres", *words).details
    assert (equal["success"], equal["checksum"]) == (True, "crc32c")
    hosts.on("postgres", "UPDATE t SET v = CASE id WHEN 3 THEN 4.5 ELSE 3.5 END WHERE id IN (3, 4)",
             "DELETE FROM t WHERE id = 9", "UPDATE t SET b = NULL WHERE id = 400")  # fmt: skip
    found = hosts.compare("postgres", *words).details
    assert (found["different"], found["missing"], found["extra"]) == (3, 1, 0)


@pytest.mark.parametrize("kind", ["BIGINT", "DECIMAL(38,0)"])
def test_a_crc_is_weighed_by_the_greatest_and_the_least_keys(hosts: Any, kind: str) -> None:
    keys = [0, 1, -1, -(2**63), 2**63 - 1, 1_073_741_789, -1_073_741_789, 2**31 - 1, -(2**31)]
    rows = ", ".join(f"({key}, 'v{key}')" for key in keys)
    for host in ("source", "postgres"):
        hosts.on(host, f"CREATE TABLE t (id {kind} PRIMARY KEY, v VARCHAR(30))", f"INSERT INTO t VALUES {rows}")
    assert hosts.compare("postgres").code == 0
    hosts.on(
        "postgres", f"UPDATE t SET v = 'v' || id WHERE id = {keys[3]}", f"UPDATE t SET v = '' WHERE id = {keys[4]}"
    )
    assert hosts.compare("postgres", "--on-failure", "warn").details["different"] == 1


def test_where_an_engine_has_no_crc_a_digest_is_taken_unless_speed_is_demanded(hosts: Any) -> None:
    for host in ("source", "redshift"):
        hosts.on(host, "CREATE TABLE t (id INT PRIMARY KEY)")
    done = hosts.compare("redshift", "--checksum", "fast")
    assert (done.code, "redshift has no CRC32" in done.said) == (2, True)
    assert hosts.compare("redshift").details["checksum"] == "md5, 60 bits"


def test_columns_of_several_unicode_collations_stand_in_one_text(hosts: Any) -> None:
    hosts.on("source", "CREATE TABLE t (id INT PRIMARY KEY, a VARCHAR(9) COLLATE utf8mb4_bin, b CHAR(9) COLLATE "
             "utf8mb4_unicode_ci, c TEXT CHARACTER SET utf8mb3, d ENUM('ж') CHARACTER SET cp1251, e TEXT CHARACTER SET "
             "utf8mb3 COLLATE utf8mb3_bin)", "INSERT INTO t VALUES (1, '😀', 'é', 'ж', 'ж', 'ẞ')")  # fmt: skip
    hosts.on("postgres", "CREATE TABLE t (id INT, a TEXT, b CHAR(9), c TEXT, d TEXT, e TEXT)",
             "INSERT INTO t VALUES (1, '😀', 'é', 'ж', 'ж', 'ẞ')")  # fmt: skip
    assert hosts.compare("postgres").code == 0
    assert hosts.compare("postgres", "--columns", "c", "e", "--empty-is-null").code == 0
    hosts.on("postgres", "UPDATE t SET e = 'ß'")
    assert hosts.compare("postgres", "--on-failure", "warn").details["columns"] == {"e": 1}
