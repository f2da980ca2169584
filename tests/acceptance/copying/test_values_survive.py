"""Every kind of value over every route, looked at where it arrives."""

from __future__ import annotations

from typing import Any

import pytest

from tests.acceptance.copying.conftest import Copying, Database

NASTY = [
    None, "", "NULL", "\\N", "\\n", "n", "N", " ", "a,b", "a\tb", 'say "hi"', '"quoted"', "it's", "two\nlines",
    "return\r\nfeed", "\r", "ends with\\", "back\\slash", "\\.", "|pipe|", "é ü 漢字", "\U0001f600",
    "\x01\x1a\x1c\x1d\x1e\x1f", "%s ?", ",", "\n", "\\,", "a" * 5000,
]  # fmt: skip
ROWS = [(number, value, "end") for number, value in enumerate(NASTY)]
FORMATS: dict[str, dict[str, Any] | None] = {
    "csv": {"type": "CSV"},
    "csv with escape": {"type": "CSV", "escapeChar": "^"},
    "tsv": {"type": "TSV"},
    "custom": {"type": "Custom", "columnSeparator": "|", "recordSeparator": "\n"},
    "none": None,
}
COLUMNS = {"mysql": "a INT, b TEXT, c TEXT", "postgres": "a INT, b TEXT, c TEXT"} | {
    "redshift": "a INT, b VARCHAR(9000), c VARCHAR(9)"
}
ENGINES = ("mysql", "postgres", "redshift")


