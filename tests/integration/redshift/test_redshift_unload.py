"""UNLOAD to S3: what is in the files, how they are called, what is refused, what comes back through COPY."""

from __future__ import annotations

import bz2
import gzip
import json
from decimal import Decimal

import psycopg2
import pytest

ROLE = "IAM_ROLE 'arn:aws:iam::123456789012:role/loader'"
LONG = "1234567890" * 10
HARD = [
    (1, None, Decimal("1.50")),
    (2, "", None),
    (3, "\\N", Decimal("-0.10")),
    (4, "a|b,c\td", None),
    (5, "line\nbreak\r\nand \\n", None),
    (6, 'it\'s "quoted"', None),
    (7, "häß€😀", None),
    (8, LONG, None),
    (9, "\\", None),
    (10, "NULL", None),
    (11, "\b\f\v\x1f", None),
]


@pytest.fixture
def hard_table(run):
    run("CREATE TABLE hard (id int, s varchar(200), n decimal(5,2))")
    for row in HARD:
        run("INSERT INTO hard VALUES (%s, %s, %s)", *row)


@pytest.fixture
def unload(run, s3_client, s3_bucket):
    """Unload a query below ``out/`` and return the files by name."""

    def unload_query(query, options="", prefix="out/"):
        run(f"UNLOAD ('{query}') TO 's3://{s3_bucket}/{prefix}' {ROLE} {options}")
        return files()

    def files():
        listed = s3_client.list_objects_v2(Bucket=s3_bucket, Prefix="out/").get("Contents", [])
        return {
            item["Key"].removeprefix("out/"): s3_client.get_object(Bucket=s3_bucket, Key=item["Key"])["Body"].read()
            for item in listed
        }

    return unload_query


def test_text_is_pipe_delimited_and_null_is_nothing(run, unload):
    run("CREATE TABLE t (id int, s varchar(20), b boolean, d timestamp)")
    run("INSERT INTO t VALUES (1, 'a\\b', true, '2024-01-02 03:04:05'), (2, NULL, false, NULL)")
    assert unload("SELECT * FROM t ORDER BY id", "PARALLEL OFF") == {"000": b"1|a\\b|t|2024-01-02 03:04:05\n2||f|\n"}


def test_escape_puts_a_backslash_before_line_ends_delimiters_and_backslashes(run, unload):
    run("CREATE TABLE t (s varchar(40))")
    run("INSERT INTO t VALUES (%s), (NULL)", "a|b\\c\nd\re\tf")
    written = unload("SELECT s FROM t ORDER BY s", "PARALLEL OFF ESCAPE NULL AS 'no'")
    assert written == {"000": b"a\\|b\\\\c\\\nd\\\re\tf\nno\n"}


def test_addquotes_puts_quotes_around_every_value_and_none_around_null(run, unload):
    run("CREATE TABLE t (id int, s varchar(40))")
    run("INSERT INTO t VALUES (1, %s), (2, NULL), (3, '')", 'a|b"c')
    query = "SELECT * FROM t ORDER BY id"
    written = unload(query, "PARALLEL OFF ADDQUOTES NULL AS '\\\\N' HEADER")
    assert written == {"000": b'"id"|"s"\n"1"|"a|b"c"\n"2"|\\N\n"3"|""\n'}
    assert unload(query, "PARALLEL OFF ADDQUOTES ESCAPE ALLOWOVERWRITE") == {"000": b'"1"|"a\\|b\\"c"\n"2"|\n"3"|""\n'}


def test_csv_quotes_what_needs_it(run, unload):
    run("CREATE TABLE t (id int, s varchar(40))")
    run("INSERT INTO t VALUES (1, %s), (2, NULL), (3, ''), (4, 'plain')", 'a,b"c\n')
    written = unload("SELECT * FROM t ORDER BY id", "FORMAT AS CSV PARALLEL OFF HEADER")
    assert written == {"000": b'id,s\n1,"a,b""c\n"\n2,\n3,""\n4,plain\n'}


