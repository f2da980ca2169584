"""VARCHAR(n) counts bytes wherever a value is assigned, not only in COPY."""

from __future__ import annotations

import psycopg2
import pytest


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO t VALUES (1, 'ääää')",
        "INSERT INTO t SELECT 1, 'ää' || 'ää'",
        "UPDATE t SET s = repeat('😀', 2)",
        "INSERT INTO t VALUES (2, %s)",
    ],
)
def test_a_text_with_more_bytes_than_its_column_is_refused(run, statement):
    run("CREATE TABLE t (id int, s varchar(7))")
    run("INSERT INTO t VALUES (0, 'äääx')")
    with pytest.raises(psycopg2.Error, match=r"value too long for type character varying\(7\)") as caught:
        run(statement, *(["ääää"] if "%s" in statement else []))
    assert caught.value.pgcode == "22001"
    assert caught.value.diag.context is None
    assert run("SELECT s FROM t") == [("äääx",)]


def test_blanks_behind_the_limit_are_cut_and_a_cast_cuts_at_a_whole_character(run):
    run("CREATE TABLE t (s varchar(5))")
    run("INSERT INTO t VALUES ('ää     '), (NULL), ('')")
    assert run("SELECT s FROM t ORDER BY 1") == [("",), ("ää ",), (None,)]
    assert run("SELECT 'ääää'::varchar(5), CAST('ab' || 'cdef' AS varchar(3)), CAST(NULL AS varchar(3))") == [
        ("ää", "abc", None)
    ]


def test_a_wider_column_takes_what_the_narrow_one_held(run):
    run("CREATE TABLE t (s varchar(4))")
    run("INSERT INTO t VALUES ('ää')")
    run("ALTER TABLE t ALTER COLUMN s TYPE varchar(6)")
    run("INSERT INTO t VALUES ('äää')")
    run("CREATE TABLE u AS SELECT s FROM t")
    assert run("SELECT type FROM pg_table_def WHERE tablename = 'u'") == [("character varying(6)",)]
