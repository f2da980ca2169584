# ruff: noqa: E501 - rows of literals read best on one line
from __future__ import annotations

from decimal import Decimal

import pytest

from core.errors import NotFound, StatementFailed, UnsupportedValue
from steps_impl.extract import fetching
from steps_impl.extract import rows as row_stream

FORMATS = ["tsv", "csv"]
AWKWARD = [
    None, "", "NULL", "null", "\\N", "\\\\N", "\\n", "\\", "\t", "\n", "\r", "\r\n", "a\tb\nc\\", '"', '""', "'", ",", '",',
    "\x1d", "\x1e", "\x1f", "\x1d\x1e\x1f", "x\x1dy", "\\.", " padded ", "é", "€", "😀", "\u2028", "\x01\x02\x7f", "NULL\t\\N",
]  # fmt: skip


@pytest.mark.parametrize("output_format", FORMATS)
def test_awkward_text_arrives_as_it_is_in_the_source(source, load, output_format):
    source.execute("CREATE TABLE words (id INT PRIMARY KEY, a VARCHAR(40), b TEXT) CHARACTER SET utf8mb4")
    rows = [(number, value, AWKWARD[-number % len(AWKWARD)]) for number, value in enumerate(AWKWARD)]
    source.insert("words", rows)
    result = source.extract(table="words", output_format=output_format)
    assert result.rows == len(rows)
    assert load(source, "id int, a text, b text") == rows


@pytest.mark.parametrize("output_format", FORMATS)
def test_a_single_column_keeps_null_and_empty_apart(source, load, output_format):
    source.execute("CREATE TABLE one (a VARCHAR(10))")
    source.insert("one", [(None,), ("",), ("\\N",), ("NULL",)])
    source.extract(table="one", output_format=output_format)
    assert sorted(load(source, "a text"), key=str) == sorted([(None,), ("",), ("\\N",), ("NULL",)], key=str)


def test_numbers_arrive_digit_by_digit(source, load):
    source.execute(
        "CREATE TABLE numbers (id INT PRIMARY KEY, u BIGINT UNSIGNED, s BIGINT, d DECIMAL(65,30), z INT(8) ZEROFILL,"
        " f FLOAT, g DOUBLE, b BIT(64), c BIT(3), t TINYINT(1), y YEAR)",
        "INSERT INTO numbers VALUES"
        " (1, 18446744073709551615, -9223372036854775808, 12345678901234567890123456789012345.123456789012345678901234567891,"
        " 42, 16777216, 0.1, b'1111111111111111111111111111111111111111111111111111111111111111', b'101', 1, 2024),"
        " (2, 0, 9223372036854775807, -0.000000000000000000000000000001, 0, 0.1, 1.7976931348623157e308, b'0', b'000', 0, 1901),"
        " (3, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),"
        " (4, 1, 1, 0, 1, -3.4028234e38, 5e-324, b'1', b'1', -1, 2155)",
    )
    source.extract(table="numbers")
    loaded = load(
        source,
        "id int, u numeric, s bigint, d numeric, z int, f real, g double precision, b numeric, c int, t int, y int",
    )
    assert loaded == [
        (1, Decimal(2**64 - 1), -(2**63), Decimal("12345678901234567890123456789012345.123456789012345678901234567891"),
         42, 16777216.0, 0.1, Decimal(2**64 - 1), 5, 1, 2024),
        (2, 0, 2**63 - 1, Decimal("-0.000000000000000000000000000001"), 0, pytest.approx(0.1), 1.7976931348623157e308, 0, 0, 0, 1901),
        (3, *[None] * 10),
        (4, 1, 1, 0, 1, pytest.approx(-3.4028234e38), 5e-324, 1, 1, -1, 2155),
    ]  # fmt: skip


def test_a_four_byte_float_keeps_all_its_digits_in_tables_and_queries(source):
    source.execute("CREATE TABLE f (a FLOAT)", "INSERT INTO f VALUES (16777215), (1234567.8)")
    source.extract(table="f", compression="none")
    whole = source.text()
    source.extract(sql="SELECT a FROM f", compression="none")
    assert source.text() == whole == b"16777215\n1234567.75\n"


