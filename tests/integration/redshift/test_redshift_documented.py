"""Examples of AWS's pages on functions (Developer Guide, "SQL functions reference"), and what they say beside them."""

from __future__ import annotations

import psycopg2
import pytest


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("STRTOL('0xf', 16)", 15),
        ("STRTOL('abcd1234', 16)", 2882343476),
        ("STRTOL('1234567', 8)", 342391),
        ("STRTOL('110101', 2)", 53),
        ("STRTOL('zZ', 36)", 1295),
        ("STRTOL('\\0', 2)", 0),
        ("STRTOL('', 10)", 0),
        ("STRTOL('  -7f', 16)", -127),
        ("STRTOL('-8000000000000000', 16)", -(2**63)),
        ("STRTOL(NULL, 10)", None),
        ("STRTOL(LEFT(MD5('a'), 15), 16)", 57446577476672362),
        ("STRTOL(LEFT(SHA2('a', 256), 7), 16)", 0xCA97811),
        ("STRTOL(LEFT(MD5('a') || 'z', 4), 16)", 0x0CC1),
    ],
)
def test_a_function_gives_what_is_documented(run, expression, value):
    assert run(f"SELECT {expression}") == [(value,)]


@pytest.mark.parametrize(
    "expression",
    [
        "STRTOL('8000000000000000', 16)",
        "STRTOL('0x', 16)",
        "STRTOL('0xf', 10)",
        "STRTOL('--5', 16)",
        "STRTOL('12 ', 10)",
        "STRTOL('12', 37)",
    ],
)
def test_what_a_function_does_not_take_is_an_error(run, expression):
    with pytest.raises(psycopg2.Error):
        run(f"SELECT {expression}")


def test_a_column_is_named_after_the_function_whatever_it_is_written_as(connection):
    with connection.cursor() as cursor:
        cursor.execute("SELECT STRTOL(LEFT(MD5('a'), 15), 16), SHA2('a', 256), LAG(1) IGNORE NULLS OVER (ORDER BY 1)")
        assert [column.name for column in cursor.description] == ["strtol", "sha2", "lag"]
