"""Avro files, read back by a library that had no part in writing their rows."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import fastavro
from hypothesis import given, settings
from hypothesis import strategies as st

from steps_impl.extract.avro import LOGICAL, AvroCodec
from steps_impl.extract.codecs import Unsupported
from steps_impl.formats.typed import Column, TypedRows

MOMENTS = st.datetimes(datetime(1, 1, 1), datetime(9999, 12, 31, 23, 59, 59, 999999))  # noqa: DTZ001
REALS = st.floats(width=32, allow_nan=False)
WHOLE = "smallint", "integer", "bigint"
TYPES: list[tuple[dict[str, Any], st.SearchStrategy[Any]]] = [
    *(({"base": base}, st.integers(-(2**bits), 2**bits - 1)) for base, bits in zip(WHOLE, (15, 31, 63), strict=True)),
    ({"base": "real"}, REALS),
    ({"base": "double precision"}, st.floats(allow_nan=False)),
    ({"base": "boolean"}, st.booleans()),
    ({"base": "date"}, st.dates()),
    ({"base": "timestamp without time zone"}, MOMENTS),
    ({"base": "timestamp with time zone"}, MOMENTS.map(lambda moment: moment.replace(tzinfo=UTC))),
    ({"base": "binary varying"}, st.binary()),
    ({"base": "character varying"}, st.text(st.characters(exclude_categories=["Cs"]))),
    *(
        (
            {"base": "numeric", "precision": digits, "scale": scale},
            st.decimals(-(10 ** (digits - scale)) + 1, 10 ** (digits - scale) - 1, places=scale, allow_nan=False),
        )
        for digits, scale in ((1, 0), (2, 1), (9, 2), (18, 0), (19, 4), (38, 10), (38, 38), (38, 0))
    ),
]
#: A column and values of it, some of which are NULL.
COLUMNS = st.sampled_from(TYPES).flatmap(
    lambda kind: st.tuples(st.just(Column("c", kind[0])), st.lists(st.none() | kind[1], min_size=1, max_size=20))
)


def printed(value: Any) -> bytes | None:
    """Return a value as a server prints it."""
    if value is None or isinstance(value, bytes):
        return value
    if isinstance(value, bool):
        return b"t" if value else b"f"
    if isinstance(value, datetime):
        return (value.isoformat(" ").removesuffix("+00:00") + ("+00" if value.tzinfo else "")).encode()
    return format(value, "f").encode() if isinstance(value, Decimal) else str(value).encode()


def packed(columns: Sequence[Column], rows: Sequence[Sequence[Any]], compression: str = "gzip", **how: bool) -> bytes:
    codec = AvroCodec(columns, compression, Unsupported(null=False), **{"logical": True, **how})
    half = len(rows) // 2
    chunks = [TypedRows(1, [[printed(value) for value in row] for row in part]) for part in (rows[:half], rows[half:])]
    return codec.feed([chunk for chunk in chunks if chunk.rows]) + codec.finish()


def unpacked(data: bytes) -> list[tuple[Any, ...]]:
    return [tuple(row.values()) for row in fastavro.reader(io.BytesIO(data))]


@settings(max_examples=300, deadline=None)
@given(COLUMNS, st.sampled_from(["gzip", "none"]))
def test_every_value_of_every_type_is_read_back_as_it_was(column_and_values, compression):
    column, values = column_and_values
    assert unpacked(packed([column], [[value] for value in values], compression)) == [(value,) for value in values]


@settings(max_examples=100, deadline=None)
@given(COLUMNS.filter(lambda given: given[0].base in LOGICAL))
def test_dates_and_decimals_can_be_texts_with_every_digit(column_and_values):
    column, values = column_and_values
    texts = [None if value is None else (printed(value) or b"").decode() for value in values]
    assert unpacked(packed([column], [[value] for value in values], logical=False)) == [(text,) for text in texts]


def test_columns_stay_beside_one_another_and_are_of_logical_types():
    columns = [Column(f"c{place}", kind) for place, (kind, _) in enumerate(TYPES)]
    moment = datetime(2024, 2, 29, 12, 30, 0, 5)  # noqa: DTZ001
    row = (
        -5,
        2**31 - 1,
        -(2**63),
        0.5,
        math.inf,
        True,
        moment.date(),
        moment,
        moment.replace(tzinfo=UTC),
        b"\xff",
        "é",
    )
    row += tuple(
        Decimal(text) for text in ("7", "0.5", "-1.25", "9" * 18, "-1.0001", "0." + "1" * 10, "-0." + "9" * 38)
    )
    row += (Decimal("-" + "9" * 38),)
    rows = [row, (None,) * len(row), row]
    data = packed(columns, rows)
    assert unpacked(data) == rows
    kinds = [field["type"] for field in fastavro.reader(io.BytesIO(data)).writer_schema["fields"]]
    assert [kind[0] for kind in kinds] == ["null"] * len(row)
    assert [kind[1]["logicalType"] for kind in kinds[6:9]] == ["date", "local-timestamp-micros", "timestamp-micros"]
    assert kinds[16][1] == {"type": "bytes", "logicalType": "decimal", "precision": 38, "scale": 10}


def test_numbers_that_never_end_and_long_texts_are_read_back():
    columns = [Column("f", {"base": "double precision"}), Column("t", {"base": "character varying"})]
    rows = [(math.inf, "x" * 8191), (-math.inf, "é" * 8192), (math.nan, "y" * 300_000), (None, "")]
    found = unpacked(packed(columns, rows))
    assert [text for _, text in found] == [text for _, text in rows]
    assert found[:2] == rows[:2]
    assert math.isnan(found[2][0])


def test_many_blocks_follow_one_another_and_none_grows_with_the_table():
    columns = [Column("n", {"base": "bigint"}), Column("t", {"base": "character varying"})]
    codec = AvroCodec(columns, "gzip", Unsupported(null=False), logical=True)
    rows = [(number, "x" * 100) for number in range(60_000)]
    chunks = [
        TypedRows(1, [[b"%d" % n, text.encode()] for n, text in rows[at : at + 500]]) for at in range(0, 60_000, 500)
    ]
    data = b"".join(codec.feed([chunk]) for chunk in chunks) + codec.finish()
    counts = [block.num_records for block in fastavro.block_reader(io.BytesIO(data))]
    assert (len(counts), sum(counts)) == (7, 60_000)
    assert unpacked(data) == rows
