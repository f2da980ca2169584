from __future__ import annotations

from typing import Any

import pytest

DEFINITION = 'CREATE TABLE public.t (id INT, "order" VARCHAR(20), v DECIMAL(10,2), PRIMARY KEY (id, "order"))'


@pytest.fixture
def both(hosts: Any) -> Any:
    hosts.on("source", "CREATE TABLE t (id INT, `order` VARCHAR(20), v DECIMAL(10,2), PRIMARY KEY (id, `order`))")
    hosts.on("redshift", DEFINITION)
    for host in ("source", "redshift"):
        hosts.on(host, "INSERT INTO t VALUES (1, 'a', 1.5), (1, 'b', NULL), (2, 'a', 0), (3, '%s', -1)")
    return hosts


@pytest.mark.parametrize(
    "source",
    [
        ("--source-table", "t"),
        ("--source-table-name", "t"),
        ("--source-sql", "SELECT * FROM t; -- all"),
        ("--source-count-sql", "SELECT COUNT(1) FROM t WHERE `order` LIKE '%'"),
    ],
)
@pytest.mark.parametrize(
    "destination",
    [
        ("--table-definition", DEFINITION),
        ("--destination-table-definition", DEFINITION),
        ("--destination-table-name", "public.t"),
        ("--destination-table-name", '"public"."t"'),
        ("--destination-sql", 'SELECT "order" FROM t'),
        ("--destination-count-sql", "SELECT 4"),
    ],
)
def test_every_way_of_dataduct_to_name_a_side_counts_the_same(
    both: Any, source: tuple[str, str], destination: tuple[str, str]
) -> None:
    done = both.step("count-check", "--source-host", "source", *source, *destination, "--tolerance", "0")
    assert (done.code, done.details.get("source_rows"), done.details.get("destination_rows")) == (0, 4, 4), done.said


def test_the_destination_of_a_count_may_be_any_host(both: Any) -> None:
    words = ("--source-host", "redshift", "--source-table", "public.t", "--destination-host", "source")
    assert both.step("count-check", *words, "--destination-table-name", "t").code == 0


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--source-count-sql", "SELECT 1, 2", "--destination-table-name", "t"], "must return one row with a number"),
        (["--source-count-sql", "SELECT 'x'", "--destination-table-name", "t"], "must return one row with a number"),
        (["--source-table", "t"], "exactly one of --table-definition"),
        (["--source-table", "t", "--source-sql", "SELECT 1", "--destination-table-name", "t"], "exactly one of"),
        (["--source-table", "t", "--destination-table-name", "t", "--destination-host", "x"], "no host 'x'"),
        (["--source-table", "t", "--source-table-name", "u", "--destination-table-name", "t"], "another name"),
        (["--source-sql", " ; -- none", "--destination-table-name", "t"], "a query or condition is empty"),
    ],
)
def test_a_count_without_two_sides_is_refused(both: Any, words: list[str], message: str) -> None:
    done = both.step("count-check", "--source-host", "source", *words)
    assert (done.code, message in done.said) == (2, True), done.said


def test_a_tail_chooses_the_sample_of_the_source(both: Any) -> None:
    both.on("source", "INSERT INTO t VALUES (9, 'missing', 1)")
    look = ("column-check", "--source-host", "source", "--source-sql", "SELECT * FROM t", "--tolerance", "0",
            "--destination-table-definition", DEFINITION)  # fmt: skip
    newest = both.step(*look, "--sql-tail-for-source", "ORDER BY id DESC LIMIT LIMIT_PLACEHOLDER", "--sample-size", "1")
    assert (newest.code, "1 not in the target" in newest.said) == (3, True)
    oldest = both.step(*look, "--sql-tail-for-source", "WHERE id < 9 LIMIT limit_placeholder")
    assert oldest.code == 0, oldest.said


def test_the_column_check_needs_no_definition_beside_a_query_and_keys(both: Any) -> None:
    look = ("column-check", "--source-host", "source", "--source-table", "t", "--tolerance", "0",
            "--destination-sql", "SELECT * FROM t")  # fmt: skip
    assert both.step(*look, "--keys", "id", "ORDER").code == 0
    both.on("redshift", "UPDATE t SET v = 7 WHERE id = 3")
    done = both.step(*look, "--keys", "id", "order")
    assert (done.code, "differ in v (2)" in done.said) == (3, True)
    assert "give --table-definition, or --destination-sql and --keys" in both.step(*look).said


