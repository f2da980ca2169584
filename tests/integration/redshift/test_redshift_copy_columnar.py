"""COPY from Parquet, ORC and Avro: exact values, Redshift's restrictions, errors in the words of Spectrum."""

from __future__ import annotations

import datetime as dt
import io
import json
from decimal import Decimal

import fastavro
import psycopg2
import pyarrow as pa
import pytest
from pyarrow import orc, parquet

ROLE = "IAM_ROLE 'arn:aws:iam::123456789012:role/loader'"
DEFINITION = (
    "i2 smallint, i4 int, i8 bigint, f4 real, f8 float, b boolean, d date, ts timestamp, n decimal(38,10),"
    " s varchar(20), c char(3), raw varbyte(9), tz timestamptz"
)
NOON = dt.datetime.fromisoformat("2024-02-29T12:00:00.123456")
LONG = Decimal("1234567890123456789012345678.0000000001")
OLD = dt.datetime.fromisoformat("1969-12-31T23:59:59")
ROWS = [
    [
        1,
        2,
        2**62,
        0.5,
        0.1,
        True,
        NOON.date(),
        NOON,
        Decimal("1234567890123456789012345678.0000000001"),
        "hä€😀",
        "abc",
    ],
    [None] * 11,
    [-1, -2, -3, -0.5, 1e300, False, dt.date(1, 1, 1), OLD, Decimal("-0.1"), "", ""],
    [0, 0, 0, 0, 0, True, dt.date(9999, 12, 31), NOON, Decimal(0), 'a"b,\\\r\n\t|', "NUL"],
]
SCHEMA = pa.schema(
    [
        ("i2", pa.int16()),
        ("i4", pa.int32()),
        ("i8", pa.int64()),
        ("f4", pa.float32()),
        ("f8", pa.float64()),
        ("b", pa.bool_()),
        ("d", pa.date32()),
        ("ts", pa.timestamp("us")),
        ("n", pa.decimal128(38, 10)),
        ("s", pa.string()),
        ("c", pa.string()),
        ("raw", pa.binary()),
        ("tz", pa.timestamp("us", "UTC")),
    ]
)


def table():
    rows = [[*row, None if row[0] is None else b"\x00\xff", row[7] and row[7].replace(tzinfo=dt.UTC)] for row in ROWS]
    columns = list(zip(*rows, strict=True))
    return pa.table([pa.array(column, field.type) for column, field in zip(columns, SCHEMA, strict=True)], SCHEMA)


def packed(content, form="PARQUET"):
    sink = io.BytesIO()
    if form == "ORC":
        orc.write_table(content, sink)
    else:
        parquet.write_table(content, sink, row_group_size=2)
    return sink.getvalue()


@pytest.mark.parametrize("form", ["PARQUET", "ORC"])
def test_every_type_arrives_as_it_is(load, run, form):
    run("SET TimeZone TO 'America/New_York'")
    found = load(DEFINITION, packed(table(), form), f"FORMAT AS {form}")
    wanted = sorted(ROWS, key=lambda row: (row[0] is None, row[0]))
    assert [list(row[:10]) for row in found] == [row[:10] for row in wanted]
    assert [row[10] for row in found] == [row[10] if row[10] is None else row[10].ljust(3) for row in wanted]
    assert [bytes(row[11]) if row[11] is not None else None for row in found] == [b"\x00\xff"] * 3 + [None]
    assert [row[12] and row[12].astimezone(dt.UTC).replace(tzinfo=None) for row in found] == [row[7] for row in wanted]


def test_nested_values_go_into_super_when_they_are_serialized(load):
    kind = pa.struct([("a", pa.list_(pa.decimal128(38, 20))), ("m", pa.map_(pa.string(), pa.int32()))])
    value = {"a": [Decimal("0.12345678901234567890"), None], "m": [("k", 1)]}
    content = pa.table({"id": pa.array([1, 2], pa.int32()), "v": pa.array([value, None], kind)})
    with pytest.raises(psycopg2.Error, match="incompatible Parquet schema"):
        load("id int, v super", packed(content), "FORMAT PARQUET")
    assert load("id int, v super", packed(content), "FORMAT PARQUET SERIALIZETOJSON") == [
        (1, {"a": [0.1234567890123456789, None], "m": {"k": 1}}),
        (2, None),
    ]