@pytest.mark.parametrize("dialect", ["documented", "standard"])
@pytest.mark.parametrize("form", FORMATS)
def test_text_survives_from_database_to_s3_and_into_every_database(
    copying: Copying, form: str, dialect: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DUCTRUNNER_COPY_ACTIVITY_DIALECT", dialect)
    origin = copying.databases["mysql"]
    copying.run(origin.node(origin.make(COLUMNS["mysql"], ROWS)), copying.s3_node("out/file", FORMATS[form]))

    for engine in ENGINES:
        database = copying.databases[engine]
        table = database.make(COLUMNS[engine])
        done = copying.run(copying.s3_node("out/file", FORMATS[form]), database.node(table))
        assert done.rows == len(ROWS)
        assert database.rows(table) == ROWS


@pytest.mark.parametrize("target", ENGINES)
@pytest.mark.parametrize("source", ENGINES)
def test_text_survives_from_database_to_database(copying: Copying, source: str, target: str) -> None:
    origin, database = copying.databases[source], copying.databases[target]
    table = database.make(COLUMNS[target])

    done = copying.run(origin.node(origin.make(COLUMNS[source], ROWS)), database.node(table))

    assert done.rows == len(ROWS)
    assert database.rows(table) == ROWS


@pytest.mark.parametrize(
    "query",
    [
        "INSERT INTO {} VALUES (?, ?, ?)",
        "INSERT INTO {} (a, b, c) VALUES (?, concat(?, ''), ?)",
        "INSERT INTO {} SELECT CAST(? AS DECIMAL), ?, ?",
    ],
)
@pytest.mark.parametrize("target", ENGINES)
def test_text_survives_through_an_insert_query(copying: Copying, target: str, query: str) -> None:
    origin, database = copying.databases["mysql"], copying.databases[target]
    table = database.make(COLUMNS[target])
    rows = ROWS if "concat" not in query else [row for row in ROWS if row[1] is not None]

    copying.run(origin.node(origin.make(COLUMNS["mysql"], rows)), database.node(table, insertQuery=query.format(table)))

    assert database.rows(table) == rows


def test_numbers_of_a_hundred_digits_survive(copying: Copying, postgres: Database) -> None:
    digits = "123456789" * 11 + "1"
    origin = postgres.make("a NUMERIC, b NUMERIC(110, 5)", [(digits, f"-{digits}.00001")])
    copying.run(postgres.node(origin), copying.s3_node("numbers.tsv", {"type": "TSV"}))
    target = postgres.make("a NUMERIC, b NUMERIC(110, 5)")
    copying.run(copying.s3_node("numbers.tsv", {"type": "TSV"}), postgres.node(target))

    assert copying.get("numbers.tsv").decode() == f"{digits}\t-{digits}.00001\n"
    assert postgres.rows(target) == postgres.rows(origin)
    assert [str(value) for value in postgres.rows(target)[0]] == [digits, f"-{digits}.00001"]


def test_kinds_of_mysql_survive_to_s3_and_back(copying: Copying, mysql: Database) -> None:
    columns = (
        "a INT, f FLOAT, d DOUBLE, n DECIMAL(65, 30), u BIGINT UNSIGNED, t TIME(6), z DATE, w DATETIME(6), y YEAR, "
        "b VARBINARY(9), l BLOB, i BIT(12), j JSON, e ENUM('x', 'y,z'), s SET('p', 'q')"
    )
    origin = mysql.make(columns)
    mysql.run(
        f"INSERT INTO {origin} VALUES "
        "(1, 16777217, 0.1, 12345678901234567890123456789012345.123456789012345678901234567890, 18446744073709551615, "
        "'838:59:59.000001', '0000-00-00', '2024-02-30 00:00:00', 1999, x'00ff0a5c', x'', b'101000000001', "
        """'{"k": "a\\\\nb"}', 'y,z', 'p,q'), """
        "(0, NULL, NULL, NULL, 0, '-838:59:59', NULL, '0000-00-00 00:00:00', NULL, NULL, x'5c4e', b'0', NULL, NULL, '')"
    )  # the session of the test has no strict mode: 30 February becomes a zero date
    target = mysql.make(columns)
    copying.run(mysql.node(origin), copying.s3_node("kinds.csv", {"type": "CSV"}))
    copying.run(copying.s3_node("kinds.csv", {"type": "CSV"}), mysql.node(target))

    assert mysql.rows(target) == mysql.rows(origin)
    assert b",16777216," in copying.get("kinds.csv")


def test_kinds_of_postgres_survive_to_s3_and_back(copying: Copying, postgres: Database) -> None:
    columns = (
        "a INT, r REAL, d DOUBLE PRECISION, o BOOLEAN, w TIMESTAMP, z TIMESTAMPTZ, v DATE, t TIME, i INTERVAL, "
        "b BYTEA, k BIT(4), x VARBIT, j JSONB, l TEXT[], u UUID"
    )
    origin = postgres.make(columns)
    postgres.run(
        f"INSERT INTO {origin} VALUES "
        "(1, 'NaN', '-Infinity', true, 'infinity', '2024-01-01 10:00:00.123456+05', '-infinity', '24:00', "
        r"'9 days 38:00', '\x00ff0a5c', '1010', '1', '{"
        '"k": "a\\nb", "e": "\\\\"'
        r"}', '{a,NULL,\"b,c\"}', gen_random_uuid()), "
        "(2, 1e-40, 0.1, NULL, NULL, NULL, NULL, NULL, NULL, '', NULL, '', NULL, '{}', NULL)"
    )
    target = postgres.make(columns)
    copying.run(postgres.node(origin), copying.s3_node("kinds.tsv", {"type": "TSV"}))
    copying.run(copying.s3_node("kinds.tsv", {"type": "TSV"}), postgres.node(target))
    assert postgres.run(f"SELECT {target}::text FROM {target} ORDER BY a") == postgres.run(
        f"SELECT {origin}::text FROM {origin} ORDER BY a"
    )

    direct = postgres.make(columns)
    copying.run(postgres.node(origin), postgres.node(direct))
    assert postgres.run(f"SELECT {direct}::text FROM {direct} ORDER BY a") == postgres.run(
        f"SELECT {origin}::text FROM {origin} ORDER BY a"
    )


@pytest.mark.parametrize("source", ["postgres", "redshift"])
def test_booleans_and_zoned_times_arrive_in_mysql(copying: Copying, source: str, mysql: Database) -> None:
    origin = copying.databases[source]
    table = origin.make("a INT, o BOOLEAN, z TIMESTAMPTZ")
    origin.run(f"INSERT INTO {table} VALUES (1, true, '2024-01-01 10:00:00+05'), (2, false, NULL), (3, NULL, NULL)")
    target = mysql.make("a INT, o BOOLEAN, z DATETIME")
    copying.run(origin.node(table), mysql.node(target))

    assert [tuple(map(str, row)) for row in mysql.rows(target)] == [
        ("1", "1", "2024-01-01 05:00:00"), ("2", "0", "None"), ("3", "None", "None")
    ]  # fmt: skip


def test_bytes_of_postgres_arrive_in_mysql(copying: Copying, postgres: Database, mysql: Database) -> None:
    origin = postgres.make("a INT, b BYTEA, t TEXT", [(1, b"\x00\xff\\", "text"), (2, None, None)])
    target = mysql.make("a INT, b VARBINARY(9), t VARBINARY(9)")
    copying.run(postgres.node(origin), mysql.node(target))

    assert mysql.rows(target) == [(1, b"\x00\xff\\", b"text"), (2, None, None)]


def test_mysql_bytes_bits_and_times_arrive_in_postgres(copying: Copying, postgres: Database, mysql: Database) -> None:
    origin = mysql.make("a INT, b VARBINARY(9), i BIT(9), t TIME, w TIMESTAMP NULL")
    mysql.run(f"INSERT INTO {origin} VALUES (1, x'005c0a', b'100000001', '838:59:59', '2024-01-01 10:00:00')")
    target = postgres.make("a INT, b BYTEA, i INT, t INTERVAL, w TIMESTAMPTZ")
    copying.run(mysql.node(origin), postgres.node(target))

    assert postgres.run(f"SELECT a, encode(b, 'hex'), i, t::text, w::text FROM {target}") == [
        (1, "005c0a", 257, "838:59:59", "2024-01-01 10:00:00+00")
    ]


@pytest.mark.parametrize("dialect", ["documented", "standard"])
def test_nul_bytes_survive_where_the_target_can_hold_them(
    copying: Copying, mysql: Database, dialect: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DUCTRUNNER_COPY_ACTIVITY_DIALECT", dialect)
    rows = [(1, "a\0b", "\0"), (2, "\0\t\\\0", "\\0")]
    copying.run(mysql.node(mysql.make(COLUMNS["mysql"], rows)), copying.s3_node("nul.csv", {"type": "CSV"}))
    target = mysql.make(COLUMNS["mysql"])
    copying.run(copying.s3_node("nul.csv", {"type": "CSV"}), mysql.node(target))

    assert mysql.rows(target) == rows


def test_a_zero_in_an_auto_increment_column_stays_zero(copying: Copying, mysql: Database) -> None:
    target = mysql.make("a INT PRIMARY KEY AUTO_INCREMENT, b INT")
    copying.put("in.csv", b"0,1\n7,2\n")
    copying.run(copying.s3_node("in.csv", {"type": "CSV"}), mysql.node(target))

    assert mysql.rows(target) == [(0, 1), (7, 2)]
