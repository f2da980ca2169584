"""Definitions of tables: keys and encodings that Postgres has not, constraints that nobody checks."""

from __future__ import annotations

import psycopg2
import pytest
from psycopg2 import errors

COLUMNS = '"column", type, encoding, distkey, sortkey, "notnull"'


def described(run, table):
    return run(f"SELECT {COLUMNS} FROM pg_table_def WHERE tablename = %s", table)


def test_keys_and_encodings_on_columns(run):
    run(
        """CREATE TABLE IF NOT EXISTS public.t (
          id BIGINT IDENTITY(1, 2) ENCODE az64,
          course_id INTEGER NOT NULL ENCODE raw DISTKEY SORTKEY,
          title VARCHAR(MAX) DEFAULT 'a,b' ENCODE zstd,
          body TEXT,
          code NVARCHAR(20),
          ratio FLOAT,
          price DECIMAL,
          seen TIMESTAMP DEFAULT SYSDATE,
          extra SUPER,
          PRIMARY KEY (id)
        ) BACKUP NO DISTSTYLE KEY"""
    )
    assert described(run, "t") == [
        ("id", "bigint", "az64", False, 0, True),
        ("course_id", "integer", "none", True, 1, True),
        ("title", "character varying(65535)", "zstd", False, 0, False),
        ("body", "character varying(256)", "lzo", False, 0, False),
        ("code", "character varying(20)", "lzo", False, 0, False),
        ("ratio", "double precision", "none", False, 0, False),
        ("price", "numeric(18,0)", "az64", False, 0, False),
        ("seen", "timestamp without time zone", "az64", False, 0, False),
        ("extra", "super", "none", False, 0, False),
    ]
    run("INSERT INTO t (course_id) VALUES (1), (2)")
    assert run("SELECT id, title, seen IS NULL FROM t ORDER BY id") == [(1, "a,b", False), (3, "a,b", False)]


@pytest.mark.parametrize(
    ("attributes", "sortkeys", "distkeys", "style"),
    [
        ("DISTSTYLE ALL", [0, 0, 0], [], "ALL"),
        ("DISTSTYLE EVEN SORTKEY (b, a)", [2, 1, 0], [], "EVEN"),
        ("DISTKEY (c) COMPOUND SORTKEY (a, c)", [1, 0, 2], ["c"], "KEY(c)"),
        ("INTERLEAVED SORTKEY (a, b) DISTSTYLE AUTO", [1, -2, 0], [], "AUTO(ALL)"),
        ("SORTKEY AUTO ENCODE AUTO", [0, 0, 0], [], "AUTO(ALL)"),
    ],
)
def test_keys_on_the_table(run, attributes, sortkeys, distkeys, style):
    run(f"CREATE TABLE t (a int, b int, c int) {attributes}")
    rows = described(run, "t")
    assert [row[4] for row in rows] == sortkeys
    assert [row[0] for row in rows if row[3]] == distkeys
    assert run("SELECT diststyle FROM svv_table_info WHERE \"table\" = 't'") == [(style,)]


@pytest.mark.parametrize(
    "definition",
    [
        "(a int DISTKEY, b int DISTKEY)",
        "(a int) DISTKEY (nothing)",
        "(a int) SORTKEY (nothing)",
        "(a int) DISTSTYLE KEY",
        "(a int DISTKEY) DISTSTYLE ALL",
        "(a int ENCODE unheard_of)",
        "(a varchar(65536))",
        "(a char(4097))",
        "(a decimal(39, 2))",
        "(a int IDENTITY(1, 0))",
        "(a int PRIMARY KEY, b int, PRIMARY KEY (b))",
        "(a int) PARTITION BY RANGE (a)",
        "(a int",
    ],
)
def test_contradictory_definitions_are_refused_and_leave_nothing(run, definition):
    with pytest.raises(psycopg2.Error):
        run(f"CREATE TABLE t {definition}")
    assert described(run, "t") == []


def test_primary_keys_are_declared_and_not_enforced(run):
    run("CREATE TABLE u (k int PRIMARY KEY)")
    run(
        """CREATE TABLE t (id int, k int UNIQUE, CONSTRAINT named PRIMARY KEY (id, k),
          FOREIGN KEY (k) REFERENCES u (k))"""
    )
    run("INSERT INTO t VALUES (1, 1), (1, 1)")
    assert run("SELECT count(*) FROM t") == [(2,)]
    with pytest.raises(errors.NotNullViolation):
        run("INSERT INTO t VALUES (NULL, 1)")
    listed = run(
        """SELECT c.constraint_type, c.constraint_name, k.column_name FROM information_schema.table_constraints c
          JOIN information_schema.key_column_usage k USING (constraint_schema, constraint_name, table_name)
          WHERE c.table_name = 't' ORDER BY 1, k.ordinal_position, 3"""
    )
    assert listed == [
        ("FOREIGN KEY", "t_k_fkey", "k"),
        ("PRIMARY KEY", "named", "id"),
        ("PRIMARY KEY", "named", "k"),
        ("UNIQUE", "t_k_key", "k"),
    ]


