"""COPY from S3: what is loaded, what is refused, and what is left behind."""

from __future__ import annotations

import gzip
import json
from datetime import date, datetime
from decimal import Decimal

import psycopg2
import pytest
from psycopg2 import errors, extensions

MOMENT = datetime.fromisoformat("2024-03-31T10:20:30")
OWN = "WHERE session_id = pg_backend_pid()"
ROLE = "IAM_ROLE 'arn:aws:iam::123456789012:role/loader'"


def load_errors(run, columns="line_number, column_name, error_code, error_message"):
    rows = run(f"SELECT {columns} FROM sys_load_error_detail {OWN} ORDER BY query_id, line_number")
    return [tuple(value.rstrip() if isinstance(value, str) else value for value in row) for row in rows]


def test_text_is_pipe_delimited_and_backslashes_are_ordinary_without_escape(load):
    assert load("id int, s varchar(20)", "1|a\\tb\\\\\n2|\\N\n3|\n4|\\.\n5|x\\N") == [
        (1, "a\\tb\\\\"),
        (2, None),
        (3, ""),
        (4, "\\."),
        (5, "x\\N"),
    ]


def test_escape_takes_the_next_byte_literally(load):
    body = "1\ta\\\tb\n2\tx\\\ny\n3\t\\n\\t\\r\\0\\x41\n4\t\\\\N\n5\t\\N\n6\tq\\\\\n7\ta\\\\\\nb\n8\tp\\\rq\n9\t\\.\n"
    assert load("id int, s varchar(20)", body, r"DELIMITER '\t' ESCAPE NULL AS '\\N'") == [
        (1, "a\tb"),
        (2, "x\ny"),
        (3, "ntr0x41"),
        (4, "\\N"),
        (5, None),
        (6, "q\\"),
        (7, "a\\nb"),
        (8, "p\rq"),
        (9, "."),
    ]


def test_csv_keeps_quotes_delimiters_and_newlines(load):
    body = 'id,s\r\n1,"a,b"\r\n2,"say ""hi""\r\nthere"\r\n3,\r\n4,""\r\n5,\\N\r\n6,"\\N"\r\n"7",plain\r\n'
    assert load("id int, s varchar(30)", body, "CSV IGNOREHEADER 1") == [
        (1, "a,b"),
        (2, 'say "hi"\r\nthere'),
        (3, ""),
        (4, ""),
        (5, None),
        (6, "\\N"),
        (7, "plain"),
    ]


def test_csv_takes_another_quote_and_delimiter(load):
    assert load("id int, s varchar(30)", "1;'it''s; ok'\n", "FORMAT AS CSV QUOTE AS '''' DELIMITER AS ';'") == [
        (1, "it's; ok")
    ]


def test_null_as_keeps_null_empty_and_the_word_apart(load):
    body = "1|NULL\n2|\n3|\\N\n4|null\n"
    assert load("id int, s varchar(30)", body, "NULL AS 'NULL'") == [(1, None), (2, ""), (3, "\\N"), (4, "null")]
    assert load("id int, s varchar(30)", body, "NULL ''") == [(1, "NULL"), (2, None), (3, "\\N"), (4, "null")]


def test_empty_fields_of_other_types_are_null(load):
    columns = "id int, i bigint, d decimal(5,2), t timestamp, b boolean, y date, f float8"
    assert load(columns, "1||||||\n") == [(1, None, None, None, None, None, None)]
    assert load(columns, "1,,,,,,\n", "CSV") == [(1, None, None, None, None, None, None)]


def test_decimals_are_cut_unless_roundec_says_otherwise(load):
    columns, body = "id int, d decimal(6,2)", "1|1.999\n2|-1.999\n3|1.99\n4|.5\n5|1e2\n"
    cut = [Decimal(text) for text in ("1.99", "-1.99", "1.99", "0.50", "100.00")]
    assert [row[1] for row in load(columns, body)] == cut
    rounded = [Decimal(text) for text in ("2.00", "-2.00", "1.99", "0.50", "100.00")]
    assert [row[1] for row in load(columns, body, "ROUNDEC")] == rounded