def test_dates_and_times_arrive_with_their_fractions_and_in_utc(source, load):
    source.execute(
        "CREATE TABLE times (id INT PRIMARY KEY, d DATE, dt DATETIME(6), ts TIMESTAMP(3) NULL, t TIME(6))",
        "INSERT INTO times VALUES (1, '1000-01-01', '9999-12-31 23:59:59.999999', '2038-01-19 03:14:07.123', '-838:59:59.000000'),"
        " (2, '2024-02-29', '2024-03-31 02:30:00.000001', '2024-03-31 02:30:00', '838:59:59')",
        "SET time_zone = '+05:00'",
        "INSERT INTO times (id, ts) VALUES (3, '2024-01-01 05:00:00')",
    )
    source.extract(table="times")
    assert load(source, "id int, d text, dt text, ts text, t text") == [
        (1, "1000-01-01", "9999-12-31 23:59:59.999999", "2038-01-19 03:14:07.123", "-838:59:59.000000"),
        (2, "2024-02-29", "2024-03-31 02:30:00.000001", "2024-03-31 02:30:00.000", "838:59:59.000000"),
        (3, None, None, "2024-01-01 00:00:00.000", None),
    ]
    assert load(source, "id int, d date, dt timestamp, ts timestamp, t interval")[0][0] == 1


def test_text_of_every_character_set_arrives_in_utf8(source, load):
    source.execute(
        "CREATE TABLE sets (id INT PRIMARY KEY, l VARCHAR(9) CHARACTER SET latin1, u VARCHAR(9) CHARACTER SET utf8mb4"
        " COLLATE utf8mb4_bin, w VARCHAR(9) CHARACTER SET ucs2, e ENUM('ä','b'), s SET('x','y'), j JSON)",
    )
    source.insert("sets", [(1, "é", "😀", "ß", "ä", "x,y", '{"k": "v\\"\\n"}')])
    source.extract(table="sets")
    assert load(source, "id int, l text, u text, w text, e text, s text, j jsonb") == [
        (1, "é", "😀", "ß", "ä", "x,y", {"k": 'v"\n'})
    ]


def test_binary_columns_are_hexadecimal(source, load):
    source.execute("CREATE TABLE bytes (id INT PRIMARY KEY, b BLOB, v VARBINARY(9), f BINARY(3))")
    source.insert("bytes", [(1, bytes(range(256)), b"\x00\t\n\\", b"ab"), (2, b"", None, b"\x1d\x1e\x1f")])
    source.extract(table="bytes")
    assert load(source, "id int, b text, v text, f text") == [
        (1, bytes(range(256)).hex(), "00090a5c", "616200"),
        (2, "", None, "1d1e1f"),
    ]


def test_binary_columns_are_refused_by_name_when_asked(source):
    source.execute("CREATE TABLE bytes (id INT, payload BLOB)")
    with pytest.raises(UnsupportedValue, match="payload"):
        source.extract(table="bytes", binary="refuse")


def test_geometry_is_refused_by_name(source):
    source.execute("CREATE TABLE places (id INT, spot GEOMETRY)")
    with pytest.raises(UnsupportedValue, match=r"spot \(geometry\)"):
        source.extract(table="places")


ZERO = ["0000-00-00", "2024-00-00", "2024-05-00", "0000-05-01"]


@pytest.mark.parametrize("zero", ZERO)
def test_a_zero_date_is_refused_by_column_and_row(source, zero):
    source.execute("CREATE TABLE dates (id INT PRIMARY KEY, born DATE)", "INSERT INTO dates VALUES (1, '2024-01-01')")
    source.execute(f"INSERT INTO dates VALUES (2, '{zero}')")
    with pytest.raises(UnsupportedValue, match="column born, row 2") as caught:
        source.extract(table="dates")
    assert zero not in str(caught.value)
    assert not list(source.output.iterdir())


def test_zero_dates_become_null_and_are_counted_when_asked(source, load):
    source.execute("CREATE TABLE dates (id INT PRIMARY KEY, a DATE, b DATETIME, c TIMESTAMP NULL)")
    source.insert(
        "dates", [(1, "0000-00-00", "0000-00-00 00:00:00", "0000-00-00 00:00:00"), (2, "2024-10-20", None, None)]
    )
    result = source.extract(table="dates", zero_dates="null")
    assert result.details["zero_dates_nulled"] == 3
    assert load(source, "id int, a text, b date, c date") == [(1, None, None, None), (2, "2024-10-20", None, None)]