def test_fixed_widths_are_filled_and_never_cut(run, unload):
    run("CREATE TABLE t (id int, s varchar(40))")
    run("INSERT INTO t VALUES (1, 'hä\\x'), (22, NULL)")
    query = "SELECT * FROM t ORDER BY id"
    assert unload(query, "FIXEDWIDTH 'id:3,s:5' PARALLEL OFF") == {"000": "1  hä\\x \n22      \n".encode()}
    with pytest.raises(psycopg2.Error, match="FIXEDWIDTH"):
        unload(query, "FIXEDWIDTH 'id:3,s:2' PARALLEL OFF ALLOWOVERWRITE")
    wide_null = "FIXEDWIDTH 'id:3,s:2' NULL AS 'none' PARALLEL OFF ALLOWOVERWRITE"
    assert unload("SELECT 1, NULL::int", wide_null) == {"000": b"1    \n"}
    with pytest.raises(psycopg2.Error, match="FIXEDWIDTH"):
        unload("SELECT 1, NULL::varchar", wide_null)


def test_files_are_named_by_slice_and_part_and_the_manifest_lists_them(run, unload, s3_bucket):
    run("CREATE TABLE t (id int, s varchar(9), n decimal(5,2))")
    run("INSERT INTO t VALUES (1, 'a', 2)")
    written = unload("SELECT * FROM t", "GZIP MANIFEST VERBOSE HEADER")
    assert sorted(written) == ["0000_part_00.gz", "0001_part_00.gz", "manifest"]
    assert gzip.decompress(written["0000_part_00.gz"]) == b"id|s|n\n1|a|2.00\n"
    document = json.loads(written["manifest"])
    assert [entry["url"] for entry in document["entries"]] == [
        f"s3://{s3_bucket}/out/0000_part_00.gz",
        f"s3://{s3_bucket}/out/0001_part_00.gz",
    ]
    assert [entry["meta"]["content_length"] for entry in document["entries"]] == [
        len(written["0000_part_00.gz"]),
        len(written["0001_part_00.gz"]),
    ]
    assert document["meta"]["record_count"] == 3  # with the headers, as AWS counts
    assert document["schema"]["elements"] == [
        {"name": "id", "type": {"base": "integer"}},
        {"name": "s", "type": {"base": "character varying", "length": 9}},
        {"name": "n", "type": {"base": "numeric", "precision": 5, "scale": 2}},
    ]
    ((rows, count),) = run(
        "SELECT pg_last_unload_count(), (SELECT count(*) FROM stl_unload_log WHERE query = pg_last_unload_id())"
    )
    assert (rows, count) == (1, 2)


def test_large_results_are_cut_into_files_and_nothing_is_lost(run, unload, s3_bucket):
    run("CREATE TABLE t (id int, s varchar(200))")
    run("INSERT INTO t SELECT g, repeat('x', 150) FROM generate_series(1, 80000) g")
    written = unload("SELECT * FROM t ORDER BY id", "PARALLEL OFF MAXFILESIZE AS 5 MB")
    assert sorted(written) == ["000", "001", "002"]
    assert max(map(len, written.values())) <= 5 << 20
    assert b"".join(written[name] for name in sorted(written)).count(b"\n") == 80000
    parallel = unload("SELECT * FROM t", "BZIP2", prefix="out/p_")
    slices = [bz2.decompress(body) for name, body in parallel.items() if name.startswith("p_")]
    assert all(slices)
    assert sum(body.count(b"\n") for body in slices) == 80000


@pytest.mark.parametrize(
    ("there", "back"),
    [
        ("ESCAPE NULL AS 'no value'", "ESCAPE NULL AS 'no value'"),
        ("DELIMITER '\\t' ESCAPE NULL AS '@NULL@' GZIP", "DELIMITER '\\t' ESCAPE NULL AS '@NULL@' GZIP"),
        ("FORMAT CSV NULL AS '\\\\N'", "CSV"),
        ("CSV DELIMITER AS '|' NULL AS 'no value' BZIP2", "CSV DELIMITER AS '|' NULL AS 'no value' BZIP2"),
        ("ADDQUOTES ESCAPE NULL AS 'no value'", "REMOVEQUOTES ESCAPE NULL AS 'no value'"),
    ],
)
def test_everything_comes_back_through_copy(hard_table, run, unload, s3_bucket, there, back):
    unload("SELECT * FROM hard", there)
    run("CREATE TABLE again (LIKE hard)")
    run(f"COPY again FROM 's3://{s3_bucket}/out/' {ROLE} {back}")
    assert run("SELECT * FROM again ORDER BY id") == HARD


