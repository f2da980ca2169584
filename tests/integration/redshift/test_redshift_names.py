"""Names that only Redshift understands: aliases in their own query, paths into SUPER values, their items as rows."""

from __future__ import annotations

import psycopg2
import pytest

_VALUE = '{"a": {"b": [10, {"c": "x"}]}, "items": [{"sku": "p", "n": 2}, {"sku": "q", "n": 3}], "name": "joe", "Up": 7}'


@pytest.fixture
def orders(run):
    """A table with a SUPER value of several levels."""
    run("CREATE TABLE t (id int, a int, s super)")
    run(f"INSERT INTO t VALUES (1, 5, JSON_PARSE('{_VALUE}')), (2, 6, JSON_PARSE('{{\"name\": \"ann\"}}'))")


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("SELECT a + 1 AS b, b * 2 AS c, c + b AS d FROM t", [(6, 12, 18), (7, 14, 21)]),
        ("SELECT a + 1 b, b * 2 FROM t WHERE b > 6", [(7, 14)]),
        ("SELECT a + 1 AS a, a * 2 AS twice FROM t", [(6, 10), (7, 12)]),
        ('SELECT a AS "B", "B" || \'!\' AS b, b FROM t WHERE id = 1', [(5, "5!", "5!")]),
        ("SELECT SUM(a) AS total, total / 2 AS half FROM t HAVING total > 10", [(11, 5)]),
        ("SELECT ROW_NUMBER() OVER (ORDER BY id) AS n, n * 10 FROM t ORDER BY n", [(1, 10), (2, 20)]),
        ("WITH w AS (SELECT id * 2 AS d, d + 1 AS e FROM t) SELECT e AS f, f * 2 AS g FROM w WHERE g > 6", [(5, 10)]),
        ("SELECT a AS b FROM t WHERE EXISTS (SELECT id AS i, i + 1 AS j FROM t AS u WHERE j = t.id)", [(6,)]),
        ("SELECT CASE WHEN a > 5 THEN 'x' END AS k, NVL(k, '-') FROM t ORDER BY id", [(None, "-"), ("x", "x")]),
        ("SELECT id AS b, COUNT(*) OVER (PARTITION BY b) FROM t ORDER BY b", [(1, 1), (2, 1)]),
        ("SELECT TOP 1 a AS b, b + 1 FROM t ORDER BY b DESC", [(6, 7)]),
    ],
)
def test_an_alias_is_used_again_in_its_own_query_unless_a_column_has_its_name(orders, run, query, found):
    assert run(query) == found


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("SELECT s.a.b[0], t.s.a.b[1].c, s.a.b[1]['c'] FROM t WHERE id = 1", [(10, "x", "x")]),
        ("SELECT public.t.s.name::varchar FROM t ORDER BY id", [("joe",), ("ann",)]),
        ("SELECT s.a.nothing.at.all, s.items[9].n FROM t WHERE id = 1", [(None, None)]),
        ("SELECT id FROM t WHERE s.name = 'ann'", [(2,)]),
        ("SELECT id FROM t WHERE 'ann' <> t.s.name", [(1,)]),
        ("SELECT id FROM t WHERE s.name IN ('ann', 'eve')", [(2,)]),
        ("SELECT id FROM t WHERE s.a.b[0] >= 10 AND s.a.b[0] < 10.5", [(1,)]),
        ("SELECT id FROM t WHERE s.a.b[0] = '10'", []),
        ("SELECT s.name::varchar(2), LEN(s.name::text) FROM t ORDER BY id", [("jo", 3), ("an", 3)]),
        ("SELECT SUM(s.a.b[0]::int) AS n, n + 1 FROM t", [(10, 11)]),
        ("SELECT JSON_PARSE('{\"k\": [7]}') AS j, j.k[0] FROM t WHERE id = 1", [({"k": [7]}, 7)]),
        ("SELECT o.id, i.sku::varchar FROM t AS o, o.s.items AS i WHERE i.n > 2", [(1, "q")]),
        ("SELECT i, place FROM t, t.s.a.b AS i AT place ORDER BY place", [(10, 0), ({"c": "x"}, 1)]),
        ("SELECT id, i.n FROM t LEFT JOIN t.s.items AS i ON i.n = 3 ORDER BY id", [(1, 3), (2, None)]),
        ("SELECT x FROM t, t.s AS o, o.items AS i, i.sku AS x ORDER BY 1", [("p",), ("q",)]),
        ("SELECT id FROM t WHERE EXISTS (SELECT 1 FROM t.s.items AS i WHERE i.sku = 'q')", [(1,)]),
        ("SELECT k FROM t, UNPIVOT t.s AS v AT k WHERE id = 1 AND v = 7", [("Up",)]),
        ("SELECT COUNT(*) FROM t, t.s.items", [(2,)]),
        (
            "SELECT s.a.b[0] + 1, 2 * s.a.b[0] - 0.5, s.a.b[0] / 4, -s.a.b[0] % 3 FROM t WHERE id = 1",
            [(11, 19.5, 2, -1)],
        ),
        (
            "SELECT s.name + '5', s.name + 1, s.name - 'j', s.a + 1, s.none * 2 FROM t WHERE id = 1",
            [("joe5", *[None] * 4)],
        ),
        ("SELECT id FROM t WHERE s.items[0].n + s.items[1].n = 5 AND a + s.a.b[0] > 14", [(1,)]),
        ("SELECT id FROM t WHERE s.a.b[0] + 9007199254740983 = 9007199254740993", [(1,)]),
        ("SELECT FLOOR((s.a.b[0] + 0.5) / 10), CEIL(s.name), ABS(-s.a.b[0]) FROM t WHERE id = 1", [(1, None, 10)]),
        (
            "SELECT s.name = 'x', s.a.b[0] = 'x', s.a.b[0] <> 'x', s.a.b[0] < 'x' FROM t WHERE id = 1",
            [(False, False, True, None)],
        ),
        (
            "SELECT s.name::int, s.a.b[0]::smallint, s.items::float, s.none::int FROM t WHERE id = 1",
            [(None, 10, None, None)],
        ),
        ("SELECT JSON_PARSE('\"5\"')::int, JSON_PARSE('2.5')::int, JSON_PARSE('99999')::int2", [(5, 3, None)]),
        (
            "SELECT IS_SCALAR(JSON_PARSE('null')), IS_ARRAY(NULL::super), IS_INTEGER(NULL::super)",
            [(False, False, False)],
        ),
        (
            'SELECT j.d::date::varchar, j.n::date FROM (SELECT JSON_PARSE(\'{"d": "2024-02-03", "n": 5}\') AS j) q',
            [("2024-02-03", None)],
        ),
        ("SELECT array, e FROM t, t.s.a AS array, array.b AS e AT i WHERE i = 0", [({"b": [10, {"c": "x"}]}, 10)]),
        ("SELECT ARRAY(1, 2) - 1, JSON_PARSE('5') - 3, '7' - 2 FROM t WHERE id = 1", [(None, 2, 5)]),
    ],
)
def test_paths_lead_into_super_values_and_arrays_become_rows(orders, run, query, found):
    assert run(query) == found


