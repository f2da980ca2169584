"""Functions of Redshift that scripts of definitions use, and what they give."""

from __future__ import annotations

from datetime import UTC, date, datetime

import psycopg2
import pytest


def moment(*parts):
    """A moment without a zone, as TIMESTAMP is."""
    return datetime(*parts, tzinfo=UTC).replace(tzinfo=None)


@pytest.fixture
def rows(run):
    """A table with a few rows."""
    run("CREATE TABLE t (id int, s varchar(20), m timestamp, n numeric(5,2))")
    run("INSERT INTO t VALUES (1, 'x,y', '2024-01-31 10:20:30', 1.5), (2, NULL, '2024-02-29', 2.5)")


@pytest.mark.parametrize(
    ("expression", "values"),
    [
        ("NVL2(s, 'has', 'none')", ["has", "none"]),
        ("NVL2(NVL(s, NULL), NVL2(s, id, 0), 7)", [1, 7]),
        ("DECODE(id, 1, 'one', 2, 'two')", ["one", "two"]),
        ("DECODE(id, 1, 'one', 'more')", ["one", "more"]),
        ("DECODE(UPPER(s), 'X,Y', 1, NULL, 2)", [1, 2]),
        ("DECODE(NVL(s, '-'), '-', 'none', DECODE(id, 1, 'first', 'other'))", ["first", "none"]),
        ("CONVERT(varchar(5), id)", ["1", "2"]),
        ("CONVERT(decimal(5,1), NVL(n, 0))", [1.5, 2.5]),
        ("ISNULL(s, 'gone')", ["x,y", "gone"]),
        ("TRUNC(m)", [date(2024, 1, 31), date(2024, 2, 29)]),
        ("LAST_DAY(m)", [date(2024, 1, 31), date(2024, 2, 29)]),
        ("NEXT_DAY(m, 'Monday')", [date(2024, 2, 5), date(2024, 3, 4)]),
        ("NEXT_DAY('2024-02-05', 'mon')", [date(2024, 2, 12), date(2024, 2, 12)]),
        ("MONTHS_BETWEEN('2024-03-31', m)", [2.0, 1.0]),
        ("REPLICATE('ab', 2)", ["abab", "abab"]),
        ("LEFT(SHA2('abc', 256), 8)", ["ba7816bf", "ba7816bf"]),
        ("IS_VALID_JSON('{\"a\": 1}')", [True, True]),
        ("IS_VALID_JSON('{')", [False, False]),
        ("JSON_EXTRACT_PATH_TEXT('{\"a\": {\"b\": \"c\"}}', 'a', 'b')", ["c", "c"]),
        ("JSON_EXTRACT_PATH_TEXT(NVL(s, ''), 'a')", None),
        ("JSON_EXTRACT_ARRAY_ELEMENT_TEXT('[1, \"two\"]', 1)", ["two", "two"]),
        ("JSON_ARRAY_LENGTH('[1, 2, 3]')", [3, 3]),
        ("CHECKSUM(n)", [150, 250]),
        ("LPAD(id, 3, '0') || LEN(n)", ["0014", "0024"]),
        ("LEFT(m, 7) || SUBSTRING(m::date, 9, 2)", ["2024-0131", "2024-0229"]),
        ("LEFT('abc', id) || UPPER(s)", ["aX,Y", None]),
        ("CHECKSUM(s) = CHECKSUM('x,y')", [True, None]),
        ("DATE_TRUNC('month', m::date)", [moment(2024, 1, 1), moment(2024, 2, 1)]),
        ("DATE_TRUNC('hour', '2024-01-31 10:20:30')", [moment(2024, 1, 31, 10)] * 2),
        ("DATE_PART(year, '2024-01-31')", [2024, 2024]),
        ("DATEDIFF(minute, '10:00'::time, '12:00'::time)", [120, 120]),
        ("DATEADD(day, id, m)::date", [date(2024, 2, 1), date(2024, 3, 2)]),
        ("EXTRACT(dayofweek FROM m)", [3, 4]),
        ("LAST_DAY('2024-02-03')", [date(2024, 2, 29)] * 2),
        ("TO_DATE('20240229', 'YYYYMMDD', TRUE)", [date(2024, 2, 29)] * 2),
        ("ROUND(id / 3::float, 2)", [0.33, 0.67]),
        ("TRUNC(id * 1.999::float, 1)", [1.9, 3.9]),
        ("MOD(id * 1.5::float, 1)", [0.5, 0.0]),
        ("TRY_CAST(s AS int)", [None, None]),
        ("TRY_CAST('7' AS int) + id", [8, 9]),
        ("TRY_CAST(n * 100 AS numeric(4, 1))", [150.0, 250.0]),
        ("TRY_CAST(n * 1000 AS numeric(4, 1))", [None, None]),
        ("TRY_CAST('2024-02-30' AS date)", [None, None]),
        ("CURRENT_SETTING('query_group')", ["unset", "unset"]),
        ("IS_SMALLINT(JSON_PARSE('40000')) OR IS_INTEGER(JSON_PARSE('40000.5'))", [False, False]),
        ("JSON_SERIALIZE(ARRAY_FLATTEN(ARRAY(ARRAY(id, 2), 3)))", ["[1,2,3]", "[2,2,3]"]),
        ("ARRAY_CONTAINS(ARRAY('a', 2), id)", [False, True]),
        ("JSON_SERIALIZE(ARRAY_DISTINCT(ARRAY(id, 2, 'a', 2)))", ['[1,2,"a"]', '[2,"a"]']),
    ],
)
def test_a_function_gives_what_redshift_gives(rows, run, expression, values):
    query = f"SELECT {expression} FROM t ORDER BY id"
    if values is None:
        with pytest.raises(Exception, match="json"):
            run(query)
    else:
        assert [value for (value,) in run(query)] == values


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("SELECT LISTAGG(id, '-') WITHIN GROUP (ORDER BY id DESC) FROM t", "2-1"),
        ("SELECT LISTAGG(id) WITHIN GROUP (ORDER BY NVL2(s, 1, 2)) FROM t", "12"),
        ("SELECT LISTAGG(DISTINCT NVL(s, 'x,y'), '/') FROM t", "x,y"),
        ("SELECT MEDIAN(n) FROM t", 2.0),
        ("SELECT APPROXIMATE COUNT(DISTINCT s) FROM t", 1),
        ("SELECT TOP 1 id FROM t ORDER BY id DESC;", 2),
        ("SELECT SUM(DECODE(s, NULL, 10, 1)) FROM t GROUP BY NVL2(s, 1, 1)", 11),
    ],
)
def test_an_aggregate_gives_what_redshift_gives(rows, run, query, found):
    assert run(query) == [(found,)]


