"""From a MySQL column to the same value behind the front, or to a refusal that names the column."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from core.errors import LoadRejected, SchemaMismatch

AWKWARD = [
    *(
        None,
        "",
        "NULL",
        "null",
        "\\N",
        '"\\N"',
        "\\",
        "\\\\N",
        "\\.",
        "a\\",
        "\\\t",
        '"',
        '""',
        "'",
        ",",
        ";",
        "--",
        "#",
    ),
    *("\t", "\n", "\r", "\r\n", " ", "  x ", "\x01", "\x0b\x0c", "\x1d", "\x1e", "\x1f", "a\x1d\x1e\x1f", "\x7f"),
    *("é", "😀", "\u2028", "\ufeff", "%", "%s", "\\n"),
]


@pytest.mark.parametrize("output_format", ["tsv", "csv"])
@pytest.mark.parametrize("compression", ["gzip", "none"])
def test_awkward_text_arrives_in_the_first_the_last_and_the_only_column(
    path: Any, output_format: str, compression: str
) -> None:
    wide, lone = path.name("wide"), path.name("lone")
    count = len(AWKWARD)
    rows = [(AWKWARD[i], i, AWKWARD[(i * 7 + 1) % count], AWKWARD[(i * 5 + 3) % count]) for i in range(count)]
    path.make_source(wide, "a VARCHAR(20), id INT PRIMARY KEY, b VARCHAR(20), c TEXT", rows)
    path.make_source(lone, "a VARCHAR(20)", [(value,) for value in AWKWARD])
    shape = {"output_format": output_format, "compression": compression}
    text = "VARCHAR(80)"
    path.load(f"CREATE TABLE {wide} (a {text}, id INT, b {text}, c {text})", path.extract(table=wide, **shape))
    path.load(f"CREATE TABLE {lone} (a {text})", path.extract(table=lone, splits=3, **shape))
    assert path.in_target(f"SELECT * FROM {wide} ORDER BY id") == rows
    arrived = [value for (value,) in path.in_target(f"SELECT a FROM {lone}")]
    assert sorted(arrived, key=repr) == sorted(AWKWARD, key=repr)


#: MySQL type, Redshift type, value in, text of the value out (``None``: as it went in).
EXACT: list[tuple[str, str, Any, str | None]] = [
    ("BIGINT UNSIGNED", "DECIMAL(20,0)", "18446744073709551615", None),
    ("BIGINT", "BIGINT", "-9223372036854775808", None),
    ("INT UNSIGNED", "BIGINT", "4294967295", None),
    ("INT ZEROFILL", "INT", "42", None),
    ("DECIMAL(65,0)", "VARCHAR(70)", "-" + "9" * 65, None),
    ("DECIMAL(65,30)", "VARCHAR(70)", "1" * 35 + "." + "9" * 30, None),
    ("DECIMAL(65,0)", "DECIMAL(38,0)", "9" * 38, None),
    ("DECIMAL(38,37)", "DECIMAL(38,37)", "1." + "1" * 37, None),
    ("FLOAT", "REAL", "3.4028235e38", "3.4028235e+38"),
    ("FLOAT", "FLOAT8", "16777216", None),
    ("DOUBLE", "FLOAT8", "1.7976931348623157e308", "1.7976931348623157e+308"),
    ("DOUBLE", "FLOAT8", "5e-324", None),
    ("BIT(1)", "BOOLEAN", 1, "true"),
    ("BIT(64)", "DECIMAL(20,0)", 2**64 - 1, None),
    ("TINYINT(1)", "BOOLEAN", 0, "false"),
    ("ENUM('a', '', 'NULL')", "VARCHAR(10)", "NULL", None),
    ("ENUM('a', '')", "VARCHAR(10)", "", None),
    ("SET('x', 'y')", "VARCHAR(10)", "x,y", None),
    ("JSON", "VARCHAR(200)", '{"a": "\\n\\t\\\\", "b": [1, null]}', None),
    ("DATE", "DATE", "0001-01-01", None),
    ("DATE", "DATE", "9999-12-31", None),
    ("DATETIME", "TIMESTAMP", "0001-01-01 00:00:00", None),
    ("DATETIME(6)", "TIMESTAMP", "9999-12-31 23:59:59.999999", None),
    ("TIMESTAMP(6)", "TIMESTAMPTZ", "2020-01-01 12:00:00.000001", "2020-01-01 12:00:00.000001+00"),
    ("TIME(6)", "VARCHAR(20)", "-838:59:59.000001", None),
    ("TIME", "TIME", "23:59:59", None),
    ("YEAR", "SMALLINT", "2155", None),
    ("CHAR(5)", "VARCHAR(5)", "ab", None),
    ("VARCHAR(10)", "VARCHAR(8)", "😀😀", None),
    ("VARCHAR(10)", "VARCHAR(10)", "abc   ", None),
    ("VARCHAR(10) CHARACTER SET latin1", "VARCHAR(40)", "é€ÿ", None),
    ("VARCHAR(10) CHARACTER SET utf16", "VARCHAR(40)", "é😀", None),
    ("MEDIUMTEXT", "VARCHAR(MAX)", "x" * 65_535, None),
    ("BLOB", "VARCHAR(20)", b"\x00\xff\n", "00ff0a"),
    ("VARBINARY(10)", "VARCHAR(20)", b"\\N", "5c4e"),
]


@pytest.mark.parametrize("output_format", ["tsv", "csv"])
def test_every_type_arrives_with_its_extremes_and_beside_null(path: Any, output_format: str) -> None:
    name = path.name("types")
    source = ", ".join(f"c{i} {case[0]} NULL" for i, case in enumerate(EXACT))
    target = ", ".join(f"c{i} {case[1]}" for i, case in enumerate(EXACT))
    values = [case[2] for case in EXACT]
    path.make_source(name, f"id INT PRIMARY KEY, {source}", [(1, *values), (2, *[None] * len(EXACT))])
    place = path.extract(table=name, output_format=output_format)
    path.load(f"CREATE TABLE {name} (id INT, {target})", place)
    texts = ", ".join(f"c{i}::VARCHAR(MAX)" for i in range(len(EXACT)))
    first, second = path.in_target(f"SELECT {texts} FROM {name} ORDER BY id")
    wanted = tuple(case[2] if case[3] is None else case[3] for case in EXACT)
    assert first == tuple(map(str, wanted))
    assert second == (None,) * len(EXACT)


REFUSED = [
    ("BIGINT UNSIGNED", "BIGINT", "18446744073709551615"),
    ("DECIMAL(65,0)", "DECIMAL(38,0)", "9" * 39),
    ("INT UNSIGNED", "INT", "4294967295"),
    ("DOUBLE", "REAL", "1e300"),
    ("TINYINT(3)", "BOOLEAN", "113"),
    ("TIME", "TIME", "25:00:00"),
    ("VARCHAR(10)", "VARCHAR(7)", "😀😀"),
    ("CHAR(5)", "CHAR(5)", "é"),
    ("MEDIUMTEXT", "VARCHAR(MAX)", "x" * 65_536),
    ("VARCHAR(10)", "INT", "1e3"),
]


def test_a_value_without_room_is_refused_by_column_and_line_and_not_shown(path: Any) -> None:
    for number, (kind, warehouse_kind, value) in enumerate(REFUSED):
        name = path.name(f"refused{number}")
        path.make_source(name, f"id INT PRIMARY KEY, misfit {kind}", [(1, None), (2, value)])
        with pytest.raises(LoadRejected) as refused:
            path.load(f"CREATE TABLE {name} (id INT, misfit {warehouse_kind})", path.extract(table=name))
        assert "line 2, column misfit" in str(refused.value), kind
        assert value not in str(refused.value)
        assert not path.in_target(f"SELECT 1 FROM pg_class WHERE relname = '{name}'")
    assert not path.staging_tables()


@pytest.mark.parametrize("kind", ["DECIMAL(20,10)", "DECIMAL(65,10)"])
def test_decimals_with_more_digits_than_their_column_are_refused_or_rounded_but_never_cut(path: Any, kind: str) -> None:
    name = path.name("digits")
    path.make_source(name, f"id INT PRIMARY KEY, price {kind}", [(1, "1.1260000001")])
    definition = f"CREATE TABLE {name} (id INT PRIMARY KEY, price DECIMAL(10,2))"
    place = path.extract(table=name)
    for step in (path.load, path.upsert):
        with pytest.raises(SchemaMismatch, match="'price' has 10 digits behind the point in the files and 2 in the"):
            step(definition, place)
        compared = {"compare_host": "source", "compare_table": name} if step == path.upsert else {}
        step(definition, place, round_decimals=True, **compared)
        assert path.in_target(f"SELECT price FROM {name}") == [(Decimal("1.13"),)]


def test_names_that_need_quotes_and_two_hundred_columns_arrive(path: Any) -> None:
    name = path.name("Order Table")
    odd = ["Group", 'Sel "x"', "back`tick", "per%cent", "per%s", "ünï", "a.b", "tab\tx", " lead"]
    plain = [f"c{i}" for i in range(200)]
    in_mysql = ", ".join("`" + column.replace("`", "``") + "` VARCHAR(9)" for column in odd + plain)
    in_redshift = ", ".join('"' + column.replace('"', '""') + '" VARCHAR(9)' for column in odd + plain)
    values = [[None, "", "NULL"][i % 3] for i in range(len(odd) + len(plain))]
    path.in_source(f"CREATE TABLE `{name}` ({in_mysql.replace('%', '%%')}) CHARACTER SET latin1".replace("%%", "%"))
    with path.source.cursor() as cursor:
        cursor.execute(f"INSERT INTO `{name}` VALUES ({', '.join(['%s'] * len(values))})", values)
    definition = f'CREATE TABLE "{name}" ({in_redshift}, PRIMARY KEY ("sel ""x""", "per%s"))'
    place = path.extract(table=name)
    path.load(definition, place)
    path.upsert(definition, place, keys=['sel "x"', "back`tick"], compare_host="source", compare_table=name)
    assert path.in_target(f'SELECT * FROM "{name.lower()}"') == [tuple(values)]


