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


def test_what_parquet_cannot_be_loaded_with_is_said(path: Any) -> None:
    name = path.name("refused")
    path.make_source(name, "id INT PRIMARY KEY, born DATE", [(1, "0000-00-00")])
    with pytest.raises(UnsupportedValue, match="zero date"):
        path.extract(table=name, output_format="parquet")
    place = path.extract(table=name, output_format="parquet", zero_dates="null")
    with pytest.raises(ParameterError, match="--max-error: COPY takes no such option with parquet files"):
        path.load(f"CREATE TABLE {name} (id INT, born DATE)", place, max_error=5)
