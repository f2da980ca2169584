"""PIVOT and UNPIVOT as the Developer Guide's examples have them, GROUP BY ALL and SELECT INTO."""

from __future__ import annotations

from decimal import Decimal

import psycopg2
import pytest

_PARTS = """
  ('prop', 'local parts co', 2, 10.00), ('prop', 'big parts co', NULL, 9.00), ('prop', 'small parts co', 1, 12.00),
  ('rudder', 'local parts co', 1, 2.50), ('rudder', 'big parts co', 2, 3.75), ('rudder', 'small parts co', NULL, 1.90),
  ('wing', 'local parts co', NULL, 7.50), ('wing', 'big parts co', 1, 15.20), ('wing', 'small parts co', NULL, 11.80)"""


@pytest.fixture
def part(run):
    """The guide's tables."""
    run("CREATE TABLE part (partname varchar, manufacturer varchar, quality int, price decimal(12, 2))")
    run(f"INSERT INTO part VALUES {_PARTS}")
    run("CREATE TABLE colors (quality varchar, red int, green int)")
    run("INSERT INTO colors VALUES ('high', 15, 20), ('low', 10, NULL)")


@pytest.fixture
def query(open_connection):
    """A function that returns the names of a query's columns and its rows."""
    connection = open_connection()

    def run_query(sql):
        with connection.cursor() as cursor:
            cursor.execute(sql)
            return [column.name for column in cursor.description], cursor.fetchall()

    return run_query


def test_values_become_columns(part, query):
    names, rows = query(
        "SELECT * FROM (SELECT partname, price FROM part) PIVOT (AVG(price) FOR partname IN ('prop', 'rudder', 'wing'))"
    )
    assert names == ["prop", "rudder", "wing"]
    assert rows == [(Decimal("10.33"), Decimal("2.71"), Decimal("11.50"))]


def test_columns_that_are_not_named_are_kept_and_null_is_a_value(part, query):
    names, rows = query(
        "SELECT * FROM (SELECT quality, manufacturer FROM part) PIVOT (COUNT(*) FOR quality IN (1, 2, NULL)) ORDER BY 1"
    )
    assert names == ["manufacturer", "1", "2", "null"]
    assert rows == [("big parts co", 1, 1, 1), ("local parts co", 1, 1, 1), ("small parts co", 1, 0, 2)]


def test_aliases_name_the_columns_and_a_with_query_is_turned_too(part, query):
    names, rows = query(
        "WITH cheap AS (SELECT quality, price FROM part WHERE price < 12) SELECT p.high_n + 1 AS h, h * 2, low_most "
        "FROM cheap PIVOT (COUNT(*) AS n, MAX(price) AS most FOR quality IN (1 AS high, 2 low)) AS p WHERE low_n = 2"
    )
    assert names[0::2] == ["h", "low_most"]
    assert rows == [(2, 4, Decimal("10.00"))]


def test_a_constant_is_the_name_of_its_column_and_any_other_expression_has_none(part, query):
    names, rows = query("SELECT * FROM (SELECT -quality AS q FROM part) PIVOT (COUNT(*) FOR q IN (-1, -1 - 1, -2 x))")
    assert (names, rows) == (["-1", "?column?", "x"], [(3, 2, 2)])


def test_columns_become_values(part, query):
    names, rows = query("SELECT * FROM colors UNPIVOT (cnt FOR color IN (red, green AS g)) ORDER BY 1, 2")
    assert names == ["quality", "color", "cnt"]
    assert rows == [("high", "g", 20), ("high", "red", 15), ("low", "red", 10)]
    _, rows = query(
        "SELECT cnt FROM colors AS c UNPIVOT INCLUDE NULLS (cnt FOR color IN (red, green)) u WHERE quality = 'low'"
    )
    assert rows == [(10,), (None,)]


