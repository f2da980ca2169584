"""Rows that cannot be carried over are named by file, line and column, and nothing of the load is there."""

from __future__ import annotations

import re
from itertools import product
from typing import Any

import pytest

from core.errors import (
    AccessDenied,
    DuctrunnerError,
    LoadRejected,
    NotFound,
    ParameterError,
    RecordMalformed,
    SchemaMismatch,
    StatementFailed,
    UnsupportedValue,
)
from tests.acceptance.copying.conftest import Copying, Database

CSV = {"type": "CSV"}
COLUMNS = "a INT NOT NULL, b VARCHAR(5), d DATE"
ENGINES = ("mysql", "postgres", "redshift")
SECRET = "5ecret"
#: Bad line, and what must be said about it beyond file and line.
FAULTS = {
    "no number": (b"x5ecret,ok,2024-01-01", "column a"),
    "too long": (b"3,x5ecretlong,2024-01-01", "column b"),
    "no date": (b"3,ok,5ecret", "column d"),
    "impossible date": (b"3,ok,2024-02-31", "column d"),
    "empty number": (b",ok,2024-01-01", "column a"),
    "null": (b"\\N,5ecr,2024-01-01", "column a"),
    "out of range": (b"99999999999,5ecr,2024-01-01", "column a"),
    "too few values": (b"3,5ecr", ""),
    "too many values": (b"3,ok,2024-01-01,5ecret", ""),
    "wrong encoding": (b"3,5ec\xe9,2024-01-01", "not UTF-8"),
    "unterminated quote": (b'3,"5ecret', "a quote is opened and not closed"),
    "NUL byte": (b"3,a\x00b,2024-01-01", "NUL byte"),
}


def refused(copying: Copying, source: dict[str, Any], target: dict[str, Any]) -> str:
    with pytest.raises(DuctrunnerError) as caught:
        copying.run(source, target)
    assert isinstance(caught.value, LoadRejected | UnsupportedValue | RecordMalformed), repr(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("engine", "fault"), [pair for pair in product(ENGINES, FAULTS) if pair != ("mysql", "NUL byte")]
)
@pytest.mark.parametrize("query", [False, True])
def test_a_bad_line_is_named_without_its_data_and_nothing_is_loaded(
    copying: Copying, engine: str, fault: str, query: bool
) -> None:
    line, words = FAULTS[fault]
    database = copying.databases[engine]
    table = database.make(COLUMNS)
    insert = {"insertQuery": f"INSERT INTO {table} (a, b, d) VALUES (?, lower(?), ?)"} if query else {}
    good = b'1,"two\nlines",2024-01-01\n'.replace(b"two\nlines", b"2\nli")
    copying.put("dir/1.csv", good * 3)
    copying.put("dir/2.csv", good + line + b"\n1,b,2024-01-01\n")

    message = refused(copying, copying.s3_node("dir/", CSV), database.node(table, **insert))

    assert f"s3://{copying.bucket}/dir/2.csv, line 3" in message
    numbered = re.sub(r"\bcolumn ([123])\b", lambda match: "column " + "abd"[int(match[1]) - 1], message)
    assert words in numbered  # files without names of columns have numbers of columns, tables have names
    assert SECRET[:4] not in message
    assert database.rows(table) == []


@pytest.mark.parametrize("engine", ["mysql", "postgres"])
def test_a_row_far_inside_a_large_file_is_found(copying: Copying, engine: str) -> None:
    database = copying.databases[engine]
    table = database.make("a INT, b TEXT")
    lines = [b'%d,"a value of some length\nin two lines, %d"\n' % (number, number) for number in range(260_000)]
    lines[250_000] = b"x,y\n"
    copying.put("big.csv", b"".join(lines))

    message = refused(copying, copying.s3_node("big.csv", CSV), database.node(table))

    assert f"big.csv, line {2 * 250_000 + 1}, column a" in message
    assert database.rows(table) == []


@pytest.mark.parametrize("source", ENGINES)
@pytest.mark.parametrize("target", ["mysql", "postgres"])
def test_a_row_of_a_query_is_named_by_its_number(copying: Copying, source: str, target: str) -> None:
    origin, database = copying.databases[source], copying.databases[target]
    rows = [(number, "ok" if number != 2500 else "5ecret-too-long") for number in range(3000)]
    table = database.make("a INT, b VARCHAR(5)")
    query = {"selectQuery": f"SELECT * FROM {origin.make('a INT, b VARCHAR(30)', rows)} ORDER BY a"}

    message = refused(copying, origin.node(**query), database.node(table))

    assert "row 2501, column b" in message
    assert "5ecret" not in message
    assert database.rows(table) == []


@pytest.mark.parametrize("engine", ["mysql", "postgres"])
@pytest.mark.parametrize("query", [False, True])
def test_a_duplicate_key_ends_the_load_and_the_earlier_rows_stay(copying: Copying, engine: str, query: bool) -> None:
    database = copying.databases[engine]
    table = database.make("a INT PRIMARY KEY, b VARCHAR(9)", [(2, "earlier")])
    copying.put("in.csv", b"1,x\n2,5ecret\n3,z\n")
    insert = {"insertQuery": f"INSERT INTO {table} VALUES (?, lower(?))"} if query else {}

    message = refused(copying, copying.s3_node("in.csv", CSV), database.node(table, **insert))

    assert "in.csv, line" in message
    assert "5ecret" not in message
    assert database.rows(table) == [(2, "earlier")]


