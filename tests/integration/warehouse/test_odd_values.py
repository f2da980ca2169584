"""Values and names that break peers, through every way into a table."""

from __future__ import annotations

from typing import Any

import pytest

from core.errors import LoadRejected
from steps_impl.tables.model import quote

COLUMNS = """"order" INT NOT NULL, "user" VARCHAR(8), "a b" CHAR(10), "quo""te" NUMERIC(38,10),
  "größe" DOUBLE PRECISION, "per%cent" DATE, "dot.ted" TIMESTAMP"""
NAMES = ("order", "user", "a b", 'quo"te', "größe", "per%cent", "dot.ted")
TARGET = f'CREATE TABLE "select" ({COLUMNS}, PRIMARY KEY ("order"))'
SOURCE = f'CREATE TABLE "from here" ({COLUMNS})'
HISTORY = f'CREATE TABLE "for ever" (effective_ts TIMESTAMP, expiration_ts TIMESTAMP, {COLUMNS})'
DIGITS = "1234567890123456789012345678.0123456789"
ROWS: list[list[str | None]] = [
    ["1", None, None, None, None, None, None],
    ["2", "", "", "0", "0", "0001-01-01", "0001-01-01 00:00:00"],
    ["3", "NULL", "NULL", DIGITS, "Infinity", "9999-12-31", "9999-12-31 23:59:59.999999"],
    ["4", "\\N", "\\N", f"-{DIGITS}", "-Infinity", "2024-02-29", "2026-11-26 12:00:00.000001"],
    ["5", "C:\\new", "C:\\new", "0.0000000001", "NaN", None, None],
    ["6", "a\tb'\"", "x\ty", None, "1e-300", None, None],
    ["7", "\r\n\n\\", "a\r\nb", None, "0.1", None, None],
    ["8", "😀😀", "blank end ", None, "1.7976931348623157e+308", None, None],
]
QUERY = f"SELECT {', '.join(f'CAST({quote(name)} AS TEXT)' for name in NAMES)} FROM {{}} ORDER BY 1"


def expected() -> list[tuple[str | None, ...]]:
    """The rows as the warehouse prints them: CHAR is padded, a number has its scale."""

    def number(text: str | None) -> str | None:
        return None if text is None else text if "." in text else f"{text}.{'0' * 10}"

    def float_(text: str | None) -> str | None:
        return None if text is None else text if text.strip("-").isalpha() else str(float(text)).removesuffix(".0")

    return [
        (key, text, None if char is None else char.rstrip(" "), number(decimal), float_(double), date, moment)
        for key, text, char, decimal, double, date, moment in ROWS
    ]


def found(warehouse: Any, table: str) -> list[tuple[Any, ...]]:
    return warehouse.rows(QUERY.format(quote(table)))


@pytest.mark.parametrize("mode", ["delete-insert", "merge", "append"])
def test_odd_values_come_in_as_they_are_by_every_mode_however_often(warehouse: Any, mode: str) -> None:
    turned = [row[::-1] for row in ROWS]
    manifest = warehouse.put_extract("odd", NAMES[::-1], turned, turned[:3])
    for _ in range(2):
        result = warehouse.run("upsert", table_definition=TARGET, input=[manifest], mode=mode)
        assert found(warehouse, "select") == expected()
    assert result.details["duplicates_dropped"] == 3


def test_odd_values_go_from_table_to_table_and_into_the_history(warehouse: Any) -> None:
    manifest = warehouse.put_extract("odd", NAMES, ROWS)
    warehouse.run("create-load-redshift", table_definition=SOURCE, input=[manifest])
    options = {"table_definition": TARGET, "source_table": '"from here"', "history": HISTORY}
    for opened in (len(ROWS), 0):
        assert warehouse.run("reload", **options).details["history"]["opened"] == opened
        assert found(warehouse, "select") == expected()
    assert found(warehouse, "for ever") == expected()
    again = warehouse.run("delta-load", date_column="Per%Cent", window=100_000, undated=True, **options)
    assert again.details["staged"] == 6  # those without a date, and the year 9999
    assert again.details["history"]["opened"] == 0
    assert found(warehouse, "select") == expected()


def test_a_nul_byte_is_refused_and_leaves_the_table(warehouse: Any) -> None:
    warehouse.run("upsert", table_definition=TARGET, input=[warehouse.put_extract("odd", NAMES, ROWS)])
    bad = warehouse.put_extract("bad", NAMES, [["1", "a\0b", *[None] * 5]])
    for step in ("upsert", "reload"):
        with pytest.raises(LoadRejected) as caught:
            warehouse.run(step, table_definition=TARGET, input=[bad])
        assert "bad/part-0000.tsv.gz line 1" in str(caught.value)
    assert found(warehouse, "select") == expected()