def test_every_kind_of_table_arrives(path: Any) -> None:
    kinds = {
        "empty": ("id INT PRIMARY KEY, v VARCHAR(5)", []),
        "nulls": ("id INT, v VARCHAR(5)", [(None, None)] * 5),
        "myisam": ("id INT, v VARCHAR(5)) ENGINE=MyISAM COMMENT=('x'", []),
        "parted": ("id INT PRIMARY KEY, v VARCHAR(5)", [(i, "x") for i in range(9)]),
    }
    for kind, (columns, rows) in kinds.items():
        name = path.name(kind)
        if kind == "myisam":
            path.in_source(f"CREATE TABLE {name} (id INT, v VARCHAR(5)) ENGINE=MyISAM")
            path.in_source(f"INSERT INTO {name} VALUES (1, 'a'), (1, 'a')")
        else:
            path.make_source(name, columns, rows)
        if kind == "parted":
            path.in_source(f"ALTER TABLE {name} PARTITION BY HASH(id) PARTITIONS 4")
        place = path.extract(table=name, splits=7)
        path.load(f"CREATE TABLE {name} (id INT, v VARCHAR(5))", place)
        wanted = path.in_source(f"SELECT id, v FROM {name} ORDER BY id")
        assert path.in_target(f"SELECT id, v FROM {name} ORDER BY id") == wanted, kind