def test_values_of_every_type_arrive(load):
    columns = """id smallint, i integer, l bigint, r real, f float, b boolean, d date, t timestamp, z timestamptz,
      c char(4), v varchar(max), n numeric(38,10), s super"""
    body = (
        "1|-2147483648|9223372036854775807|1.5|-2.25e3|yes|2024-02-29|2024-01-02 03:04:05.678901"
        '|2024-01-02 03:04:05+02|ab|häß€😀|-1234567890123456789012345678.0123456789|{"a": 1}\n'
    )
    (row,) = load(columns, body)
    assert row[:9] == (
        *(1, -2147483648, 9223372036854775807, 1.5, -2250.0, True, date(2024, 2, 29)),
        datetime.fromisoformat("2024-01-02T03:04:05.678901"),
        datetime.fromisoformat("2024-01-02T03:04:05+02:00"),
    )
    assert row[9:] == ("ab  ", "häß€😀", Decimal("-1234567890123456789012345678.0123456789"), {"a": 1})


@pytest.mark.parametrize(
    ("column", "text", "code"),
    [
        ("int", "1.0", 1207),
        ("int", "0x1F", 1207),
        ("int", "1_000", 1207),
        ("int", "2147483648", 1204),
        ("smallint", "32768", 1204),
        ("decimal(4,2)", "100", 1204),
        ("decimal(4,2)", "NaN", 1207),
        ("float8", "abc", 1208),
        ("real", "1e39", 1204),
        ("boolean", "on", 1210),
        ("date", "01/02/2024", 1205),
        ("date", "today", 1205),
        ("date", "2023-02-30", 1205),
        ("date", "0000-00-00", 1205),
        ("timestamp", "2024-01-01T00:00:00", 1206),
        ("timestamp", "2024-01-01 25:00:00", 1206),
        ("timestamp", "now", 1206),
        ("varchar(4)", "abcde", 1204),
        ("varchar(4)", "aäöb", 1204),
        ("char(4)", "ä", 1220),
        ("char(4)", "abcde", 1204),
        ("varchar(9) not null", "\\N", 1213),
        ("int not null", "", 1213),
        ("super", "{", 1224),
    ],
)
def test_what_redshift_refuses_is_refused_with_its_code(load, run, column, text, code):
    with pytest.raises(errors.InternalError_, match=r"Load into table 't' failed\.  Check 'sys_load_error_detail'"):
        load(f"id int, x {column}", f"1|\\N\n2|{text}\n" if "not null" not in column else f"1|7\n2|{text}\n")
    assert run("SELECT count(*) FROM t") == [(0,)]
    assert load_errors(run, "line_number, column_name, error_code") == [(2, "x", code)]


def test_varchar_counts_bytes(load):
    assert load("id int, s varchar(4)", "1|äö\n2|abcd\n3|€a\n") == [(1, "äö"), (2, "abcd"), (3, "€a")]


def test_truncatecolumns_cuts_between_characters(load):
    body = "1|abcdef\n2|aäöü\n3|ok\n"
    assert load("id int, s varchar(4)", body, "TRUNCATECOLUMNS") == [(1, "abcd"), (2, "aä"), (3, "ok")]


def test_invalid_utf8_is_refused_or_replaced_byte_for_byte(load, run):
    body = b"1|caf\xe9\n2|ok \xc3\xa4\n3|\xe2\x82x\n"
    with pytest.raises(errors.InternalError_):
        load("id int, s varchar(20)", body)
    assert load_errors(run) == [(1, "s", 1220, "String contains invalid or unsupported UTF8 codepoints")]
    assert load("id int, s varchar(20)", body, "ACCEPTINVCHARS") == [(1, "caf?"), (2, "ok ä"), (3, "??x")]
    assert load("id int, s varchar(20)", body, "ACCEPTINVCHARS AS '^'")[2] == (3, "^^x")
    query = run("SELECT pg_last_copy_id()")[0][0]
    assert run("SELECT line_number, colname FROM stl_replacements WHERE query = %s ORDER BY 1", query) == [
        (1, "s"),
        (3, "s"),
    ]


def test_a_nul_byte_is_refused_by_name(load, run):
    with pytest.raises(errors.InternalError_):
        load("id int, s varchar(20)", b"1|a\x00b\n")
    assert load_errors(run) == [(1, "s", 1216, "Invalid input: the field holds a NUL byte (0x00)")]


