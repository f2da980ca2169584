"""COPY from JSON, fixed widths, quoted text, other encodings and compressions; dates in other forms; NOLOAD."""

from __future__ import annotations

import bz2
import json
from base64 import b64decode
from datetime import date, datetime
from decimal import Decimal
from zlib import adler32

import psycopg2
import pytest
import zstandard
from lzallright import LZOCompressor

ROLE = "IAM_ROLE 'arn:aws:iam::123456789012:role/loader'"
LONG = "1234567890" * 10


def test_json_finds_columns_by_name_and_keeps_every_digit(load):
    lines = [
        {"id": 1, "s": 'q"|\\\n€😀', "n": None, "other": [1]},
        {"id": 2, "n": "2.50", "b": True, "j": {"a": [1, None]}},
    ]
    body = json.dumps(lines[0]) + "\n" + json.dumps(lines[1], indent=2) + f'\n{{"id": 3, "s": {LONG}, "j": "x"}}'
    assert load("id int, s varchar(200), n decimal(5,2), b boolean, j super", body, "JSON 'auto'") == [
        (1, 'q"|\\\n€😀', None, None, None),
        (2, None, Decimal("2.50"), True, {"a": [1, None]}),
        (3, LONG, None, None, "x"),
    ]


def test_json_ignores_case_only_when_asked(load):
    body = '{"ID": 1, "S": "a"}'
    assert load("id int, s varchar(9)", body, "FORMAT AS JSON 'auto'") == [(None, None)]
    assert load("id int, s varchar(9)", body, "FORMAT JSON AS 'auto ignorecase'") == [(1, "a")]


def test_a_jsonpaths_file_says_where_the_values_are(load, put):
    paths = put("paths/p.json", json.dumps({"jsonpaths": ["$.head.id", "$['names'][1]", "$.gone"]}))
    body = '{"head": {"id": 7}, "names": ["a", "b"]} {"head": {"id": 8}}'
    assert load("id int, s varchar(9), x int", body, f"JSON '{paths}'") == [(7, "b", None), (8, None, None)]


def test_a_document_that_is_no_json_is_named_by_its_line_and_only_it_is_left_out(run, put):
    run("CREATE TABLE t (id int)")
    place = put("d", '{"id": 1}\n{"id": 2,}\n{"id": 3}\n{"id": "x"}\n')
    run(f"COPY t FROM '{place}' {ROLE} JSON 'auto' MAXERROR 9")
    assert run("SELECT id FROM t ORDER BY 1") == [(1,), (3,)]
    found = run(
        "SELECT line_number, rtrim(error_message) FROM sys_load_error_detail WHERE session_id = pg_backend_pid()"
        " ORDER BY 1"
    )
    assert [line for line, _ in found] == [2, 4]
    assert found[0][1] == "Invalid JSON"
    assert "'x'" not in found[1][1]


def test_fixed_widths_count_characters(load):
    body = "1  häß  2.5\n22 a      \n"
    spec = "FIXEDWIDTH 'id:3,s:5,n:3'"
    assert load("id int, s varchar(9), n decimal(4,1)", body, spec) == [
        (1, "häß  ", Decimal("2.5")),
        (22, "a    ", None),
    ]


def test_removequotes_keeps_what_is_inside(load):
    body = '1|"a|b"\n2|\'it\\\'s\'\n3|plain\n4|""\n5|"x\\\ny"\n'
    assert load("id int, s varchar(20)", body, "REMOVEQUOTES ESCAPE") == [
        (1, "a|b"),
        (2, "it's"),
        (3, "plain"),
        (4, ""),
        (5, "x\ny"),
    ]


def test_an_open_quote_is_refused_with_removequotes(load):
    with pytest.raises(psycopg2.Error, match="sys_load_error_detail"):
        load("id int, s varchar(20)", '1|"open\n', "REMOVEQUOTES")


@pytest.mark.parametrize(
    ("encoding", "codec"), [("UTF16", "utf-16"), ("UTF16LE", "utf-16-le"), ("UTF16BE", "utf-16-be")]
)
def test_utf16_becomes_utf8(load, encoding, codec):
    assert load("id int, s varchar(20)", "1|hä€😀\n".encode(codec), f"ENCODING {encoding}") == [(1, "hä€😀")]


def test_bzip2_is_unpacked(load):
    assert load("id int", bz2.compress(b"1\n2\n"), "BZIP2") == [(1,), (2,)]


def test_frames_of_zstandard_are_unpacked_one_after_the_other_and_a_cut_one_is_an_error(load, run):
    halves = (range(50_000), range(50_000, 100_000))
    frames = [zstandard.compress(b"".join(b"%d\n" % number for number in half)) for half in halves]
    assert load("id int", b"".join(frames), "ZSTD") == [(number,) for number in range(100_000)]
    with pytest.raises(psycopg2.Error, match="not a complete zstd file"):
        load("id int", b"".join(frames)[:-100], "ZSTD")
    assert run("SELECT count(*) FROM t") == [(0,)]
    with pytest.raises(psycopg2.Error, match="not a complete zstd file"):
        load("id int", b"1\n2\n", "ZSTD")
    with pytest.raises(psycopg2.Error, match="bzip2"):
        load("id int", b"1\n2\n", "BZIP2")