@pytest.mark.parametrize(
    ("definition", "column", "complaint"),
    [
        ("id bigint", pa.array([1], pa.int32()), "Column type: BIGINT, Parquet schema: int32 x"),
        ("id int", pa.array(["1"]), "Column type: INTEGER, Parquet schema: string x"),
        ("id decimal(5,2)", pa.array([Decimal("1.5")], pa.decimal128(5, 1)), r"DECIMAL\(5, 2\)"),
        ("id varchar(4)", pa.array(["ääx"]), "Table: 4, Data: 5, File name: s3://"),
        ("id int, b int", pa.array([1], pa.int32()), "Table columns: 2, Data columns: 1"),
        ("id int not null", pa.array([None], pa.int32()), "NULL in column id"),
        ("id smallint", pa.array([40000], pa.int32()), "A value of column id does not fit"),
        ("id varchar(9)", pa.array(["a\0b"]), "column id holds a NUL"),
        ("id varchar(9)", pa.array([b"\xff"]), "invalid or unsupported UTF8"),
        ("id char(9)", pa.array(["ä"]), "Multibyte"),
    ],
)
def test_what_does_not_fit_is_a_spectrum_scan_error_without_data(run, put, definition, column, complaint):
    run(f"CREATE TABLE t ({definition})")
    place = put("d.parquet", packed(pa.table({"x": column})))
    with pytest.raises(psycopg2.Error, match="Spectrum Scan Error") as caught:
        run(f"COPY t FROM '{place}' {ROLE} FORMAT PARQUET")
    assert caught.match(complaint)
    assert "40000" not in str(caught.value)
    assert run("SELECT count(*) FROM t") == [(0,)]
    assert run(
        "SELECT status FROM sys_load_history WHERE session_id = pg_backend_pid() ORDER BY query_id DESC LIMIT 1"
    ) == [("aborted",)]


@pytest.mark.parametrize(
    "option",
    [
        "MAXERROR 1",
        "TRUNCATECOLUMNS",
        "REGION 'us-east-1'",
        "ACCEPTANYDATE",
        "GZIP",
        "NULL AS ''",
        "COMPUPDATE OFF",
        "NOLOAD",
    ],
)
@pytest.mark.parametrize("form", ["PARQUET", "ORC"])
def test_columnar_formats_take_few_options(run, option, form):
    run("CREATE TABLE t (id int)")
    with pytest.raises(psycopg2.Error, match=f"argument is not supported for {form} based COPY") as caught:
        run(f"COPY t FROM 's3://b/k' {ROLE} FORMAT AS {form} {option}")
    assert caught.value.pgcode == "0A000"


def test_a_file_that_is_no_parquet_and_an_empty_one(load, run):
    with pytest.raises(psycopg2.Error, match="invalid version number"):
        load("id int", "1,2\n", "FORMAT PARQUET")
    assert load("x int", packed(pa.table({"x": pa.array([], pa.int32())})), "FORMAT PARQUET") == []


