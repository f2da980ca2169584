"""UNLOAD as Parquet and JSON, into folders by partition columns, encrypted: what is in S3 afterwards."""

from __future__ import annotations

import datetime as dt
import io
import json
from decimal import Decimal

import psycopg2
import pytest
from pyarrow import parquet

ROLE = "IAM_ROLE 'arn:aws:iam::123456789012:role/loader'"
NOON = dt.datetime.fromisoformat("2024-02-29T12:00:00.123456")
DEFINITION = (
    "i2 smallint, i4 int, i8 bigint, f4 real, f8 float, b boolean, d date, ts timestamp, tz timestamptz,"
    " n decimal(38,10), s varchar(40), raw varbyte(9), j super"
)
ROW = [7, 8, 2**62, 0.5, 0.1, True, NOON.date(), NOON, NOON, Decimal("1234567890123456789012345678.0000000001")]


@pytest.fixture
def unload(run, s3_client, s3_bucket):
    """Unload a query below ``out/``; return the files by name."""

    def unload_query(query, options=""):
        run(f"UNLOAD ($${query}$$) TO 's3://{s3_bucket}/out/' {ROLE} {options}")
        listed = s3_client.list_objects_v2(Bucket=s3_bucket, Prefix="out/").get("Contents", [])
        read = s3_client.get_object
        return {i["Key"].removeprefix("out/"): read(Bucket=s3_bucket, Key=i["Key"])["Body"].read() for i in listed}

    return unload_query


@pytest.fixture
def wide(run):
    """A table of every type, with hard texts and a row of NULL."""
    run(f"CREATE TABLE wide ({DEFINITION})")
    run("SET TimeZone TO 'Asia/Tokyo'")
    run("SET DateStyle TO 'SQL, DMY'")
    moment = "2024-02-29 12:00:00.123456"
    for text in ("", 'a"b,\\\r\n\t|€😀', "NULL"):
        run(
            f"INSERT INTO wide VALUES (7, 8, {2**62}, 0.5, 0.1, true, '2024-02-29', '{moment}', '{moment}+00',"
            " 1234567890123456789012345678.0000000001, %s, '\\x00ff', '{\"a\": [1, null]}')",
            text,
        )
    run("INSERT INTO wide (i2) VALUES (NULL)")


def test_parquet_holds_every_value_as_it_is(wide, run, unload, s3_bucket):
    files = unload("SELECT * FROM wide", "FORMAT AS PARQUET MANIFEST VERBOSE")
    assert set(files) == {"0000_part_00.parquet", "0001_part_00.parquet", "manifest"}
    rows = [
        row
        for name in sorted(files)
        if name.endswith("parquet")
        for row in parquet.read_table(io.BytesIO(files[name])).to_pylist()
    ]
    found = sorted((list(row.values()) for row in rows), key=lambda row: (row[0] is None, row[10] or ""))
    assert [row[:10] for row in found] == [ROW] * 3 + [[None] * 10]
    assert [row[10] for row in found] == ["", "NULL", 'a"b,\\\r\n\t|€😀', None]
    assert [row[11] for row in found] == [b"\x00\xff"] * 3 + [None]
    assert [json.loads(row[12]) for row in found[:3]] == [{"a": [1, None]}] * 3
    assert json.loads(files["manifest"])["meta"]["record_count"] == 4
    run("CREATE TABLE back (LIKE wide)")
    run("ALTER TABLE back DROP COLUMN j")
    unload("SELECT i2, i4, i8, f4, f8, b, d, ts, tz, n, s, raw FROM wide", "PARQUET CLEANPATH")
    run(f"COPY back FROM 's3://{s3_bucket}/out/' {ROLE} FORMAT PARQUET")
    same = "i2, i4, i8, f4, f8, b, d, ts, tz, n, s, raw"
    assert run(f"SELECT count(*) FROM (SELECT {same} FROM wide EXCEPT SELECT {same} FROM back) x") == [(0,)]
    assert run("SELECT count(*) FROM back") == [(4,)]


def test_an_expression_without_scale_has_ten_places_and_no_rows_give_a_file_with_columns(run, unload):
    files = unload("SELECT 1::numeric / 3 AS third, NULL::varchar AS nothing", "PARQUET PARALLEL OFF")
    assert parquet.read_table(io.BytesIO(files["000.parquet"])).to_pylist() == [
        {"third": Decimal("0.3333333333"), "nothing": None}
    ]
    empty = unload("SELECT 1 AS a WHERE 1 = 2", "PARQUET PARALLEL OFF ALLOWOVERWRITE ROWGROUPSIZE 64 MB")
    table = parquet.read_table(io.BytesIO(empty["000.parquet"]))
    assert (table.num_rows, table.column_names) == (0, ["a"])


