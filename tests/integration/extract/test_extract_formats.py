"""Values that break others, in each format, from a real MySQL and a real Postgres."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg2
import pytest
import yaml

from core.errors import ParameterError, UnsupportedValue
from sandbox.parts.database import DatabaseAddress
from steps_impl.contract import StepContext, StepResult
from steps_impl.extract import postgres
from tests.integration.extract.readers import manifest, records, unpacked
from tests.phases import Silent

FORMATS = ["tsv", "csv", "json", "parquet", "avro"]
TYPED = ["parquet", "avro"]
AVRO_TEXT = {"output_format": "avro"}
TEXTS = [{"output_format": "tsv"}, {"output_format": "csv"}, {"output_format": "json"}, AVRO_TEXT]
AWKWARD = [
    None, "", "NULL", "null", "\\N", "\\\\N", "\\n", "C:\\new", "\t", "\n", "\r\n", 'say "so", then', '"', "'", ",",
    "\x1d", "\x1e\x1f", "x\x1dy\\z", "\x01\x7f\b\f\v", " padded ", "é€😀", "\u2028", "\\.", "{}", "NaN", "infinity",
]  # fmt: skip
WIDE = "12345678901234567890123456789012345678"


def typed(output_format):
    """A format with its own types for dates and decimals."""
    return {"output_format": output_format, **({"avro_types": "logical"} if output_format == "avro" else {})}


@pytest.fixture
def postgres_source(loaded_database: DatabaseAddress, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A connection to a database that the configuration names as its Postgres source."""
    address = loaded_database
    login = {"host": address.host, "port": address.port, "password": address.password}
    section = {**login, "database_name": address.database, "username": address.username}
    (tmp_path / "postgres.yaml").write_text(yaml.safe_dump({"postgres": section, "etl": {"connection_retries": 0}}))
    monkeypatch.setenv("DUCTRUNNER_CONFIG", str(tmp_path / "postgres.yaml"))
    connection = psycopg2.connect(**login, user=address.username, dbname=address.database)
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute(
            "DROP SCHEMA IF EXISTS own CASCADE; CREATE SCHEMA own; SET search_path TO own; SET timezone TO UTC"
        )
        yield cursor
        cursor.execute("DROP SCHEMA own CASCADE")
    connection.close()


def from_postgres(output: Path, **parameters: Any) -> StepResult:
    given = postgres.ExtractPostgresParameters(output=str(output), **parameters)
    return postgres.STEP.run(given, StepContext(Silent()))


@pytest.mark.parametrize("output_format", FORMATS)
def test_mysql_texts_arrive_as_they_are(source, output_format):
    source.execute("CREATE TABLE words (id INT PRIMARY KEY, a VARCHAR(40), b TEXT) CHARACTER SET utf8mb4")
    rows = [(number, value, AWKWARD[-number % len(AWKWARD)]) for number, value in enumerate(AWKWARD)]
    source.insert("words", rows)
    result = source.extract(table="words", output_format=output_format)
    found = [(int(row["id"]), row["a"], row["b"]) for row in records(source.output)]
    assert (result.rows, found) == (len(rows), rows)


@pytest.mark.parametrize("output_format", FORMATS)
def test_postgres_texts_arrive_as_they_are(postgres_source, tmp_path, output_format):
    postgres_source.execute("CREATE TABLE words (id int PRIMARY KEY, a varchar(40), b text)")
    rows = [(number, value, AWKWARD[-number % len(AWKWARD)]) for number, value in enumerate(AWKWARD)]
    postgres_source.executemany("INSERT INTO words VALUES (%s, %s, %s)", rows)
    result = from_postgres(tmp_path / "out", table="own.words", output_format=output_format)
    found = [(int(row["id"]), row["a"], row["b"]) for row in records(tmp_path / "out")]
    assert (result.rows, sorted(found)) == (len(rows), rows)


