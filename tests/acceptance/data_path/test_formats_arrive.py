"""Each format of an extract, loaded by ``create-load-redshift`` and ``upsert`` as its manifest says."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest

from core.errors import ParameterError, UnsupportedValue

FORMATS = [
    *({"output_format": form, "compression": "zstd"} for form in ("tsv", "csv", "json")),
    {"output_format": "json", "compression": "gzip"},
    {"output_format": "parquet"},
    {"output_format": "avro"},
    {"output_format": "avro", "avro_types": "logical"},
]
DEFINITION = """CREATE TABLE {name} (id INT PRIMARY KEY, note VARCHAR(160), big DECIMAL(20,0), price DECIMAL(38,10),
  weight DOUBLE PRECISION, born DATE, at TIMESTAMP, long_time VARCHAR(20))"""
NOTES = [None, "", "NULL", "C:\\new", "\t", "a\nb\r", 'say "so"', "😀 é", "\x1d\x1e\x1f", "{}", "\u2028", " x "]


def rows() -> list[tuple[Any, ...]]:
    full = (2**64 - 1, Decimal("1234567890123456789012345678.0123456789"), 5e-324, date(1000, 1, 1))
    moment = datetime(9999, 12, 31, 23, 59, 59, 999999)  # noqa: DTZ001
    filled = [(n, note, *full, moment, "-838:59:59") for n, note in enumerate(NOTES)]
    return [*filled, (99, None, None, None, None, None, None, None)]


@pytest.mark.parametrize("form", FORMATS)
def test_the_warehouse_has_the_sources_values(path: Any, form: dict[str, str]) -> None:
    name = path.name("formats")
    columns = "id INT PRIMARY KEY, note TEXT, big BIGINT UNSIGNED, price DECIMAL(38,10), weight DOUBLE, born DATE"
    path.make_source(name, f"{columns}, at DATETIME(6), long_time TIME", rows())
    place = path.extract(table=name, **form, files=3)
    path.load(DEFINITION.format(name=name), place)
    expected = [tuple(Decimal(v) if n == 2 and v is not None else v for n, v in enumerate(row)) for row in rows()]
    assert path.in_target(f"SELECT * FROM {name} ORDER BY id") == expected
    path.run("upsert", table_definition=DEFINITION.format(name=name), input=[place])
    assert path.in_target(f"SELECT * FROM {name} ORDER BY id") == expected


BOOLEANS = "id INT PRIMARY KEY, yes BOOLEAN, flag BIT(1), n TINYINT(1)"


@pytest.mark.parametrize("form", [form for form in FORMATS if form.get("compression") != "gzip"])
@pytest.mark.parametrize("step", ["create-load-redshift", "load-redshift"])
def test_booleans_of_mysql_are_booleans_of_the_warehouse(path: Any, step: str, form: dict[str, str]) -> None:
    name = path.name("booleans")
    path.make_source(name, BOOLEANS, [(1, 1, 1, 7), (2, 0, 0, -1), (3, None, None, None)])
    place = path.extract(table=name, **form, booleans=["YES", "bit(1)"])
    definition = f"CREATE TABLE {name} (id INT, yes BOOLEAN, flag BOOLEAN, n SMALLINT)"
    if step == "load-redshift":
        path.in_target(definition)
    path.run(step, input=[place], **({"table": name} if step == "load-redshift" else {"table_definition": definition}))
    expected = [(1, True, True, 7), (2, False, False, -1), (3, None, None, None)]
    assert path.in_target(f"SELECT * FROM {name} ORDER BY id") == expected


def test_what_is_neither_0_nor_1_is_no_boolean_and_what_is_not_there_none_either(path: Any) -> None:
    name = path.name("neither")
    path.make_source(name, BOOLEANS, [(1, 1, 1, 1), (2, 0, 0, 2)])
    for form in ("tsv", "json", "parquet"):
        with pytest.raises(UnsupportedValue, match="column n, row 2: neither 0 nor 1"):
            path.extract(table=name, output_format=form, booleans=["tinyint(1)"])
    with pytest.raises(ParameterError, match="--booleans gone: the rows have no such column; they have id, yes"):
        path.extract(table=name, booleans=["yes", "gone"])
    query = f"SELECT id, n <> 0 AS n FROM {name}"
    with pytest.raises(ParameterError, match=r"--booleans tinyint\(1\): the rows have no such column"):
        path.extract(sql=query, booleans=["tinyint(1)"])
    place = path.extract(sql=query, booleans=["n"], output_format="parquet")
    path.load(f"CREATE TABLE {name} (id INT, n BOOLEAN)", place)
    assert path.in_target(f"SELECT * FROM {name} ORDER BY id") == [(1, True), (2, True)]


def test_what_parquet_cannot_be_loaded_with_is_said(path: Any) -> None:
    name = path.name("refused")
    path.make_source(name, "id INT PRIMARY KEY, born DATE", [(1, "0000-00-00")])
    with pytest.raises(UnsupportedValue, match="zero date"):
        path.extract(table=name, output_format="parquet")
    place = path.extract(table=name, output_format="parquet", zero_dates="null")
    with pytest.raises(ParameterError, match="--max-error: COPY takes no such option with parquet files"):
        path.load(f"CREATE TABLE {name} (id INT, born DATE)", place, max_error=5)