def test_lzop_files_are_unpacked_and_a_damaged_one_is_an_error(load):
    # "1|a", "2|b" by lzop 1.04, with Adler-32 and with CRC-32; then a block that lzop would have packed.
    made = [
        "iUxaTwANChoKEEAgoAlAAwkDAAABAACBpGsIY7sAAAAABXNtYWxsUUcGPgAAAAgAAAAICnYCMzF8YQoyfGIKAAAAAA==",
        "iUxaTwANChoKEEAgoBABAQUDABEAAACBpGsIY7sAAAAABXNtYWxsXLI6PAAAAAgAAAAIPkKzrjF8YQoyfGIKAAAAAA==",
    ]
    files = [b64decode(text) for text in made]
    plain = b"3|" + b"c" * 50_000 + b"\n"
    packed = LZOCompressor().compress(plain)
    numbers = (len(plain), len(packed), adler32(plain))
    files.append(files[0][:-24] + b"".join(number.to_bytes(4, "big") for number in numbers) + packed + b"\0" * 4)
    rows = [(1, "a"), (1, "a"), (2, "b"), (2, "b"), (3, "c" * 50_000)]
    assert load("id int, s varchar(max)", b"".join(files), "LZOP") == rows
    for damaged in (
        files[2][:-1],
        files[2][:-5] + b"\1" + files[2][-4:],
        files[0][:30] + b"x" + files[0][31:],
        b"1|a\n",
    ):
        with pytest.raises(psycopg2.Error, match="not a complete lzop file"):
            load("id int, s varchar(max)", damaged, "LZOP")


@pytest.mark.parametrize(
    ("form", "text", "day"),
    [
        ("DD.MM.YYYY", "31.12.1999", date(1999, 12, 31)),
        ("MON-DD-YYYY", "Jan-01-1999", date(1999, 1, 1)),
        ("MM/DD/YY", "02/03/24", date(2024, 2, 3)),
        ("YYYYMMDD", "20240229", date(2024, 2, 29)),
        ("auto", "12/31/2024 07:37:16", date(2024, 12, 31)),
    ],
)
def test_dates_have_the_form_that_the_command_says(load, form, text, day):
    assert load("d date", f"{text}\n", f"DATEFORMAT AS '{form}'") == [(day,)]


@pytest.mark.parametrize(
    ("form", "text", "moment"),
    [
        ("MM.DD.YYYY HH:MI:SS", "02.03.2024 23:59:58.25", "2024-02-03T23:59:58.250000"),
        ("YYYY/MM/DD HH12:MI AM", "2024/02/03 11:05 PM", "2024-02-03T23:05:00"),
        ("YYYY-MM-DDTHH:MI:SS", "2024-02-03T04:05:06", "2024-02-03T04:05:06"),
        ("auto", "20240203 040506", "2024-02-03T04:05:06"),
        ("auto", "2024-02-03T04:05:06Z", "2024-02-03T04:05:06"),
    ],
)
def test_times_have_the_form_that_the_command_says(load, form, text, moment):
    assert load("t timestamp", f"{text}\n", f"TIMEFORMAT '{form}'") == [(datetime.fromisoformat(moment),)]


def test_a_date_of_another_form_is_refused_or_null(load):
    with pytest.raises(psycopg2.Error, match="sys_load_error_detail"):
        load("d date", "1999-12-31\n", "DATEFORMAT 'DD.MM.YYYY'")
    options = "ACCEPTANYDATE DATEFORMAT 'auto'"
    assert load("id int, d date", "1|00/00/00\n2|2024-02-30\n3|2024-02-28\n", options) == [
        (1, None),
        (2, None),
        (3, date(2024, 2, 28)),
    ]


def test_noload_looks_for_errors_and_loads_nothing(run, put):
    run("CREATE TABLE t (id int)")
    run(f"COPY t FROM '{put('good', '1')}' {ROLE} NOLOAD")
    assert run("SELECT * FROM t") == []
    with pytest.raises(psycopg2.Error, match="sys_load_error_detail"):
        run(f"COPY t FROM '{put('bad', 'x')}' {ROLE} NOLOAD")


def test_every_error_is_left_out_with_ignoreallerrors(load):
    body = "".join(f"{'x' if n % 2 else n}\n" for n in range(300))
    assert len(load("id int", body, "IGNOREALLERRORS")) == 150


@pytest.mark.parametrize(
    "options",
    [
        "JSON 'auto' CSV",
        "JSON 'auto' ESCAPE",
        "CSV REMOVEQUOTES",
        "FIXEDWIDTH 'a:1' DELIMITER ','",
        "FIXEDWIDTH 'a'",
        "READRATIO 50",
        "IGNOREALLERRORS MAXERROR 5",
        "JSON 'some'",
        "TIMEFORMAT 'epoch'",
        "FORMAT AS SHAPEFILE",
    ],
)
def test_what_does_not_go_together_or_is_not_known_is_refused(run, put, options):
    run("CREATE TABLE t (id int)")
    with pytest.raises(psycopg2.Error) as caught:
        run(f"COPY t FROM '{put('data', '1')}' {ROLE} {options}")
    assert "sys_load_error_detail" not in str(caught.value)


def test_a_jsonpaths_file_must_fit_the_columns(run, put):
    run("CREATE TABLE t (id int)")
    data = put("data", "{}")
    for text, complaint in (
        ('{"jsonpaths": []}', "number of columns"),
        ("[]", "Invalid JSONPath file"),
        ('{"jsonpaths": ["a"]}', "Invalid JSONPath format"),
    ):
        with pytest.raises(psycopg2.Error, match=complaint):
            run(f"COPY t FROM '{data}' {ROLE} JSON '{put('paths', text)}'")