@pytest.mark.parametrize("output_format", FORMATS)
def test_the_only_column_keeps_null_and_empty_apart(postgres_source, tmp_path, output_format):
    postgres_source.execute("CREATE TABLE lone (a text); INSERT INTO lone VALUES (''), (NULL), (''), ('\\N'), ('\\.')")
    from_postgres(tmp_path / "out", table="own.lone", output_format=output_format)
    assert [row["a"] for row in records(tmp_path / "out")] == ["", None, "", "\\N", "\\."]


MYSQL_NUMBERS = (
    """CREATE TABLE numbers (id INT(5) ZEROFILL PRIMARY KEY, u BIGINT UNSIGNED, d DECIMAL(38,10), w DECIMAL(65,30),
      f FLOAT, g DOUBLE, b BIT(64), t TIME(3), m DATETIME(6), s TIMESTAMP(3) NULL, y DATE, j JSON,
      z DECIMAL(9,2) ZEROFILL)""",
    """INSERT INTO numbers VALUES (7, 18446744073709551615, 1234567890123456789012345678.0123456789,
      -12345678901234567890123456789012345.123456789012345678901234567891, 16777215, 5e-324, b'101', '-838:59:59.5',
      '9999-12-31 23:59:59.999999', '2038-01-19 03:14:07.125', '1000-01-01', '{"a": 1}', 1.5)""",
    f"INSERT INTO numbers VALUES (8{', NULL' * 12})",
)  # fmt: skip


@pytest.mark.parametrize("form", [{"output_format": "json"}, AVRO_TEXT])
def test_mysql_numbers_and_times_keep_every_digit_in(source, form):
    source.execute(*MYSQL_NUMBERS)
    source.extract(table="numbers", **form)
    row, empty = records(source.output)
    assert str(row["u"]) == "18446744073709551615"
    assert row["d"] == "1234567890123456789012345678.0123456789"
    assert row["w"] == "-12345678901234567890123456789012345.123456789012345678901234567891"
    assert (int(row["id"]), float(row["f"]), float(row["g"]), int(row["b"])) == (7, 16777215.0, 5e-324, 5)
    assert (row["t"], row["m"], row["s"], row["y"]) == (
        "-838:59:59.500", "9999-12-31 23:59:59.999999", "2038-01-19 03:14:07.125", "1000-01-01",
    )  # fmt: skip
    assert Decimal(row["z"]) == Decimal("1.50")
    assert row["j"] == '{"a": 1}'
    assert [value for name, value in empty.items() if name != "id"] == [None] * 12


@pytest.mark.parametrize("output_format", TYPED)
def test_mysql_types_are_exact_where_files_have_types(source, output_format):
    source.execute(*MYSQL_NUMBERS)
    source.extract(table="numbers", **typed(output_format))
    row, empty = records(source.output)
    assert row == {
        "id": 7, "u": Decimal(2**64 - 1), "d": Decimal("1234567890123456789012345678.0123456789"),
        "w": "-12345678901234567890123456789012345.123456789012345678901234567891", "f": 16777215.0, "g": 5e-324,
        "b": Decimal(5), "t": "-838:59:59.500", "m": datetime(9999, 12, 31, 23, 59, 59, 999999),  # noqa: DTZ001
        "s": datetime(2038, 1, 19, 3, 14, 7, 125000), "y": date(1000, 1, 1), "j": '{"a": 1}',  # noqa: DTZ001
        "z": Decimal("1.50"),
    }  # fmt: skip
    assert set(empty.values()) == {8, None}


@pytest.mark.parametrize("output_format", FORMATS)
def test_zero_dates_are_refused_by_column_and_row_or_become_null(source, output_format):
    source.execute("CREATE TABLE d (id INT, day DATE)", "INSERT INTO d VALUES (1, '2024-01-01'), (2, '0000-00-00')")
    with pytest.raises(UnsupportedValue, match="column day, row 2"):
        source.extract(table="d", output_format=output_format)
    result = source.extract(table="d", output_format=output_format, zero_dates="null")
    assert [str(row["day"]) for row in records(source.output)] == ["2024-01-01", "None"]
    assert result.details["zero_dates_nulled"] == 1