def test_a_damaged_page_fails_the_load_and_not_the_session(load, run):
    content = pa.table({"x": pa.array([f"text {number}" * 20 for number in range(2000)])})
    body = bytearray(packed(content))
    for place in range(200, len(body) // 2):
        body[place] ^= 0x5A
    with pytest.raises(psycopg2.Error, match="Spectrum Scan Error"):
        load("s varchar(999)", bytes(body), "FORMAT PARQUET")
    assert run("SELECT count(*) FROM t") == [(0,)]


def test_fillrecord_acceptinvchars_and_explicit_ids_hold_for_parquet(load, run, put):
    content = pa.table({"x": pa.array([b"a\xffb"])})
    assert load("s varchar(9), n int", packed(content), "FORMAT PARQUET FILLRECORD ACCEPTINVCHARS '*'") == [
        ("a*b", None)
    ]
    run("CREATE TABLE u (id int IDENTITY(1,1), s varchar(9))")
    place = put("ids", packed(pa.table({"id": pa.array([7], pa.int32()), "s": ["x"]})))
    run(f"COPY u FROM '{place}' {ROLE} FORMAT PARQUET EXPLICIT_IDS")
    assert run("SELECT * FROM u") == [(7, "x")]


def test_a_manifest_of_parquet_files_gives_their_lengths(run, put):
    body = packed(pa.table({"x": pa.array([1, 2], pa.int32())}))
    run("CREATE TABLE t (id int)")
    place = put("p/a", body)
    bare = put("bare.json", json.dumps({"entries": [{"url": place}]}))
    with pytest.raises(psycopg2.Error, match="content_length"):
        run(f"COPY t FROM '{bare}' {ROLE} FORMAT PARQUET MANIFEST")
    whole = put("whole.json", json.dumps({"entries": [{"url": place, "meta": {"content_length": len(body)}}]}))
    run(f"COPY t FROM '{whole}' {ROLE} FORMAT PARQUET MANIFEST")
    assert run("SELECT count(*), pg_last_copy_count() FROM t") == [(2, 2)]


AVRO = {
    "type": "record",
    "name": "r",
    "fields": [
        {"name": "ID", "type": "long"},
        {"name": "s", "type": ["null", "string"]},
        {"name": "n", "type": {"type": "bytes", "logicalType": "decimal", "precision": 38, "scale": 10}},
        {"name": "b", "type": "boolean"},
        {"name": "d", "type": {"type": "int", "logicalType": "date"}},
        {"name": "ts", "type": {"type": "long", "logicalType": "timestamp-micros"}},
        {"name": "raw", "type": "bytes"},
        {"name": "deep", "type": {"type": "map", "values": {"type": "array", "items": "double"}}},
    ],
}
RECORD = {
    "ID": 2**60,
    "s": "hä€😀",
    "n": LONG,
    "b": False,
    "d": NOON.date(),
    "ts": NOON.replace(tzinfo=dt.UTC),
    "raw": b"\x00\xff",
    "deep": {"k": [0.5]},
}


def avro(*records, codec="deflate"):
    sink = io.BytesIO()
    fastavro.writer(sink, fastavro.parse_schema(AVRO), records, codec=codec)
    return sink.getvalue()


def test_avro_finds_columns_by_name_and_keeps_values_exact(load):
    columns = "id bigint, s varchar(20), n decimal(38,10), b boolean, d date, ts timestamp, raw varbyte(9), deep super"
    other = {**RECORD, "ID": 1, "s": None}
    found = load(f"{columns}, gone int", avro(RECORD, other), "FORMAT AS AVRO 'auto ignorecase'")
    wanted = [RECORD["n"], False, NOON.date(), NOON]
    assert [(row[0], row[1], list(row[2:6]), bytes(row[6]), row[7], row[8]) for row in found] == [
        (1, None, wanted, b"\x00\xff", {"k": [0.5]}, None),
        (2**60, "hä€😀", wanted, b"\x00\xff", {"k": [0.5]}, None),
    ]


def test_avro_takes_jsonpaths_epochs_and_counts_bad_records(load, put, run):
    paths = put("paths.json", json.dumps({"jsonpaths": ["$['ID']", "$.deep.k[0]", "$.ts"]}))
    assert load("a bigint, b float, c timestamp", avro(RECORD), f"AVRO '{paths}' TIMEFORMAT 'epochmillisecs'") == [
        (2**60, 0.5, NOON.replace(microsecond=123000))
    ]
    run("CREATE TABLE u (s varchar(4), id int)")
    place = put("two.avro", avro({**RECORD, "s": "long enough"}, {**RECORD, "s": "ok", "ID": 5}))
    run(f"COPY u FROM '{place}' {ROLE} FORMAT AVRO 'auto ignorecase' MAXERROR 5")
    assert run("SELECT * FROM u") == [("ok", 5)]
    assert run(
        "SELECT line_number, rtrim(column_name) FROM sys_load_error_detail WHERE session_id = pg_backend_pid()"
        " ORDER BY query_id DESC LIMIT 1"
    ) == [(1, "s")]


@pytest.mark.parametrize("body", [b"", b"Obj", avro(RECORD)[:-20], b'{"id": 1}\n'])
def test_a_file_that_is_no_avro_is_refused_whole(load, run, body):
    with pytest.raises(psycopg2.Error, match="not a whole Avro file"):
        load("id bigint", body, "FORMAT AVRO 'auto'")
    assert run("SELECT count(*) FROM t") == [(0,)]


def test_json_noshred_puts_the_whole_document_into_one_super_column(load):
    assert load("v super", '{"a": 1, "b": [true]} [2]', "JSON 'noshred'") == [([2],), ({"a": 1, "b": [True]},)]
    with pytest.raises(psycopg2.Error, match="exactly one column"):
        load("v super, n int", "{}", "JSON 'noshred'")