def test_an_unload_sees_its_own_transaction_and_temporary_tables(open_connection, s3_client, s3_bucket):
    connection = open_connection()
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMP TABLE staging (id int)")
        cursor.execute("INSERT INTO staging VALUES (1)")
        cursor.execute(f"UNLOAD ($$SELECT nvl(id, 0) FROM staging$$) TO 's3://{s3_bucket}/o_' {ROLE} PARALLEL OFF")
    connection.rollback()
    assert s3_client.get_object(Bucket=s3_bucket, Key="o_000")["Body"].read() == b"1\n"


def test_quotes_in_the_query_are_doubled_or_escaped(run, unload):
    run("CREATE TABLE t (s varchar(9))")
    run("INSERT INTO t VALUES ('NV'), ('it''s')")
    assert unload("SELECT s FROM t WHERE s = ''NV''", "PARALLEL OFF") == {"000": b"NV\n"}
    assert unload("SELECT s FROM t WHERE s = \\'NV\\'", "PARALLEL OFF ALLOWOVERWRITE") == {"000": b"NV\n"}


def test_a_target_that_is_not_empty_is_refused_overwritten_or_cleaned(run, unload, put):
    run("CREATE TABLE t (id int)")
    put("out/old", "old")
    with pytest.raises(psycopg2.Error, match="not empty"):
        unload("SELECT * FROM t", "PARALLEL OFF")
    assert unload("SELECT * FROM t", "PARALLEL OFF ALLOWOVERWRITE") == {"old": b"old", "000": b""}
    assert unload("SELECT * FROM t", "PARALLEL OFF CLEANPATH") == {"000": b""}


@pytest.mark.parametrize(
    ("query", "options", "complaint"),
    [
        ("SELECT * FROM t LIMIT 1", "", "Limit clause"),
        ("DELETE FROM t", "", "SELECT"),
        ("SELECT 1; SELECT 2", "", "one query"),
        ("SELECT * FROM nowhere", "", "nowhere"),
        ("SELECT * FROM t", "ALLOWOVERWRITE CLEANPATH", "CLEANPATH"),
        ("SELECT * FROM t", "CSV ESCAPE", "ESCAPE"),
        ("SELECT * FROM t", "MAXFILESIZE 1 MB", "MAXFILESIZE"),
        ("SELECT * FROM t", "SHINY", "shiny"),
        ("SELECT * FROM t", "GZIP GZIP", "redundant"),
    ],
)
def test_what_redshift_refuses_or_the_front_does_not_know_is_an_error(run, unload, query, options, complaint):
    run("CREATE TABLE t (id int)")
    with pytest.raises(psycopg2.Error, match=complaint):
        unload(query, options)
    assert run("SELECT 1") == [(1,)]


def test_an_error_in_the_middle_leaves_no_unfinished_file(run, unload, s3_client, s3_bucket):
    run("CREATE TABLE t (id int)")
    run("INSERT INTO t SELECT generate_series(1, 200000)")
    with pytest.raises(psycopg2.Error, match="division by zero"):
        unload("SELECT 1 / (id - 200000) FROM t")
    assert "Contents" not in s3_client.list_objects_v2(Bucket=s3_bucket)
    assert not s3_client.list_multipart_uploads(Bucket=s3_bucket).get("Uploads")


def test_a_bucket_that_is_not_there_is_named_and_the_session_goes_on(run):
    run("CREATE TABLE t (id int)")
    with pytest.raises(psycopg2.Error, match="NoSuchBucket"):
        run(f"UNLOAD ('SELECT * FROM t') TO 's3://gone-{'x' * 8}/out/' {ROLE} ALLOWOVERWRITE")
    assert run("SELECT count(*) FROM t") == [(0,)]