def test_zero_dates_nan_and_too_many_digits_are_refused_by_row_and_column(
    copying: Copying, mysql: Database, postgres: Database
) -> None:
    origin = mysql.make("a INT, d DATE")
    mysql.run(f"INSERT INTO {origin} VALUES (1, '2024-01-01'), (2, '0000-00-00')")
    target = postgres.make("a INT, d DATE")
    assert "row 2, column d" in refused(copying, mysql.node(origin), postgres.node(target))

    for value, kind in (("'NaN'", "DOUBLE PRECISION"), ("'infinity'", "DATE"), ("1" * 100, "NUMERIC")):
        source = postgres.make(f"a INT, v {kind}")
        postgres.run(f"INSERT INTO {source} VALUES (1, NULL), (2, {value})")
        into = mysql.make(f"a INT, v {kind.replace('NUMERIC', 'DECIMAL(65,0)')}")
        assert "row 2, column v" in refused(copying, postgres.node(source), mysql.node(into))
        assert mysql.rows(into) == []


def test_kinds_without_a_common_form_are_refused_by_name(
    copying: Copying, mysql: Database, postgres: Database, redshift: Database
) -> None:
    bits = postgres.make("a BIT(4)", [("1010",)])
    assert "column a is a bit string of Postgres" in refused(
        copying, postgres.node(bits), mysql.node(mysql.make("a BIT(4)"))
    )
    shape = mysql.make("g GEOMETRY")
    assert "g (geometry)" in refused(copying, mysql.node(shape), copying.s3_node("out", CSV))
    blob = mysql.make("a INT, b BLOB")
    assert "binary columns (b)" in refused(copying, mysql.node(blob), redshift.node(redshift.make("a INT, b INT")))
    copying.put("in.csv", b"text\n")
    for database, kind in ((mysql, "VARBINARY(9)"), (postgres, "BYTEA")):
        into = database.node(database.make(f"a {kind}"))
        assert "line 1, column a: a binary column takes hexadecimal digits" in refused(
            copying, copying.s3_node("in.csv", CSV), into
        )


@pytest.mark.parametrize("engine", ENGINES)
def test_tables_and_columns_that_are_not_there_are_named(copying: Copying, engine: str) -> None:
    database = copying.databases[engine]
    copying.put("in.csv", b"1,2\n")
    source = copying.s3_node("in.csv", {"type": "CSV", "column": ["missing INT", "a INT"]})
    with pytest.raises(NotFound, match="no table no_such_table"):
        copying.run(source, database.node("no_such_table"))
    with pytest.raises(NotFound, match="no_such_table"):
        copying.run(database.node("no_such_table"), copying.s3_node("out", CSV))
    with pytest.raises(SchemaMismatch, match="has no column missing, and others in another order"):
        copying.run(source, database.node(database.make("a INT, b INT")))
    with pytest.raises(SchemaMismatch, match="has 1 columns and no missing, the input 2 columns"):
        copying.run(source, database.node(database.make("a INT")))
    with pytest.raises(StatementFailed, match="nowhere"):
        copying.run(database.node(selectQuery="SELECT nowhere FROM (SELECT 1 AS a) AS x"), copying.s3_node("out", CSV))
    with pytest.raises(SchemaMismatch, match=r"takes 1 values, the input has 2 columns \(missing, a\)"):
        copying.run(source, database.node(insertQuery="INSERT INTO t VALUES (?)"))
    with pytest.raises(ParameterError, match=r"insertQuery has no \?"):
        copying.run(source, database.node(insertQuery="INSERT INTO t VALUES (1)"))
    assert copying.keys("out") == []


@pytest.mark.parametrize("places", ["?", "?, ?, ?", "upper(?)", "?, ?, upper(?)"])
@pytest.mark.parametrize("engine", ENGINES)
def test_another_number_of_places_than_values_is_named(copying: Copying, engine: str, places: str) -> None:
    database = copying.databases[engine]
    columns = ", ".join("abc"[: places.count("?")])
    table = database.make("a VARCHAR(9), b VARCHAR(9), c VARCHAR(9)")
    copying.put("in.csv", b"1,2\n")
    insert = f"INSERT INTO {table} ({columns}) VALUES ({places})"
    message = refused(copying, copying.s3_node("in.csv", CSV), database.node(insertQuery=insert))

    assert f"in.csv, line 1: it has 2 values, insertQuery takes {places.count('?')}" in message


def test_who_may_not_is_told_so(copying: Copying, mysql: Database, postgres: Database) -> None:
    copying.put("in.csv", b"1\n")
    for database in (mysql, postgres):
        node = database.node("t")
        node["database"]["*password"] = "wrong-" + SECRET
        with pytest.raises(AccessDenied) as caught:
            copying.run(copying.s3_node("in.csv", CSV), node)
        assert SECRET not in str(caught.value)