def test_columns_are_called_by_the_last_name_of_their_path_and_by_their_alias(orders, open_connection):
    with open_connection().cursor() as cursor:
        cursor.execute("SELECT s.a.b[0], t.s.name::varchar(5), s.name::text || '!', a + 1 AS k, k, k::float FROM t")
        assert [column.name for column in cursor.description] == ["b", "name", "?column?", "k", "k", "k"]


def test_rows_are_changed_by_what_paths_lead_to(orders, run):
    run("UPDATE t SET a = (s.a.b[0] + 1)::int WHERE s.name = 'joe'")
    run("DELETE FROM t WHERE s.name = 'ann'")
    assert run("SELECT id, a FROM t") == [(1, 11)]


def test_capital_letters_of_an_attribute_count_only_where_the_session_says_so(orders, run):
    assert run('SELECT s."Up", s.Up FROM t WHERE id = 1') == [(None, None)]
    run("SET enable_case_sensitive_super_attribute TO true")
    assert run('SELECT s."Up", s.Up FROM t WHERE id = 1') == [(7, None)]


def test_what_queries_make_has_the_columns_of_aliases_and_paths(orders, run, s3_bucket, s3_client):
    run("CREATE TABLE made AS SELECT s.name::varchar(9) AS n, n || '!' AS e FROM t")
    run("INSERT INTO made SELECT s.name::varchar AS n, UPPER(n) FROM t WHERE n = 'ann'")
    run("UPDATE made SET e = t.s.a.b[1].c::varchar FROM t WHERE made.n = t.s.name::varchar AND id = 1")
    run("CREATE VIEW seen AS SELECT n AS m, m || e AS x FROM made")
    run("CREATE VIEW late AS SELECT n AS m, m || e AS x FROM public.made WITH NO SCHEMA BINDING")
    assert run("SELECT x FROM seen ORDER BY 1") == [("annANN",), ("annann!",), ("joex",)]
    assert run("SELECT x FROM late ORDER BY 1") == [("annANN",), ("annann!",), ("joex",)]
    run("DROP VIEW seen, late")
    run(
        f"UNLOAD ('SELECT id, s.name, id + 1 AS x, x + 1 FROM t') TO 's3://{s3_bucket}/u' IAM_ROLE default PARALLEL OFF"
    )
    assert s3_client.get_object(Bucket=s3_bucket, Key="u000")["Body"].read() == b'1|"joe"|2|3\n2|"ann"|3|4\n'