def test_functions_are_known_in_tables_and_views_that_queries_make(rows, run):
    run("CREATE TABLE made DISTKEY(a) AS SELECT NVL2(s, 1, 2) AS a, DECODE(id, 1, 'x') AS b FROM t")
    run("CREATE VIEW seen AS SELECT LISTAGG(b, ',') WITHIN GROUP (ORDER BY a) AS l FROM made")
    assert run("SELECT * FROM seen") == [("x",)]
    run("DROP VIEW seen")
    run("UPDATE made SET b = DECODE(a, 2, 'y', b)")
    assert run("SELECT b FROM made ORDER BY a") == [("x",), ("y",)]


@pytest.mark.parametrize(
    ("call", "values"),
    [
        ("LAST_VALUE(s IGNORE NULLS)", ["x,y", "x,y"]),
        ("LAST_VALUE(s) IGNORE NULLS", ["x,y", "x,y"]),
        ("LAST_VALUE(s)", ["x,y", None]),
        ("LAST_VALUE(s RESPECT NULLS)", ["x,y", None]),
        ("FIRST_VALUE(NVL2(s, NULL::int, id) IGNORE NULLS)", [None, 2]),
        ("LAG(s RESPECT NULLS)", [None, "x,y"]),
        ("LEAD(id, id) RESPECT NULLS", [2, None]),
        ("LAG(s, 0) IGNORE NULLS", ["x,y", None]),
    ],
)
def test_null_counts_over_a_window_unless_it_is_ignored(rows, run, call, values):
    assert [value for (value,) in run(f"SELECT {call} OVER (ORDER BY id) FROM t ORDER BY id")] == values


@pytest.mark.parametrize(
    ("call", "values"),
    [
        ("LAG(s) IGNORE NULLS OVER (ORDER BY id)", [None, "a", "a", "a", "d"]),
        ("LAG(s, 2 IGNORE NULLS) OVER (ORDER BY id)", [None, None, None, None, "a"]),
        ("LAG(NVL2(s, id, NULL), 1) IGNORE NULLS OVER (PARTITION BY id % 2 ORDER BY id)", [None, None, 1, None, 1]),
        ("LEAD(s) IGNORE NULLS OVER (ORDER BY id ASC)", ["d", "d", "d", "e", None]),
        ("LEAD(s) IGNORE NULLS OVER (ORDER BY NVL2(s, 1, 0), id DESC)", [None, "e", "e", "a", "d"]),
        ("LEAD(s, 2) IGNORE NULLS OVER (ORDER BY s NULLS FIRST, id)", ["e", "d", "d", None, None]),
        ("NTH_VALUE(s, 2) IGNORE NULLS OVER (ORDER BY id ROWS UNBOUNDED PRECEDING)", [None, None, None, "d", "d"]),
    ],
)
def test_lag_lead_and_nth_value_pass_null_over(run, call, values):
    run("CREATE TABLE t (id int, s varchar(20))")
    run("INSERT INTO t VALUES (1, 'a'), (2, NULL), (3, NULL), (4, 'd'), (5, 'e')")
    with_name = run(f"SELECT * FROM (SELECT id, {call} FROM t) ORDER BY id")
    assert [value for _, value in with_name] == values


def test_ignore_nulls_with_an_offset_that_is_no_number_is_refused_by_name(rows, run):
    with pytest.raises(psycopg2.Error, match="does not know IGNORE NULLS with LEAD and anything but"):
        run("SELECT LEAD(s, id) IGNORE NULLS OVER (ORDER BY id) FROM t")
