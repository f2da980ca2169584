from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

HOSTS = ["source", "postgres", "redshift"]


@pytest.mark.parametrize("host", HOSTS)
def test_each_column_has_a_limit_of_its_own(hosts: Any, host: str) -> None:
    hosts.on(host, "CREATE TABLE t (id INT, email VARCHAR(20), name VARCHAR(20))",
             "INSERT INTO t VALUES (1, 'a', NULL), (2, NULL, NULL), (3, 'c', ' '), (4, 'd', 'e')")  # fmt: skip
    look = ("null-rate-check", "--host-name", host, "--table", "t", "--columns")
    assert hosts.step(*look, "ID", "email=25", "name=50").code == 0
    done = hosts.step(*look, "id", "email=25", "name=50", "--blank-is-null")
    assert (done.code, "3 of 4 rows have no name" in done.said, "email" in done.said) == (3, True, False)
    assert hosts.step(*look, "email", "--where", "id <> 2").code == 0


def test_a_relation_without_rows_fails_unless_it_may_be_empty(hosts: Any) -> None:
    hosts.on("redshift", "CREATE TABLE t (id INT)")
    look = ("null-rate-check", "--table", "public.t", "--columns", "id=100")
    assert (hosts.step(*look).code, hosts.step(*look, "--allow-empty").code) == (3, 0)


def test_unknown_columns_are_named(hosts: Any) -> None:
    hosts.on("redshift", "CREATE TABLE t (id INT)")
    done = hosts.step("null-rate-check", "--table", "t", "--columns", "id", "e-mail")
    assert (done.code, "there is no e-mail; it has: id" in done.said) == (2, True)


def test_several_reports_of_one_step_stand_in_one_file(hosts: Any, tmp_path: Path) -> None:
    hosts.on("redshift", "CREATE TABLE t (id INT, v INT)", "INSERT INTO t VALUES (1, NULL)")
    done = hosts.step("null-rate-check", "--table", "t", "--columns", "id", "v", "--report", str(tmp_path / "r"),
                      "--on-failure", "warn")  # fmt: skip
    assert done.code == 0
    document = json.loads((tmp_path / "r.json").read_text())
    assert [check["outcome"] for check in document["checks"]] == ["passed", "warning"]
    assert "null-rate of v" in (tmp_path / "r.html").read_text()


#: Words of sql-check and its exit status; the table holds 1, 2, 3, 4.
CASES: list[tuple[list[str], int]] = [
    (["--sql", "SELECT COUNT(*) FROM t", "--number", "4"], 0),
    (["--sql", "SELECT COUNT(*) FROM t", "--number", "5", "--tolerance", "20"], 0),
    (["--sql", "SELECT COUNT(*) FROM t; -- all", "--number", "5", "--tolerance", "19"], 3),
    (["--sql", "SELECT AVG(v * 1.0) FROM t", "--minimum", "2.5"], 0),  # AVG of whole numbers is cut off in Redshift
    (["--sql", "SELECT MAX(v) FROM t", "--minimum", "1", "--maximum", "3"], 3),
    (["--sql", "SELECT v FROM t WHERE v > 4", "--no-rows"], 0),
    (["--sql", "SELECT v, 'secret%s' AS w FROM t", "--no-rows", "--tolerance", "3"], 3),
    (["--sql", "SELECT 1", "--number", "0"], 3),
    (["--sql", "SELECT 0", "--number", "0"], 0),
    (["--sql", "SELECT v FROM t", "--number", "1"], 2),
    (["--sql", "SELECT 'secret%s' AS w", "--number", "1"], 2),
    (["--sql", "SELECT NULL AS n", "--number", "1"], 2),
    (["--sql", "SELECT 0.33", "--number", "0.3", "--tolerance", "10"], 0),  # in floats it is above
    (["--sql", "SELECT 9007199254740993", "--number", "9007199254740992"], 3),  # as floats they are equal
    (["--sql", "SELECT 9007199254740993", "--equal-sql", "SELECT 9007199254740992"], 3),
    (["--sql", "SELECT 9007199254740993", "--maximum", "9007199254740992"], 3),
    (["--sql", "SELECT 1", "--number", "1", "--tolerance", "inf"], 2),
    (["--sql", "SELECT '1e999999999' AS n", "--number", "1"], 2),
    (["--sql", "SELECT 1"], 2),
    (["--sql", "SELECT 1", "--number", "1", "--no-rows"], 2),
    (["--sql", "DROP TABLE t", "--no-rows"], 1),
]


@pytest.mark.parametrize("host", HOSTS)
def test_a_query_of_ones_own_is_held_against_its_expectation(hosts: Any, host: str) -> None:
    hosts.on(host, "CREATE TABLE t (v INT)", "INSERT INTO t VALUES (1), (2), (3), (4)")
    for words, code in CASES:
        done = hosts.step("sql-check", "--host-name", host, *words)
        assert (words, done.code) == (words, code), done.said
        assert "secret" not in done.said


def test_two_hosts_return_the_same_number(hosts: Any) -> None:
    hosts.on("source", "CREATE TABLE t (v DECIMAL(10,2))", "INSERT INTO t VALUES (1.5), (2.5)")
    hosts.on("redshift", "CREATE TABLE t (v DECIMAL(12,4))", "INSERT INTO t VALUES (1.5), (2.5)")
    look = (
        "sql-check",
        "--sql",
        "SELECT SUM(v) FROM t",
        "--equal-sql",
        "SELECT SUM(v) FROM t",
        "--equal-host",
        "source",
    )
    assert hosts.step(*look).code == 0
    hosts.on("redshift", "INSERT INTO t VALUES (0.03)")
    assert (hosts.step(*look).code, hosts.step(*look, "--tolerance", "1").code) == (3, 0)


def test_a_number_that_is_none_leaves_a_report_that_is_json(hosts: Any, tmp_path: Path) -> None:
    look = ("sql-check", "--host-name", "postgres", "--sql", "SELECT 'NaN'::float8", "--number", "1")
    done = hosts.step(*look, "--on-failure", "warn", "--report", str(tmp_path / "r.json"))
    assert (done.code, done.details["error_rate"]) == (0, None)
    (check,) = json.loads((tmp_path / "r.json").read_text())["checks"]
    assert (check["error_rate"], check["finding"]) == (None, "the query returns NaN; expected is 1")


def test_columns_of_json_are_never_blank(hosts: Any) -> None:
    hosts.on("postgres", "CREATE TABLE t (j json)", "INSERT INTO t VALUES ('{}'), (NULL)")
    look = ("null-rate-check", "--host-name", "postgres", "--table", "t", "--columns", "j=50", "--blank-is-null")
    assert hosts.step(*look).code == 0