@pytest.mark.parametrize("form", TEXTS)
def test_zero_dates_can_be_kept_as_text(source, form):
    source.execute("CREATE TABLE d (day DATE)", "INSERT INTO d VALUES ('0000-00-00')")
    source.extract(table="d", **form, zero_dates="keep")
    assert records(source.output) == [{"day": "0000-00-00"}]


@pytest.mark.parametrize("output_format", FORMATS)
def test_nul_bytes_are_refused_or_left_out(source, output_format):
    source.execute("CREATE TABLE t (a VARCHAR(9))")
    source.insert("t", [("x\0y",)])
    with pytest.raises(UnsupportedValue, match="NUL byte"):
        source.extract(table="t", output_format=output_format)
    source.extract(table="t", output_format=output_format, nul_bytes="remove")
    assert records(source.output) == [{"a": "xy"}]


@pytest.mark.parametrize("output_format", TYPED)
def test_bytes_stay_bytes_where_the_format_has_them(source, postgres_source, tmp_path, monkeypatch, output_format):
    postgres_source.execute(r"CREATE TABLE blobs (a bytea); INSERT INTO blobs VALUES ('\x00ff'), (''), (NULL)")
    from_postgres(tmp_path / "pg", table="own.blobs", **typed(output_format), binary="raw")
    assert [row["a"] for row in records(tmp_path / "pg")] == [b"\x00\xff", b"", None]
    monkeypatch.setenv("DUCTRUNNER_CONFIG", str(tmp_path / "ductrunner.yaml"))
    source.execute("CREATE TABLE blobs (a BLOB)")
    source.insert("blobs", [(b"\x00\xff\x1d",), (b"",), (None,)])
    source.extract(table="blobs", **typed(output_format), binary="raw")
    assert [row["a"] for row in records(source.output)] == [b"\x00\xff\x1d", b"", None]


POSTGRES_VALUES = f"""
CREATE TABLE vals (id int, big bigint, d numeric(38,10), free numeric, r real, f double precision, ok boolean, day date,
  at timestamp(3), zoned timestamptz, t time, span interval, tags text[], doc jsonb, u uuid, c char(5), raw bytea);
INSERT INTO vals VALUES
 (1, 9223372036854775807, 1234567890123456789012345678.0123456789, {WIDE}.{WIDE}, 0.1, 5e-324, true, '0001-01-01',
  '2024-02-29 12:00:00.123', '2024-01-01 00:00:00.5+02', '24:00:00', '1 day 02:03:04', '{{"a,b",NULL,"\\"q"}}',
  '{{"k": [1]}}', '00000000-0000-0000-0000-000000000001', 'ab', '\\x0d0a'),
 (2, NULL, NULL, NULL, 'NaN', '-Infinity', false, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)"""


@pytest.mark.parametrize("output_format", TYPED)
def test_postgres_types_are_exact_where_files_have_types(postgres_source, tmp_path, output_format):
    postgres_source.execute(POSTGRES_VALUES)
    from_postgres(tmp_path / "out", table="own.vals", **typed(output_format))
    row, other = records(tmp_path / "out")
    assert row == {
        "id": 1, "big": 2**63 - 1, "d": Decimal("1234567890123456789012345678.0123456789"), "free": f"{WIDE}.{WIDE}",
        "r": pytest.approx(0.1), "f": 5e-324, "ok": True, "day": date(1, 1, 1),
        "at": datetime(2024, 2, 29, 12, 0, 0, 123000),  # noqa: DTZ001
        "zoned": datetime(2023, 12, 31, 22, 0, 0, 500000, tzinfo=UTC), "t": "24:00:00", "span": "1 day 02:03:04",
        "tags": '{"a,b",NULL,"\\"q"}', "doc": '{"k": [1]}', "u": "00000000-0000-0000-0000-000000000001",
        "c": "ab   ", "raw": "0d0a",
    }  # fmt: skip
    assert math.isnan(other["r"])
    assert (other["f"], other["ok"], other["d"]) == (-math.inf, False, None)


