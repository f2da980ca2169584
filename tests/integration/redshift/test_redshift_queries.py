"""Clauses and functions of Redshift that Postgres lacks or means otherwise, and what is refused by name."""

from __future__ import annotations

from decimal import Decimal

import psycopg2
import pytest


@pytest.fixture
def rows(run):
    """Three rows in two groups."""
    run("CREATE TABLE t (id int, big bigint, s varchar(20), n numeric(5,2), m timestamp)")
    run("INSERT INTO t VALUES (1, 1, 'a', 1.5, '2024-01-31 10:20:30'), (2, 2, 'a', 2.5, NULL), (4, 5, 'b', NULL, NULL)")


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("SELECT * FROM t QUALIFY ROW_NUMBER() OVER (PARTITION BY s ORDER BY id DESC) = 1", [2, 4]),
        ("SELECT t.* FROM public.t WHERE id < 4 QUALIFY RANK() OVER (ORDER BY t.id DESC) = 1", [2]),
        ("SELECT id, ROW_NUMBER() OVER (ORDER BY id DESC) AS rn FROM t QUALIFY rn = 1 ORDER BY id", [4]),
        ("SELECT x.id i FROM t x JOIN t y ON x.id = y.id QUALIFY COUNT(*) OVER (PARTITION BY x.s) > 1", [1, 2]),
        ("WITH d AS (SELECT id FROM t QUALIFY ROW_NUMBER() OVER (ORDER BY id) = 2) SELECT * FROM d", [2]),
        ("SELECT id FROM (SELECT * FROM t x QUALIFY ROW_NUMBER() OVER (ORDER BY x.id) = 1) y", [1]),
        ("SELECT id FROM t MINUS SELECT id FROM t WHERE s = 'b'", [1, 2]),
        ("SELECT TOP 2 id FROM t ORDER BY id", [1, 2]),
    ],
)
def test_rows_are_chosen_as_redshift_chooses_them(rows, run, query, found):
    assert sorted(row[0] for row in run(query)) == found


def test_qualify_keeps_the_names_and_works_where_a_query_may_stand(rows, run):
    run("CREATE TABLE kept AS SELECT s AS grp, MAX(id) FROM t GROUP BY s QUALIFY ROW_NUMBER() OVER (ORDER BY s) = 1")
    assert run("SELECT grp, max FROM kept") == [("a", 2)]
    run("INSERT INTO t (id) SELECT id + 10 FROM t QUALIFY ROW_NUMBER() OVER (ORDER BY id) = 1")
    assert run("SELECT COUNT(*) FROM t WHERE id = 11") == [(1,)]


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("AVG(id)", 2),
        ("AVG(big)", 2),
        ("AVG(n)", Decimal(2)),
        ("AVG(DISTINCT id)", 2),
        ("MEDIAN(n)", 2.0),
        ("PERCENTILE_CONT(0.25) WITHIN GROUP (ORDER BY n)", 1.75),
        ("LISTAGG(DISTINCT s, '/')", "a/b"),
        ("LISTAGG(DISTINCT s) WITHIN GROUP (ORDER BY s DESC)", "ba"),
        ("LISTAGG(DISTINCT id * 10, ',') WITHIN GROUP (ORDER BY id * 10 DESC)", "40,20,10"),
        ("APPROXIMATE COUNT(DISTINCT s)", 2),
    ],
)
def test_aggregates(rows, run, expression, value):
    assert run(f"SELECT {expression} FROM t") == [(value,)]