def test_json_has_one_object_for_each_row(wide, unload, run, s3_bucket):
    (lines,) = unload("SELECT i8, b, ts, n, s, raw, j FROM wide ORDER BY s", "JSON PARALLEL OFF").values()
    rows = [json.loads(line, parse_float=Decimal) for line in lines.decode().splitlines()]
    assert rows[0] == {
        "i8": 2**62,
        "b": True,
        "ts": "2024-02-29 12:00:00.123456",
        "n": ROW[9],
        "s": "",
        "raw": "00ff",
        "j": {"a": [1, None]},
    }
    assert [row["s"] for row in rows] == ["", "NULL", 'a"b,\\\r\n\t|€😀', None]
    run("CREATE TABLE back (i8 bigint, s varchar(40), n decimal(38,10))")
    run(f"COPY back FROM 's3://{s3_bucket}/out/' {ROLE} JSON 'auto'")
    assert run("SELECT count(*), count(s), min(n) FROM back") == [(4, 3, ROW[9])]
    (line,) = unload("SELECT 1 AS r, 2 AS unloaded, 3 AS line", "JSON PARALLEL OFF ALLOWOVERWRITE").values()
    assert json.loads(line) == {"r": 1, "unloaded": 2, "line": 3}


@pytest.mark.parametrize("form", ["CSV", "PARQUET", "JSON GZIP", "DELIMITER ','"])
def test_partition_columns_become_folders(run, unload, form):
    run("CREATE TABLE t (id int, day date, place varchar(20))")
    run(
        "INSERT INTO t VALUES (1, '2024-01-01', 'a/b'), (2, '2024-01-01', NULL), (3, '2024-01-02', 'c'), (4, NULL, 'c')"
    )
    files = unload("SELECT * FROM t", f"{form} PARTITION BY (day, place)")
    assert {name.rpartition("/")[0] for name in files} == {
        "day=2024-01-01/place=a%2Fb",
        "day=2024-01-01/place=__HIVE_DEFAULT_PARTITION__",
        "day=2024-01-02/place=c",
        "day=__HIVE_DEFAULT_PARTITION__/place=c",
    }
    if form == "CSV":
        assert files["day=2024-01-02/place=c/0000_part_00"] == b"3\n"
        assert run("SELECT pg_last_unload_count()") == [(4,)]
        again = unload("SELECT * FROM t WHERE id = 3", "CSV PARTITION BY (day, place) INCLUDE CLEANPATH HEADER")
        assert again["day=2024-01-02/place=c/0000_part_00"] == b"id,day,place\n3,2024-01-02,c\n"
        assert len(again) == 4


@pytest.mark.parametrize(
    ("query", "options", "complaint"),
    [
        ("SELECT 1 AS a", "PARTITION BY (b)", 'column "b"'),
        ("SELECT 1 AS a", "PARTITION BY (a)", "INCLUDE"),
        ("SELECT 1 AS a", "PARQUET GZIP", "GZIP"),
        ("SELECT 1 AS a", "PARQUET HEADER", "HEADER"),
        ("SELECT 1 AS a", "JSON DELIMITER ','", "DELIMITER"),
        ("SELECT 1 AS a", "CSV ROWGROUPSIZE 32 MB", "ROWGROUPSIZE"),
        ("SELECT 1 AS a", "PARQUET ROWGROUPSIZE 16 MB", "between 32 MB and 128 MB"),
        ("SELECT 1 AS a", "FORMAT AS ORC", "ORC"),
        ("SELECT 1 AS a", "ENCRYPTED", "KMS_KEY_ID"),
        ("SELECT 1 AS a", "KMS_KEY_ID 'x'", "ENCRYPTED"),
        ("SELECT 1 AS a", "MASTER_SYMMETRIC_KEY 'x' ENCRYPTED", "ended"),
    ],
)
def test_what_does_not_go_together_is_refused(run, unload, query, options, complaint):
    with pytest.raises(psycopg2.Error, match=complaint):
        unload(query, options)
    assert run("SELECT 1") == [(1,)]


def test_s3_is_told_how_to_encrypt(unload, s3_client, s3_bucket):
    for options, kind, key in [
        ("", "AES256", None),
        ("ENCRYPTED AUTO", "aws:kms", None),
        (
            "KMS_KEY_ID 'arn:aws:kms:us-east-1:123456789012:key/k' ENCRYPTED",
            "aws:kms",
            "arn:aws:kms:us-east-1:123456789012:key/k",
        ),
    ]:
        unload("SELECT 1", f"PARALLEL OFF ALLOWOVERWRITE MANIFEST {options}")
        for name in ("out/000", "out/manifest"):
            head = s3_client.head_object(Bucket=s3_bucket, Key=name)
            assert (head["ServerSideEncryption"], head.get("SSEKMSKeyId")) == (kind, key)