def test_missing_and_extra_columns_are_told_apart(load, run):
    with pytest.raises(errors.InternalError_):
        load("id int, a int, b int", "1|2\n")
    with pytest.raises(errors.InternalError_):
        load("id int", "1|2\n")
    assert [row[2:] for row in load_errors(run)] == [(1214, "Delimiter not found"), (1202, "Extra column(s) found")]
    assert load("id int, a varchar(3), b int", "1\n", "FILLRECORD") == [(1, "", None)]
    assert load("id int, a char(3), b varchar(3)", "1\n", "FILLRECORD EMPTYASNULL") == [(1, None, None)]
    assert load("id int, a varchar(3), b char(3)", "1|x\n", "FILLRECORD") == [(1, "x", None)]


def test_line_numbers_count_lines_of_the_file(load, run):
    with pytest.raises(errors.InternalError_):
        load("id int, s varchar(20), n int", 'h,h,h\n1,"a\nb\nc",1\n2,"x",bad\n', "CSV IGNOREHEADER 1")
    with pytest.raises(errors.InternalError_):
        load("id int, s varchar(20), n date", "1|a\\\nb|2024-01-01\n2|x|2023-02-30\n", "ESCAPE")
    assert [row[0] for row in load_errors(run)] == [5, 3]


def test_the_record_of_an_error_holds_the_data_only_in_stl_load_errors(load, run, connection, s3_bucket):
    with pytest.raises(errors.InternalError_):
        load("id int, amount decimal(10,2)", "1|5\n2|secret\n")
    (row,) = run(
        f"""SELECT session_id = pg_backend_pid(), trim(file_name), line_number, trim(column_name), trim(column_type),
             trim(column_length), position, error_code, trim(error_message), trim(database_name) = current_database(),
             start_time BETWEEN getdate() - interval '1 minute' AND getdate() + interval '1 second',
             table_id = 't'::regclass::oid::int, query_id > 0, transaction_id > 0, user_id > 0
           FROM sys_load_error_detail {OWN}"""
    )
    assert row[0] is True
    assert row[1:9] == (
        *(f"s3://{s3_bucket}/data", 2, "amount", "numeric", "10, 2", 0, 1207),
        "Invalid digit, Pos 0, Type: Decimal",
    )
    assert all(row[9:])
    (raw,) = run(
        "SELECT trim(raw_line), trim(raw_field_value), err_code, trim(err_reason) FROM stl_load_errors"
        " WHERE session = pg_backend_pid()"
    )
    assert raw == ("2|secret", "secret", 1207, "Invalid digit, Value 's', Pos 0, Type: Decimal")


def test_maxerror_skips_fewer_bad_rows_than_its_number(load, run, connection):
    body = "1|a\nx|b\n3|c\ny|d\n5|e\n"
    assert load("id int, s varchar(5)", body, "MAXERROR 3") == [(1, "a"), (3, "c"), (5, "e")]
    assert any("2 record(s) could not be loaded" in notice for notice in connection.notices)
    assert run("SELECT pg_last_copy_count()") == [(3,)]
    assert run("SELECT error_count, loaded_rows, status FROM sys_load_history " + OWN) == [(2, 3, "completed")]
    with pytest.raises(errors.InternalError_):
        load("id int, s varchar(5)", body, "MAXERROR 2")
    assert run("SELECT count(*) FROM t") == [(0,)]


def test_a_day_that_only_postgres_finds_wrong_is_skipped_too(load, run):
    body = "".join(f"{n}|2023-02-{n}\n" for n in range(26, 31))
    rows = load("id int, d date", body, "MAXERROR 10")
    assert [row[0] for row in rows] == [26, 27, 28]
    assert [row[0] for row in load_errors(run)] == [4, 5]


def test_a_failing_copy_fails_the_transaction_and_its_errors_stay(open_connection, put, run):
    run("CREATE TABLE t (id int)")
    good, bad = put("good", "1\n"), put("bad", "x\n")
    connection = open_connection()
    with connection.cursor() as cursor:
        cursor.execute(f"COPY t FROM '{good}' {ROLE}")
        with pytest.raises(errors.InternalError_):
            cursor.execute(f"COPY t FROM '{bad}' {ROLE}")
        assert connection.info.transaction_status == extensions.TRANSACTION_STATUS_INERROR
        connection.rollback()
        cursor.execute("SELECT pg_last_copy_id(), pg_last_copy_count(), (SELECT count(*) FROM t)")
        assert cursor.fetchone() == (-1, 0, 0)
        cursor.execute("SELECT error_code FROM sys_load_error_detail WHERE session_id = pg_backend_pid()")
        assert cursor.fetchall() == [(1207,)]
        cursor.execute(f"SELECT status, loaded_rows FROM sys_load_history {OWN} ORDER BY query_id")
        assert cursor.fetchall() == [("completed", 1), ("aborted", 0)]