def test_a_view_over_generated_and_without_invisible_columns_arrives(path: Any) -> None:
    base, view = path.name("base"), path.name("view")
    generated = "g VARCHAR(9) AS (CONCAT(v, '-')) VIRTUAL, h INT AS (id + 1) PERSISTENT, hidden INT INVISIBLE DEFAULT 3"
    path.in_source(
        f"CREATE TABLE {base} (id INT PRIMARY KEY, v VARCHAR(5), {generated})",
        f"INSERT INTO {base} (id, v) VALUES (1, 'a'), (2, NULL)",
        f"CREATE VIEW {view} AS SELECT *, NULL AS nothing FROM {base}",
    )
    definition = f"CREATE TABLE {view} (id INT, v VARCHAR(5), g VARCHAR(9), h INT, nothing VARCHAR(1))"
    path.load(definition, path.extract(table=view, splits=2))
    wanted = [(1, "a", "a-", 2, None), (2, None, None, 3, None)]
    assert path.in_target(f"SELECT * FROM {view} ORDER BY id") == wanted


def test_json_in_a_super_column_is_the_same_to_the_comparison_with_the_source(path: Any) -> None:
    name = path.name("json")
    texts = ['{"b": 1,  "a": [1.5, null, "x"]}', '"text"', "[]", "1", "null", None]
    path.make_source(name, "id INT PRIMARY KEY, j JSON", list(enumerate(texts)))
    definition = f"CREATE TABLE {name} (id INT PRIMARY KEY, j SUPER)"
    result = path.upsert(definition, path.extract(table=name), compare_host="source", compare_table=name)
    assert result.details["checks"][-1]["compared"] == len(texts)