@pytest.mark.parametrize("form", TEXTS)
def test_postgres_values_keep_every_digit_in(postgres_source, tmp_path, form):
    postgres_source.execute(POSTGRES_VALUES)
    from_postgres(tmp_path / "out", table="own.vals", **form)
    row, other = records(tmp_path / "out")
    assert (row["d"], row["free"]) == ("1234567890123456789012345678.0123456789", f"{WIDE}.{WIDE}")
    assert (int(row["big"]), float(row["f"])) == (2**63 - 1, 5e-324)
    assert (row["day"], row["at"], row["zoned"]) == (
        "0001-01-01",
        "2024-02-29 12:00:00.123",
        "2023-12-31 22:00:00.5+00",
    )
    assert (row["t"], row["tags"], row["raw"]) == ("24:00:00", '{"a,b",NULL,"\\"q"}', "0d0a")
    assert (str(row["ok"])[0].lower(), str(other["ok"])[0].lower()) == ("t", "f")
    assert (str(other["r"]).lower(), str(other["f"])) in (("nan", "-Infinity"), ("nan", "-inf"))
    assert other["d"] is None


@pytest.mark.parametrize(
    ("kind", "value"),
    [("date", "infinity"), ("timestamp", "-infinity"), ("date", "0044-03-15 BC"), ("numeric(9,2)", "NaN")],
)
def test_what_a_type_cannot_hold_is_refused_or_null_and_survives_in_text(postgres_source, tmp_path, kind, value):
    postgres_source.execute(f"CREATE TABLE odd AS SELECT n, NULL::{kind} AS x FROM generate_series(1, 3) AS n")
    postgres_source.execute("UPDATE odd SET x = %s WHERE n = 3", (value,))
    query = {"sql": "SELECT * FROM own.odd ORDER BY n"}
    for output_format in TYPED:
        out = tmp_path / output_format
        with pytest.raises(UnsupportedValue, match="column x, row 3"):
            from_postgres(out, **query, **typed(output_format))
        assert not list(out.iterdir())
        result = from_postgres(out, **query, **typed(output_format), unsupported_values="null")
        assert result.details["unsupported_values_nulled"] == 1
        assert [row["x"] for row in records(out)] == [None, None, None]
    for form in TEXTS:
        from_postgres(tmp_path / "out", **query, **form)
        assert [row["x"] for row in records(tmp_path / "out")] == [None, None, value]


@pytest.mark.parametrize(
    ("output_format", "compression", "ending"),
    [("tsv", "zstd", ".tsv.zst"), ("csv", "none", ".csv"), ("json", "gzip", ".json.gz"),
     ("parquet", "zstd", ".parquet"), ("parquet", None, ".parquet"), ("avro", "none", ".avro"),
     ("avro", None, ".avro")],
)  # fmt: skip
def test_compressions_and_names(source, output_format, compression, ending):
    source.execute("CREATE TABLE t (a INT)", "INSERT INTO t SELECT seq FROM seq_1_to_3000")
    source.extract(table="t", output_format=output_format, compression=compression, files=2)
    assert all(entry["url"].endswith(ending) for entry in manifest(source.output)["entries"])
    assert sorted(int(row["a"]) for row in records(source.output)) == list(range(1, 3001))


@pytest.mark.parametrize("output_format", FORMATS)
def test_an_empty_table_gives_a_file_of_its_format(source, output_format):
    source.execute("CREATE TABLE t (a INT, b TEXT)")
    source.extract(table="t", output_format=output_format)
    assert records(source.output) == []
    (entry,) = manifest(source.output)["entries"]
    assert bool(unpacked(source.output / entry["url"])) == (output_format in TYPED)


@pytest.mark.parametrize(("output_format", "compression"), [("avro", "zstd"), ("tsv", "snappy")])
def test_a_compression_that_the_readers_do_not_know_is_refused(source, output_format, compression):
    source.execute("CREATE TABLE t (a INT)")
    with pytest.raises(ParameterError, match=f"--compression {compression}: {output_format} files take"):
        source.extract(table="t", output_format=output_format, compression=compression)


def test_a_name_that_avro_does_not_allow_is_refused_by_name(source):
    source.execute("CREATE TABLE t (`odd name` INT)")
    with pytest.raises(UnsupportedValue, match="'odd name'"):
        source.extract(table="t", output_format="avro")