def test_a_prefix_loads_every_file_that_begins_with_it(run, put):
    run("CREATE TABLE t (id int)")
    for key in ("in/part", "in/part_1", "in/part.bak"):
        put(key, "1\n")
    address = put("in/other", "1\n").replace("other", "part")
    run(f"COPY t FROM '{address}' {ROLE}")
    assert run("SELECT count(*), pg_last_copy_count() FROM t GROUP BY 2") == [(3, 3)]


def manifest(*entries):
    return json.dumps({"entries": list(entries)})


def test_a_manifest_loads_exactly_what_it_lists(run, put):
    run("CREATE TABLE t (id int)")
    one, two, missing = put("a/1", "1\n2\n", packed=True), put("b/2", "3\n", packed=True), "s3://nowhere-at-all/x"
    put("a/1.bak", "9\n", packed=True)
    size = len(gzip.compress(b"1\n2\n"))
    body = manifest(
        {"url": one, "mandatory": True, "meta": {"content_length": size}}, {"url": two}, {"url": missing}, {"url": two}
    )
    run(f"COPY t FROM '{put('m', body)}' {ROLE} MANIFEST GZIP")
    assert run("SELECT id FROM t ORDER BY 1") == [(1,), (2,), (3,), (3,)]


def test_what_a_manifest_promises_must_be_there(run, put):
    run("CREATE TABLE t (id int)")
    there = put("x", "1\n")
    cases = {
        "Mandatory url is not present in manifest file": manifest({"url": there + "no", "mandatory": True}),
        "The manifest says 7 bytes": manifest({"url": there, "mandatory": True, "meta": {"content_length": 7}}),
        "No file of the manifest": manifest({"url": there + "no"}),
        "is not of the form": '{"files": []}',
    }
    for message, body in cases.items():
        with pytest.raises(errors.InternalError_, match=message):
            run(f"COPY t FROM '{put('m', body)}' {ROLE} MANIFEST")
    with pytest.raises(errors.InternalError_, match=r"Problem reading manifest file - S3ServiceException.*NoSuchKey"):
        run(f"COPY t FROM '{there}no' {ROLE} MANIFEST")
    assert run("SELECT count(*) FROM t") == [(0,)]


def test_a_prefix_without_files_and_a_missing_bucket_are_named(run, put):
    run("CREATE TABLE t (id int)")
    with pytest.raises(errors.InternalError_, match="The specified S3 prefix 'datano' does not exist"):
        run(f"COPY t FROM '{put('data', '1')}no' {ROLE}")
    with pytest.raises(errors.InternalError_, match=r"S3ServiceException.*NoSuchBucket"):
        run(f"COPY t FROM 's3://nowhere-at-all/x' {ROLE}")