def test_a_prepared_statement_turns_a_table(part, psql, tmp_path):
    script = tmp_path / "script.sql"
    script.write_text(
        "SELECT * FROM nothing UNPIVOT (cnt FOR color IN (red)) WHERE color = $1 \\bind red \\g\n"
        "SELECT * FROM colors PIVOT (LISTAGG(red) FOR quality IN (1)) WHERE red = $1 \\bind 1 \\g\n"
        "SELECT cnt FROM colors UNPIVOT (cnt FOR color IN (red, green)) WHERE color = $1 ORDER BY 1 \\bind red \\g\n"
    )
    done = psql("-q", "-f", str(script))
    assert done.stdout.split() == ["10", "15"]
    assert 'relation "nothing" does not exist' in done.stderr
    assert "PIVOT takes COUNT, SUM, MIN, MAX and AVG" in done.stderr
    assert done.stderr.count("ERROR") == 2


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("nothing PIVOT (COUNT(*) FOR quality IN (1))", 'relation "nothing" does not exist'),
        ("part PIVOT (LISTAGG(price) FOR quality IN (1))", "PIVOT takes COUNT, SUM, MIN, MAX and AVG"),
        ("part PIVOT (COUNT(*) FOR quality IN (1)", "syntax error"),
        ("part PIVOT (COUNT(*) FOR quality)", "syntax error"),
    ],
)
def test_a_table_that_cannot_be_turned_fails_the_statement(part, run, source, message):
    with pytest.raises(psycopg2.Error, match=message):
        run(f"SELECT * FROM {source}")
    assert run("SELECT 1") == [(1,)]


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("SELECT partname, manufacturer, SUM(price) FROM part GROUP BY ALL", 9),
        ("SELECT UPPER(partname) AS p, COUNT(*) FROM part GROUP BY ALL HAVING COUNT(*) > 2", 3),
        ("SELECT SUM(price), MAX(quality) + 1 FROM part GROUP BY ALL", 1),
        ("SELECT partname, ROW_NUMBER() OVER (ORDER BY partname) FROM part GROUP BY ALL", 3),
        ("SELECT partname, (SELECT COUNT(*) FROM colors) AS c, LISTAGG(quality) FROM part GROUP BY ALL", 3),
        ("SELECT COUNT(*) FROM (SELECT partname, COUNT(*) FROM part GROUP BY ALL) AS q GROUP BY ALL", 1),
    ],
)
def test_group_by_all_groups_by_what_is_no_aggregate(part, run, query, count):
    assert len(run(query)) == count


def test_select_into_makes_a_table_as_create_table_as_does(part, run):
    run(
        "WITH w AS (SELECT partname AS p, p || '!' AS q FROM part) "
        "SELECT UPPER(p) AS u, q INTO made FROM w WHERE p = 'prop'"
    )
    assert run("SELECT * FROM made LIMIT 1") == [("PROP", "prop!")]
    types = run("SELECT \"column\", type FROM pg_table_def WHERE tablename = 'made' ORDER BY 1")
    assert types == [("q", "character varying(65535)"), ("u", "character varying(65535)")]
    run("SELECT price INTO TEMP TABLE held FROM part")
    run("SELECT price INTO #held FROM part")
    assert run("SELECT COUNT(*) FROM held, #held AS h WHERE held.price = h.price") == [(9,)]


@pytest.mark.parametrize(
    ("sql", "expected", "row"),
    [
        ("SELECT * EXCLUDE (green) FROM colors ORDER BY 1", ["quality", "red"], ("high", 15)),
        ("SELECT TOP 1 * EXCLUDE green, red FROM colors ORDER BY 1", ["quality"], ("high",)),
        ("WITH w AS (SELECT * FROM colors) SELECT 1 AS a, w.* EXCLUDE (quality, red), 2 AS b FROM w", None, (1, 20, 2)),
        ("SELECT * FROM (SELECT DISTINCT * EXCLUDE (red) FROM colors) ORDER BY 1", ["quality", "green"], ("high", 20)),
        ("SELECT 2 * exclude FROM (SELECT 3 AS exclude)", ["?column?"], (6,)),
    ],
)
def test_columns_are_left_out(part, query, sql, expected, row):
    names, rows = query(sql)
    assert rows[0] == row
    assert names == (expected or ["a", "green", "b"])


@pytest.mark.parametrize(
    ("sql", "reason"),
    [
        ("SELECT * EXCLUDE (nothing) FROM colors", "EXCLUDE must name some of the columns quality, red, green"),
        ("SELECT * EXCLUDE (quality, red, green) FROM colors", "EXCLUDE must name some"),
        ("SELECT * EXCLUDE (red) FROM colors QUALIFY ROW_NUMBER() OVER (ORDER BY red) = 1", "QUALIFY with EXCLUDE"),
        ("SELECT * EXCLUDE (red), COUNT(*) FROM colors GROUP BY ALL", r"GROUP BY ALL with \*"),
    ],
)
def test_columns_that_cannot_be_left_out_are_told(part, query, sql, reason):
    with pytest.raises(psycopg2.Error, match=reason):
        query(sql)
