from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal

import pytest

from steps_impl.quality.normalise import normaliser


@pytest.mark.parametrize(
    ("target_type", "source", "target"),
    [
        ("bigint", b"007", 7),
        ("bigint", "18446744073709551615", Decimal("18446744073709551615")),
        ("decimal(12,2)", b"1.50", Decimal("1.5")),
        ("decimal(12,2)", b"-0.00", Decimal("0")),
        ("numeric(38,10)", b"3.14159265358979323846", Decimal("3.1415926535")),
        ("boolean", b"1", True),
        ("boolean", b"\x00", False),
        ("boolean", "no", False),
        ("real", b"0.10000000149011612", 0.1),
        ("double precision", b"1e3", 1000.0),
        ("date", b"2024-02-29", date(2024, 2, 29)),
        ("timestamp without time zone", b"2024-02-29 10:00:00.500000", datetime(2024, 2, 29, 10, 0, 0, 500000)),  # noqa: DTZ001
        ("timestamp", b"2024-02-29 00:00:00", date(2024, 2, 29)),
        ("timestamptz", b"2024-02-29 08:00:00", datetime(2024, 2, 29, 10, tzinfo=timezone(timedelta(hours=2)))),
        ("timestamp", b"0000-00-00 00:00:00.000000", None),
        ("date", b"0000-00-00", None),
        ("time", timedelta(hours=5, minutes=1), time(5, 1)),
        ("character(10)", b"ab", "ab        "),
        ("character varying(20)", "naïve 😀".encode(), "naïve 😀"),
        ("varchar(5)", None, None),
        ("super", b'{"b": 1,"a":[ "x", null]}', {"a": ["x", None], "b": 1}),
        ("super", b'"text"', "text"),
        ("super", b'{"b": 1}', '{"b":1}'),
    ],
)
def test_the_same_value_printed_by_two_engines_has_one_text(target_type: str, source: object, target: object) -> None:
    normalise = normaliser(target_type)
    assert normalise(source) == normalise(target)


@pytest.mark.parametrize(
    ("target_type", "one", "other"),
    [
        ("varchar(10)", None, ""),
        ("varchar(10)", "NULL", None),
        ("varchar(10)", "a", "a "),
        ("decimal(12,2)", "1.51", "1.50"),
        ("real", "0.1", "0.1000001"),
        ("timestamp", "2024-02-29 10:00:00", "2024-02-29 10:00:00.000001"),
        ("boolean", "0", True),
        ("bigint", "x", 0),
        ("super", b'{"a": "1"}', {"a": 1}),
        ("timestamptz", datetime(2024, 1, 1, tzinfo=UTC), "2024-01-01 01:00:00"),
    ],
)
def test_values_that_differ_have_different_texts(target_type: str, one: object, other: object) -> None:
    normalise = normaliser(target_type)
    assert normalise(one) != normalise(other)
