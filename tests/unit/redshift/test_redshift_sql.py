"""Cutting SQL, reading COPY and rewriting definitions, as text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.redaction import REDACTOR
from sandbox.redshift.copy.options import parse_copy
from sandbox.redshift.errors import SqlError
from sandbox.redshift.plans import Begin, Finish, Plain, Truncate, plan
from sandbox.redshift.rewrite.create_table import plan_create_table
from sandbox.redshift.rewrite.upkeep import postgres_analyze, postgres_setting, postgres_vacuum
from sandbox.redshift.rewrite.words import rewrite_words
from sandbox.redshift.tokens import split, tokenize


def only(sql):
    (statement,) = split(sql)
    return statement


@given(st.text(alphabet="aE'\"\\$;-/* \n(,)1.#x", max_size=40))
def test_tokens_joined_are_the_text_again(sql):
    assert "".join(token.text for token in tokenize(sql)) == sql


@pytest.mark.parametrize(
    ("sql", "texts"),
    [
        ("SELECT 1", ["SELECT 1"]),
        ("SELECT 1;;SELECT 2; ", ["SELECT 1", "SELECT 2"]),
        ("SELECT ';' ; SELECT \";\"", ["SELECT ';' ", ' SELECT ";"']),
        ("SELECT E'\\';'; SELECT 2", ["SELECT E'\\';'", " SELECT 2"]),
        ("SELECT '\\'; SELECT 2", ["SELECT '\\'", " SELECT 2"]),
        ("SELECT $a$;$b$;$a$; SELECT 2", ["SELECT $a$;$b$;$a$", " SELECT 2"]),
        ("SELECT 1 -- ;\n; SELECT 2", ["SELECT 1 -- ;\n", " SELECT 2"]),
        ("SELECT /* ; /* ; */ ; */ 1; SELECT 2", ["SELECT /* ; /* ; */ ; */ 1", " SELECT 2"]),
        ("  -- nothing\n", []),
        ("SELECT 'open; SELECT 2", ["SELECT 'open; SELECT 2"]),
    ],
)
def test_queries_are_split_at_semicolons_that_end_statements(sql, texts):
    assert [statement.text for statement in split(sql)] == texts


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 1",
        "select a.sysdate, b AS sysdate from t",
        "SELECT 'sysdate', \"version\"() FROM t",
        "INSERT INTO nvl (a) VALUES (1)",
        "WITH q AS (SELECT 1) SELECT * FROM q",
        "EXPLAIN SELECT 1",
        "(SELECT 1) UNION (SELECT 2)",
        "GRANT SELECT ON t TO u",
    ],
)
def test_ordinary_sql_is_not_touched(sql):
    assert plan(only(sql)) == Plain(sql)


def test_words_of_redshift_are_replaced_and_nothing_else():
    sql = "SELECT  SYSDATE,Nvl(a, 'nvl('), DATEADD( month , 1,d)::varchar(MAX) /* sysdate */ FROM #t"
    assert rewrite_words(only(sql)) == (
        "SELECT  pg_catalog.sysdate(),COALESCE(a, 'nvl('), DATEADD( 'month' , 1,d)::varchar(65535) "
        '/* sysdate */ FROM "#t"'
    )


def test_transactions_are_recognised_in_every_spelling():
    for sql in ("BEGIN", "BEGIN WORK", "START TRANSACTION", "begin transaction"):
        assert plan(only(sql)) == Begin(sql)
    assert plan(only("BEGIN ISOLATION LEVEL SERIALIZABLE")).modes == "ISOLATION LEVEL SERIALIZABLE"
    for sql in ("COMMIT", "END", "ROLLBACK", "ABORT"):
        assert plan(only(sql)) == Finish(sql, commits=sql in ("COMMIT", "END"))
    assert plan(only("TRUNCATE TABLE t")) == Truncate("TRUNCATE TABLE t")


def test_settings_of_redshift_have_a_namespace():
    assert postgres_setting(only("SET query_group TO 'a'")) == "SET redshift.query_group TO 'a'"
    assert postgres_setting(only("RESET query_group")) == "RESET redshift.query_group"
    assert postgres_setting(only("SET LOCAL query_group = 'a'")) == "SET LOCAL redshift.query_group = 'a'"
    assert postgres_setting(only("SET statement_timeout TO 5")) == "SET statement_timeout TO 5"


def test_maintenance_in_the_words_of_postgres():
    assert postgres_vacuum(only("VACUUM REINDEX s.t TO 100 PERCENT BOOST")) == 'VACUUM "s"."t"'
    assert postgres_analyze(only("ANALYZE VERBOSE t ALL COLUMNS")).split() == ["ANALYZE", "VERBOSE", "t"]
    with pytest.raises(SqlError):
        postgres_vacuum(only("VACUUM t LOUDLY"))


def test_a_definition_in_the_words_of_postgres():
    build = plan_create_table(
        only("CREATE LOCAL TEMP TABLE x (a int DEFAULT (1+2) ENCODE raw, B text DEFAULT getdate() UNIQUE)")
    )
    assert build.main == 'CREATE TEMP TABLE "x" ("a" integer DEFAULT (1+2), "b" varchar(256) DEFAULT getdate())'
    assert "pg_temp" in build.after[0]


def test_a_copy_is_read_whole():
    copy = parse_copy(
        only(
            "copy s.t (a, \"B\") from 's3://b/k' with credentials as 'aws_access_key_id=KEYKEYKEY;"
            "aws_secret_access_key=SECRETSECRET' manifest gzip delimiter as '\\t' escape null as '\\\\N' "
            "maxerror as 5 ignoreheader as 2 truncatecolumns acceptinvchars region 'eu-west-1'"
        )
    )
    assert (copy.table, copy.columns, copy.source) == (("s", "t"), ["a", "B"], "s3://b/k")
    assert (copy.delimiter, copy.null_as, copy.max_errors, copy.ignore_header) == (b"\t", b"\\N", 5, 2)
    assert (copy.manifest, copy.compression, copy.escape, copy.truncate_columns) == (True, "gzip", True, True)
    assert (copy.replacement, copy.region) == ("?", "eu-west-1")


def test_keys_in_a_copy_are_secrets():
    copy = parse_copy(only("COPY t FROM 's3://b/k' ACCESS_KEY_ID 'AKIAVERYOWN' SECRET_ACCESS_KEY 'so-very-secret'"))
    assert REDACTOR.redact("so-very-secret") == "[redacted]"
    assert "so-very-secret" not in repr(copy)


@pytest.mark.parametrize(("text", "delimiter"), [("\\t", b"\t"), ("\\001", b"\x01"), ("\\x02", b"\x02"), ("~", b"~")])
def test_delimiters_in_every_notation(text, delimiter):
    assert parse_copy(only(f"COPY t FROM 's3://b/k' IAM_ROLE default DELIMITER '{text}'")).delimiter == delimiter