def test_a_transaction_goes_on_after_postgres_was_asked_for_names(orders, open_connection):
    connection = open_connection()
    with connection.cursor() as cursor:
        cursor.execute('INSERT INTO t VALUES (3, 9, JSON_PARSE(\'{"name": "new"}\'))')
        cursor.execute("SELECT s.name::varchar AS n, n || '?' FROM t WHERE id = 3")
        assert cursor.fetchall() == [("new", "new?")]
        connection.commit()
        cursor.execute("SELECT COUNT(*) FROM t")
        assert cursor.fetchone() == (3,)


def test_prepared_statements_with_values_know_aliases_and_paths(orders, psql, tmp_path):
    script = tmp_path / "script.sql"
    script.write_text(
        "SELECT u.s.name FROM t WHERE id = $1 \\bind 1 \\g\n"
        "BEGIN \\bind \\g\n"
        "SELECT a + $1::int AS b, b * 2, s.name::varchar FROM t WHERE id = $2 \\bind 1 1 \\g\n"
        "SELECT id AS k, k + 1 AS l INTO made FROM t \\bind \\g\n"
        "COMMIT \\bind \\g\n"
        "SELECT MAX(l) AS m, m + $1::int FROM made \\bind 1 \\g\n"
    )
    done = psql("-q", "-f", str(script))
    assert done.stdout.split() == ["6|12|joe", "3|4"]
    assert 'missing FROM-clause entry for table "s"' in done.stderr
    assert done.stderr.count("ERROR") == 1


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("SELECT nothing + 1 AS b, b FROM t", 'column "nothing" does not exist'),
        ("SELECT b AS c, 1 AS b FROM t", 'column "b" does not exist'),
        ("SELECT x.name FROM t", 'missing FROM-clause entry for table "x"'),
        ("SELECT a.b FROM t", 'missing FROM-clause entry for table "a"'),
        ("SELECT 1 AS b FROM t JOIN t u ON b = 1", 'column "b" does not exist'),
    ],
)
def test_a_name_that_is_nowhere_fails_as_the_query_was_written(orders, run, query, message):
    with pytest.raises(psycopg2.Error, match=message) as caught:
        run(query)
    assert caught.value.diag.statement_position is not None