def test_zero_dates_stay_when_asked(source):
    source.execute("CREATE TABLE dates (a DATE)", "INSERT INTO dates VALUES ('0000-00-00')")
    source.extract(table="dates", zero_dates="keep", compression="none")
    assert source.text() == b"0000-00-00\n"


def test_a_nul_byte_is_refused_by_column_and_row(source):
    source.execute("CREATE TABLE t (id INT PRIMARY KEY, note VARCHAR(9))")
    source.insert("t", [(1, "fine"), (2, "a\0b")])
    with pytest.raises(UnsupportedValue, match="column note, row 2"):
        source.extract(table="t")


def test_nul_bytes_are_left_out_and_counted_when_asked(source, load):
    source.execute("CREATE TABLE t (id INT PRIMARY KEY, note VARCHAR(9))")
    source.insert("t", [(1, "\0"), (2, "a\0\0b"), (3, None), (4, "\x1d\0")])
    result = source.extract(table="t", nul_bytes="remove")
    assert result.details["nul_bytes_removed"] == 4
    assert load(source, "id int, note text") == [(1, ""), (2, "ab"), (3, None), (4, "\x1d")]


def test_rows_of_megabytes_are_read_in_small_chunks(source, load, monkeypatch):
    source.execute("CREATE TABLE big (id INT PRIMARY KEY, a LONGTEXT)")
    source.insert("big", [(number, chr(97 + number % 26) * 400_000) for number in range(60)])
    sizes = []
    encode = row_stream.RowStream._encode
    monkeypatch.setattr(
        row_stream.RowStream, "_encode", lambda self, rows: sizes.append(len(rows)) or encode(self, rows)
    )
    source.extract(table="big")
    assert max(sizes) == fetching._CAUTIOUS_ROWS
    assert [len(row[1]) for row in load(source, "id int, a text")] == [400_000] * 60


def test_names_with_spaces_backquotes_and_another_database_are_read(source, load):
    source.execute(
        "CREATE TABLE `odd.na``me` (`a b` INT, `c``d` INT, `select` INT)", "INSERT INTO `odd.na``me` VALUES (1, 2, 3)"
    )
    source.extract(table="`odd.na``me`")
    assert load(source, "a int, b int, c int") == [(1, 2, 3)]
    assert [element["name"] for element in source.manifest()["schema"]["elements"]] == ["a b", "c`d", "select"]
    source.execute("CREATE TABLE plain (a INT)", "INSERT INTO plain VALUES (7)")
    source.extract(table=f"{source.address.database}.plain", database="information_schema", compression="none")
    assert source.text() == b"7\n"


def test_a_query_is_read_with_its_order_comment_and_semicolon(source):
    source.execute("CREATE TABLE t (a INT)", "INSERT INTO t VALUES (1), (3), (2)")
    source.extract(sql="SELECT a, 'x' AS b FROM t ORDER BY a DESC; ", compression="none")
    assert source.text() == b"3\tx\n2\tx\n1\tx\n"
    source.extract(sql="SELECT a FROM t WHERE a < 2 -- small ones", compression="none")
    assert source.text() == b"1\n"


def test_two_columns_of_one_name_are_refused_by_name(source):
    with pytest.raises(StatementFailed, match="Duplicate column name 'a'"):
        source.extract(sql="SELECT 1 AS a, 2 AS a")


@pytest.mark.parametrize("sql", ["DELETE FROM t", "DROP TABLE t", "SELECT 1) AS q; DROP TABLE t; --"])
def test_a_statement_that_changes_data_is_refused(source, sql):
    source.execute("CREATE TABLE t (a INT)", "INSERT INTO t VALUES (1)")
    with pytest.raises(StatementFailed):
        source.extract(sql=sql)
    source.extract(table="t", compression="none")
    assert source.text() == b"1\n"


def test_a_missing_table_is_named(source):
    with pytest.raises(NotFound, match="nowhere"):
        source.extract(table="nowhere")