@pytest.mark.parametrize(
    ("expression", "values"),
    [
        ("RATIO_TO_REPORT(id) OVER (PARTITION BY s)", [pytest.approx(1 / 3), pytest.approx(2 / 3), 1.0]),
        ("MEDIAN(id) OVER (PARTITION BY s)", [1.5, 1.5, 4.0]),
        ("PERCENTILE_CONT(0.0) WITHIN GROUP (ORDER BY id DESC) OVER (PARTITION BY s)", [2.0, 2.0, 4.0]),
        ("PERCENTILE_DISC(0.5) WITHIN GROUP (ORDER BY id) OVER (PARTITION BY s)", [1, 1, 4]),
        ("PERCENTILE_DISC(0.5) WITHIN GROUP (ORDER BY NVL(s, '') DESC) OVER ()", ["a", "a", "a"]),
        ("LISTAGG(id, '-') WITHIN GROUP (ORDER BY id DESC) OVER (PARTITION BY s)", ["2-1", "2-1", "4"]),
        ("AVG(id) OVER (PARTITION BY s)", [1, 1, 4]),
    ],
)
def test_window_functions(rows, run, expression, values):
    assert [value for (value,) in run(f"SELECT {expression} FROM t ORDER BY id")] == values


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("FNV_HASH('Amazon Redshift')", 7783490368944507294),  # this and the next as AWS' page has them
        ("FNV_HASH(1)", -5968735742475085980),
        ("FNV_HASH(2, FNV_HASH(1))", -3908410645315950394),
        ("SHA1('Amazon Redshift')", "eeac5ed1e11cda66032c30ad77b25071b5487f55"),
        ("SHA(REPEAT('a', 200))", "e61cfffe0d9195a525fc6cf06ca2d77119c24a40"),
        ("CRC32('Amazon Redshift')", "32def43d"),
        ("MD5('a')", "0cc175b9c0f1b6a831c399e269772661"),
        ("DATE_PART(dayofweek, '2024-01-31'::date)", 3.0),
        ("DATEPART(qtr, '2024-05-31'::timestamp)", 2.0),
        ("DATE_PART_YEAR('2024-05-31')", 2024),
        ("DATEDIFF(qtr, '2024-01-01', '2024-12-31')", 3),
        ("REGEXP_REPLACE('a1b22', '[0-9]+', '#')", "a#b#"),
        ("REGEXP_REPLACE('john@x.com', '(.*)@(.*)', '$2 $1')", "x.com john"),
        ("REGEXP_SUBSTR('on 2024-01-02', '[0-9]{4}')", "2024"),
        ("SOUNDEX('Robert')", "R163"),
        ('JSON_SERIALIZE(JSON_PARSE(\'{"a": [1, "x y"], "n": 1.50}\'))', '{"a":[1,"x y"],"n":1.50}'),
        ("JSON_TYPEOF(JSON_PARSE('[1]'))", "array"),
        ("GET_ARRAY_LENGTH(ARRAY(1, 2, 3))", 3),
        ("OBJECT('a', ARRAY(1))", {"a": [1]}),
        ("SPLIT_TO_ARRAY('a,b')", ["a", "b"]),
        ("CAN_JSON_PARSE('{')", False),
        ("JSON_EXTRACT_PATH_TEXT('{', 'a', TRUE)", None),
        ("FROM_VARBYTE(TO_VARBYTE('häß', 'utf8'), 'utf8')", "häß"),
        ("CURRENT_USER_ID = (SELECT usesysid FROM pg_user WHERE usename = CURRENT_USER)", True),
    ],
)
def test_a_function_gives_what_redshift_gives(run, expression, value):
    assert run(f"SELECT {expression}") == [(value,)]


@pytest.mark.parametrize(
    "query",
    [
        "SELECT * FROM t QUALIFY",
        "SELECT FROM t QUALIFY 1 = 1",
        "SELECT id, FROM t QUALIFY 1 = 1",
        "SELECT * FROM QUALIFY 1 = 1",
        "SELECT 1 QUALIFY 1 = 1",
        "SELECT QUALIFY FROM t",
        "(SELECT * FROM t QUALIFY",
        "MERGE",
        "MERGE INTO t USING t ON",
        "MERGE INTO t USING u ON t.id = u.id WHEN MATCHED THEN UPDATE SET",
        "ALTER TABLE t ALTER COLUMN s TYPE",
        "ALTER TABLE t APPEND FROM",
        "CREATE VIEW v AS WITH NO SCHEMA BINDING",
        "CREATE MATERIALIZED VIEW v",
        "GRANT ROLE",
        "CREATE USER",
        "SHOW TABLES FROM",
        "SHOW COLUMNS FROM TABLE t",
        "UNLOAD ('SELECT 1') TO 's3://b/k' IAM_ROLE default PARTITION BY ()",
        "COPY t FROM 's3://b/k' IAM_ROLE default FORMAT AVRO 5",
    ],
)
def test_half_a_statement_is_an_error_and_the_session_goes_on(rows, run, query):
    with pytest.raises(psycopg2.Error):
        run(query)
    assert run("SELECT 1") == [(1,)]


def test_columns_keep_the_names_that_redshift_gives_them(rows, run, connection):
    with connection.cursor() as cursor:
        cursor.execute("SELECT AVG(id), DATE_PART(dow, GETDATE()), LISTAGG(s) FROM t")
        assert [column.name for column in cursor.description] == ["avg", "date_part", "listagg"]


def test_delete_needs_no_from(rows, run):
    run("DELETE t WHERE id = 1")
    assert run("SELECT COUNT(*) FROM t") == [(2,)]


@pytest.mark.parametrize(
    "query",
    [
        "SELECT NTH_VALUE(s, id) IGNORE NULLS OVER (ORDER BY id) FROM t",
        "SELECT t.*, COUNT(*) FROM t GROUP BY ALL",
        "SELECT id FROM t CONNECT BY PRIOR id = 1",
        "SELECT DISTINCT ON (s) * FROM t",
        "SELECT COUNT(*) FILTER (WHERE id > 1) FROM t",
        "SELECT * FROM t FOR UPDATE",
        "SELECT STRING_AGG(s, ',') FROM t",
        "SELECT ARRAY_AGG(s) FROM t",
        "CREATE TABLE x AS SELECT TO_JSON(id) FROM t",
        "SELECT id, t.* FROM t QUALIFY ROW_NUMBER() OVER (ORDER BY id) = 1",
    ],
)
def test_what_is_not_redshifts_or_not_known_is_refused_by_name(rows, run, query):
    with pytest.raises(psycopg2.Error, match=r"not supported by Redshift|does not know"):
        run(query)