def test_a_table_like_another_keeps_keys_encodings_and_not_null_but_no_constraint(run):
    run(
        "CREATE TABLE t (gone int, id int NOT NULL ENCODE lzo DISTKEY,"
        " s varchar(9) DEFAULT 'x' SORTKEY, PRIMARY KEY (id))"
    )
    run("ALTER TABLE t DROP COLUMN gone")
    run("CREATE TEMP TABLE one (LIKE t INCLUDING DEFAULTS)")
    run("CREATE TEMPORARY TABLE two (LIKE public.t)")
    assert described(run, "one") == described(run, "t")
    run("INSERT INTO one (id) VALUES (1)")
    run("INSERT INTO two (id) VALUES (1)")
    assert run("SELECT one.s, two.s FROM one, two") == [("x", None)]
    keys = "SELECT count(*) FROM information_schema.table_constraints WHERE table_name = 'one'"
    assert run(keys) == [(0,)]
    with pytest.raises(psycopg2.Error, match="LIKE"):
        run("CREATE TABLE three (LIKE t) DISTSTYLE ALL")


def test_a_temporary_table_hides_a_permanent_one(run):
    run("CREATE TABLE t (a int DISTKEY)")
    run("CREATE TEMP TABLE t (a int SORTKEY)")
    rows = run("SELECT schemaname LIKE 'pg_temp%', distkey, sortkey FROM pg_table_def WHERE tablename = 't' ORDER BY 1")
    assert rows == [(False, True, 0), (True, False, 1)]
    run("CREATE TABLE #u (a int)")
    run("INSERT INTO #u VALUES (5)")
    assert run("SELECT a FROM #u") == [(5,)]


def test_create_table_as_takes_attributes(run):
    run("CREATE TABLE t (id int, s varchar(9))")
    run("INSERT INTO t VALUES (1, 'a')")
    run("CREATE TABLE v (k, w) DISTKEY (k) SORTKEY (w) AS SELECT id, nvl(s, 'b') FROM t")
    assert [(row[0], row[3], row[4]) for row in described(run, "v")] == [("k", True, 0), ("w", False, 1)]
    assert run("SELECT k, w FROM v") == [(1, "a")]


def test_a_text_that_a_query_makes_is_a_long_varchar_which_copy_fills(run, put):
    run("CREATE TABLE public.made AS SELECT 'a' || 'b' AS s, 1 AS n")
    run("CREATE TEMP TABLE passing AS SELECT UPPER('a') AS s")
    types = "SELECT type FROM pg_table_def WHERE tablename IN ('made', 'passing') AND \"column\" = 's'"
    assert run(types) == [("character varying(65535)",)] * 2
    run(f"COPY made FROM '{put('d', 'hä|2')}' IAM_ROLE 'arn:aws:iam::123456789012:role/loader'")
    assert run("SELECT s FROM made ORDER BY n") == [("ab",), ("hä",)]


def test_an_existing_table_keeps_what_it_is(run):
    run("CREATE TABLE t (a int DISTKEY, b int)")
    run("CREATE TABLE IF NOT EXISTS t (a int, b int DISTKEY)")
    assert [row[0] for row in described(run, "t") if row[3]] == ["a"]


def test_alter_table_changes_keys_encodings_and_constraints(run):
    run("CREATE TABLE t (a int, b varchar(5))")
    run("ALTER TABLE t ADD COLUMN c varchar(max) DEFAULT 'z' ENCODE lzo")
    run("ALTER TABLE t ALTER DISTKEY a")
    run("ALTER TABLE t ALTER SORTKEY (b, a)")
    run("ALTER TABLE t ALTER COLUMN b ENCODE zstd")
    run("ALTER TABLE t ALTER COLUMN b TYPE varchar(10)")
    run("ALTER TABLE t ADD CONSTRAINT k PRIMARY KEY (a)")
    run("ALTER TABLE t RENAME COLUMN a TO id")
    assert described(run, "t") == [
        ("id", "integer", "none", True, 2, True),
        ("b", "character varying(10)", "zstd", False, 1, False),
        ("c", "character varying(65535)", "lzo", False, 0, False),
    ]
    keys = "SELECT constraint_name FROM information_schema.table_constraints WHERE table_name = 't'"
    assert run(keys) == [("k",)]
    run("ALTER TABLE t DROP CONSTRAINT k")
    assert run(keys) == []
    run("ALTER TABLE t RENAME TO renamed")
    assert described(run, "renamed")[0][3] is True


def test_pg_table_def_honours_the_search_path(run):
    run("CREATE SCHEMA IF NOT EXISTS elsewhere")
    run("DROP TABLE IF EXISTS elsewhere.t")
    run("CREATE TABLE elsewhere.t (a int DISTKEY)")
    assert described(run, "t") == []
    run("SET search_path TO elsewhere")
    assert described(run, "t") == [("a", "integer", "az64", True, 0, False)]


def test_identity_columns_count_by_themselves(run):
    run("CREATE TABLE t (a int IDENTITY(0, -10), b bigint GENERATED BY DEFAULT AS IDENTITY(5, 5), c int)")
    run("INSERT INTO t (c) VALUES (1), (2)")
    run("INSERT INTO t (b, c) VALUES (100, 3)")
    assert run("SELECT a, b FROM t ORDER BY c") == [(0, 5), (-10, 10), (-20, 100)]
    with pytest.raises(psycopg2.Error):
        run("INSERT INTO t (a) VALUES (1)")
