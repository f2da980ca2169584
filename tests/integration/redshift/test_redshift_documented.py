"""Examples of AWS's pages on functions (Developer Guide, "SQL functions reference"), and what they say beside them."""

from __future__ import annotations

from datetime import UTC, date, datetime, time

import psycopg2
import pytest


def moment(*parts):
    """A moment without a zone, as TIMESTAMP is."""
    return datetime(*parts, tzinfo=UTC).replace(tzinfo=None)


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
        ("FNV_HASH('Amazon Redshift', FNV_HASH(1))", -2202602717770968555),
        ("CONCAT('December 25, ', '2008')", "December 25, 2008"),
        ("CONCAT('a', NULL)", None),
        ("CONCAT(5, CONCAT('-', 6.5))", "5-6.5"),
        ("DATEADD(minute, 5, TIME '13:24:55')", time(13, 29, 55)),
        ("DATEADD(decade, 1, '2008-02-29')", moment(2018, 2, 28)),
        ("DATEDIFF(qtr, '1998-07-01', '2008-07-01')", 40),
        ("DATEDIFF(decade, '1999-12-31', '2000-01-01')", 1),
        ("DATEDIFF(century, '2000-12-31', '2001-01-01')", 1),
        ("DATEDIFF(minutes, '10:00:59'::time, '10:01:00'::time)", 1),
        ("EXTRACT(ms FROM TIMESTAMP '2009-09-09 12:08:43.101')", 101),
        ("EXTRACT(sec FROM '2009-09-21 11:10:03.189717'::timestamp)", 3),
        ("DATE_PART(sec, '2009-09-21 11:10:03.189717'::timestamp)", 3.189717),
        ("EXTRACT(ms FROM TIME '18:25:33.123456')", 123),
        ("EXTRACT('weekday' FROM DATE '2024-01-31') / 2", 1),
        ("EXTRACT(year FROM TIMESTAMPTZ '1.12.1997 07:37:16.00 PST')", 1997.0),
        ("EXTRACT(year FROM SYSDATE) / 100", 20),
        ("CONVERT_TIMEZONE('America/New_York', '2013-02-01 08:00:00')", moment(2013, 2, 1, 3)),
        ("CONVERT_TIMEZONE('GMT', 'EST', TIMESTAMPTZ '2008-08-21 09:23:54+02')", moment(2008, 8, 21, 2, 23, 54)),
        ("CONVERT_TIMEZONE('UTC', 'Europe/Berlin', DATE '2024-07-01')", moment(2024, 7, 1, 2)),
        ("TO_DATE('02 Oct 2001', 'DD Mon YYYY')", date(2001, 10, 2)),
        ("TO_DATE('20010631', 'YYYYMMDD')", date(2001, 7, 1)),
        ("TO_DATE('31/02/2024 x', 'DD/MM/YYYY', FALSE)", date(2024, 3, 2)),
        ("TO_TIMESTAMP('2011-12-18 24:38:15', 'YYYY-MM-DD HH24:MI:SS')::timestamp", moment(2011, 12, 19, 0, 38, 15)),
        ("22.5::decimal + CAST('7.5' AS numeric) + CONVERT(DECIMAL, 0.4)", 31),
        ("TRY_CAST('7.7' AS DECIMAL)", 8),
        ("REGEXP_SUBSTR('the fox', 'FOX', 1, 1, 'i')", "fox"),
        ("REGEXP_SUBSTR('passwd7 plain A1234 a1234', '(?=[^ ]*[a-z])(?=[^ ]*[0-9])[^ ]+', 1, 2, 'ip')", "A1234"),
        ("REGEXP_SUBSTR('the fox', 'the (fox)', 0, 1, 'e')", "fox"),
        ("REGEXP_SUBSTR('the fox', 'dog')", ""),
        ("REGEXP_SUBSTR('the fox', 'fox', 1, 0)", None),
        ("REGEXP_INSTR('the fox', 'FOX', 1, 1, 1, 'ip')", 8),
        ("REGEXP_COUNT('abcdefghijklmnopqrstuvwxyz', '[a-z]{3}', 0, 'p')", 8),
        ("REGEXP_REPLACE('the fox', 'FOX', 'quick brown fox', 0, 'i')", "the quick brown fox"),
        ("JSON_EXTRACT_ARRAY_ELEMENT_TEXT('[111,112,113]', -1)", None),
        ("JSON_EXTRACT_ARRAY_ELEMENT_TEXT('[111,112,113]', 2, TRUE)", "113"),
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
        "TO_DATE('20010631', 'YYYYMMDD', TRUE)",
        "TO_DATE('31 Feb 2001', 'DD Mon YYYY')",
        "TO_TIMESTAMP('2011-12-18 24:38:15', 'YYYY-MM-DD HH24:MI:SS', TRUE)",
        "DATEDIFF(epoch, '2009-01-01', '2009-12-31')",
    ],
)
def test_what_a_function_does_not_take_is_an_error(run, expression):
    with pytest.raises(psycopg2.Error):
        run(f"SELECT {expression}")


def test_a_column_is_named_after_the_function_whatever_it_is_written_as(connection):
    with connection.cursor() as cursor:
        cursor.execute("SELECT STRTOL(LEFT(MD5('a'), 15), 16), SHA2('a', 256), LAG(1) IGNORE NULLS OVER (ORDER BY 1)")
        assert [column.name for column in cursor.description] == ["strtol", "sha2", "lag"]
        cursor.execute("SELECT EXTRACT(day FROM GETDATE()), CONCAT('a', 'b'), TO_DATE('2001', 'YYYY')")
        assert [column.name for column in cursor.description] == ["date_part", "concat", "to_date"]