def test_a_file_that_is_no_gzip_or_is_cut_short_is_refused(run, put):
    run("CREATE TABLE t (id int)")
    whole = gzip.compress("".join(f"{n}\n" for n in range(100_000)).encode())
    for body in (b"1\n2\n", whole[: len(whole) // 2], whole[:-4]):
        with pytest.raises(errors.InternalError_, match="not a complete gzip file"):
            run(f"COPY t FROM '{put('data', body)}' {ROLE} GZIP")
        assert run("SELECT count(*) FROM t") == [(0,)]
    run(f"COPY t FROM '{put('data', whole + gzip.compress(b'7'))}' {ROLE} GZIP")
    assert run("SELECT count(*) FROM t") == [(100_001,)]


def test_keys_and_roles_in_every_spelling(run, put):
    run("CREATE TABLE t (id int)")
    address = put("data", "1\n")
    for words in (
        "IAM_ROLE default",
        "CREDENTIALS 'aws_iam_role=arn:aws:iam::123456789012:role/r'",
        "WITH CREDENTIALS AS 'aws_access_key_id=AKIA0123456789;aws_secret_access_key=abc/def+ghi=;token=abcdefgh'",
        "ACCESS_KEY_ID 'AKIA0123456789' SECRET_ACCESS_KEY 'abc/def' SESSION_TOKEN 'abcdefgh'",
        "IAM_ROLE default REGION AS 'us-east-1' COMPUPDATE OFF STATUPDATE OFF",
    ):
        run(f"COPY t FROM '{address}' {words}")
    assert run("SELECT count(*) FROM t") == [(5,)]


@pytest.mark.parametrize(
    "options",
    [
        "CSV ESCAPE",
        "QUOTE '\"'",
        "DELIMITER '||'",
        "MAXERROR 100001",
        "NULL AS '\n'",
        "GZIP GZIP",
        "ACCEPTINVCHARS 'ab'",
        "IAM_ROLE default",
        "DATEFORMAT 'DD.XX.YYYY'",
    ],
)
def test_options_that_redshift_refuses_are_refused(run, put, options):
    run("CREATE TABLE t (id int)")
    with pytest.raises(psycopg2.Error):
        run(f"COPY t FROM '{put('data', '1')}' {ROLE} {options}")
    assert run("SELECT count(*) FROM t") == [(0,)]


def test_a_column_list_leaves_the_others_to_their_defaults(run, put):
    run("CREATE TABLE t (id int identity(10, 5), s varchar(9) DEFAULT 'x', n int)")
    run(f"COPY t (n) FROM '{put('a', '7')}' {ROLE}")
    run(f"COPY t FROM '{put('b', 'y|8')}' {ROLE}")
    run(f"COPY t (id, n) FROM '{put('c', '99|9')}' {ROLE} EXPLICIT_IDS")
    assert run("SELECT id, s, n FROM t ORDER BY n") == [(10, "x", 7), (15, "y", 8), (99, "x", 9)]
    with pytest.raises(errors.FeatureNotSupported, match="EXPLICIT_IDS"):
        run(f"COPY t (id, n) FROM '{put('c', '99|9')}' {ROLE}")
    with pytest.raises(errors.UndefinedColumn):
        run(f"COPY t (nothing) FROM '{put('c', '9')}' {ROLE}")


def test_a_missing_table_is_named(run):
    with pytest.raises(errors.UndefinedTable, match="Cannot COPY into nonexistent table nothing"):
        run(f"COPY nothing FROM 's3://b/k' {ROLE}")


def test_blank_conversions(load):
    columns, body = "id int, s varchar(9)", "1|\n2|  \n\n3|x  \n"
    options = "IGNOREBLANKLINES"
    assert load(columns, body, f"{options} EMPTYASNULL") == [(1, None), (2, "  "), (3, "x  ")]
    assert load(columns, body, f"{options} BLANKSASNULL TRIMBLANKS") == [(1, None), (2, None), (3, "x")]


def test_dates_and_times_in_the_automatic_formats(load):
    body = "1|03/31/2024|2024-03-31T10:20:30\n2|20240331|2024-03-31 10:20\n"
    rows = load("id int, d date, t timestamp", body, "DATEFORMAT 'auto' TIMEFORMAT 'auto'")
    assert [row[1] for row in rows] == [date(2024, 3, 31)] * 2
    assert [row[2] for row in rows] == [MOMENT, MOMENT.replace(second=0)]
    assert load("id int, t timestamp", "1|1711880430\n", "TIMEFORMAT 'epochsecs'") == [(1, MOMENT)]


def test_a_large_file_with_escapes_everywhere_arrives_exactly(run, put):
    rows = [(n, f"a\\b\t{n}\nc\r'\"é" if n % 3 else None, f"{n}.{n % 100:02}") for n in range(60_000)]

    def field(text):
        if text is None:
            return "\\N"
        for character in "\\\t\n\r":
            text = text.replace(character, "\\" + character)
        return text

    body = "".join(f"{n}\t{field(text)}\t{number}\n" for n, text, number in rows)
    run("CREATE TABLE t (id int, s varchar(40), d decimal(12,2))")
    run(f"COPY t FROM '{put('data', body, packed=True)}' {ROLE} DELIMITER '\\t' ESCAPE NULL '\\\\N' GZIP")
    loaded = run("SELECT id, s, d::varchar FROM t ORDER BY id")
    assert loaded == rows


@pytest.mark.parametrize("null", ["\\0", "\\000"])
def test_a_field_that_is_a_nul_byte_alone_may_be_null(load, null):
    assert load("id int, a varchar(3)", b"1|\0\n2|\\N\n", f"NULL AS '{null}'") == [(1, None), (2, "\\N")]