def test_keys_of_several_columns_and_reserved_words_are_checked(both: Any) -> None:
    look = ("primary-key-check", "--table-definition", DEFINITION)
    assert both.step(*look).code == 0
    both.on("redshift", "INSERT INTO t VALUES (1, 'a', 2), (1, 'a', 3), (2, 'a', 1)")
    done = both.step(*look, "--on-failure", "warn")
    assert (done.details["duplicated_keys"], done.details["surplus_rows"], done.details["error_rate"]) == (2, 3, 2.0)
    assert both.step(*look, "--tolerance", "2").code == 0


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--table-definition", "CREATE TABLE t (id INT)"], "t has no such key"),
        (["--table-definition", DEFINITION, "--keys", "nothing"], "t has no such key"),
        (["--table-definition", "CREATE TABLE t (id INT", "--keys", "id"], "InvalidTableDefinition"),
    ],
)
def test_a_key_check_without_a_key_is_refused(both: Any, words: list[str], message: str) -> None:
    done = both.step("primary-key-check", *words)
    assert (done.code != 0, message in done.said) == (True, True), done.said


@pytest.mark.parametrize("host", ["source", "postgres", "redshift"])
def test_keys_of_tables_and_queries_are_checked_on_every_engine(hosts: Any, host: str) -> None:
    hosts.on(host, "CREATE TABLE t (id INT NOT NULL, part VARCHAR(9), v INT, PRIMARY KEY (id))",
             "INSERT INTO t VALUES (1, 'a', 1), (2, 'a', 1), (3, 'a', 2), (4, NULL, 2)")  # fmt: skip
    look = ("primary-key-check", "--host-name", host)
    assert hosts.step(*look, "--table", "t").code == 0
    done = hosts.step(*look, "--table", "t", "--keys", "PART", "v", "--on-failure", "warn")
    found = {"duplicated_keys": 1, "surplus_rows": 1, "rows_with_null_key": 1, "error_rate": 2.0}
    assert found.items() <= done.details.items(), done.said
    assert hosts.step(*look, "--table", "t", "--keys", "v", "--where", "id < 3 -- two").code == 3
    assert hosts.step(*look, "--sql", "SELECT v * 2 AS n FROM t;", "--keys", "n").code == 3
    assert hosts.step(*look, "--table-definition", "CREATE TABLE t (id INT PRIMARY KEY)").code == 0
    hosts.on(host, "CREATE TABLE u (id INT)")
    assert "u has no primary key" in hosts.step(*look, "--table", "u").said
    hosts.on(host, "DROP TABLE u")
    assert "there is no x; there is: id, part, v" in hosts.step(*look, "--table", "t", "--keys", "x").said


@pytest.mark.parametrize(
    "words",
    [(), ("--table", "t", "--sql", "SELECT 1"), ("--sql", "SELECT 1"), ("--table-definition", "x", "--table", "t")],
)
def test_a_key_check_looks_at_one_relation(both: Any, words: tuple[str, ...]) -> None:
    done = both.step("primary-key-check", *words)
    assert (done.code, "--sql" in done.said) == (2, True), done.said


def test_names_are_found_as_they_are_spelled_and_in_the_warehouse_in_small_letters(hosts: Any) -> None:
    hosts.on("source", "CREATE TABLE Ord (id INT PRIMARY KEY)")
    hosts.on("postgres", 'CREATE TABLE "Ord" (id INT PRIMARY KEY)')
    hosts.on("redshift", "CREATE TABLE ord (id INT)")
    try:
        for host, name in (("source", "Ord"), ("postgres", "Ord"), ("postgres", 'public."Ord"'), ("redshift", "Ord")):
            target = ("--destination-host", host, "--destination-table-name", name)
            counted = hosts.step("count-check", "--source-host", "source", "--source-table", "Ord", *target)
            assert counted.code == 0, counted.said
        for host, name in (("postgres", '"Ord"'), ("redshift", "Ord")):
            target = ("--target-host", host, "--target-table", name)
            compared = hosts.step("compare", "--source-host", "source", "--source-table", "Ord", *target)
            assert compared.code == 0, compared.said
    finally:
        hosts.on("source", "DROP TABLE Ord")
        hosts.on("postgres", 'DROP TABLE "Ord"')
        hosts.on("redshift", "DROP TABLE ord")
