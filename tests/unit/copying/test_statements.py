"""What an insertQuery is, where columns go, and what a server's words become."""

from __future__ import annotations

import pytest

from core.errors import ParameterError, SchemaMismatch
from steps_impl.activities.copying.columns import chosen_columns
from steps_impl.activities.copying.insert_query import parse_insert_query
from stores.mysql.faults import rejection


@pytest.mark.parametrize(
    ("text", "table", "columns"),
    [
        ("insert into t values(?,?)", "t", None),
        ("INSERT INTO s.t (a, b) VALUES (?, ?);", "s.t", "a, b"),
        ("INSERT INTO `my db`.`t` (`a b`, `c`) VALUES ( ? , ? ) -- end", "`my db`.`t`", "`a b`, `c`"),
        ('INSERT INTO "S"."T"("A",b) VALUES (?,?)', '"S"."T"', '"A",b'),
    ],
)
def test_a_statement_that_only_puts_values_into_columns_can_be_a_bulk_load(
    text: str, table: str, columns: str | None
) -> None:
    query = parse_insert_query(text, "mysql" if "`" in text else "postgres")

    assert (query.table, query.columns, query.places) == (table, columns, 2)


@pytest.mark.parametrize(
    ("text", "places", "shared"),
    [
        ("INSERT INTO t VALUES (?, upper(?))", 2, True),
        ("INSERT INTO t (a, b) VALUES (?, (SELECT max(x) FROM u WHERE y = ?))", 2, True),
        ("INSERT INTO t VALUES (?, ?) ON DUPLICATE KEY UPDATE a = 1", 2, True),
        ("INSERT INTO t VALUES (?, 1) ON DUPLICATE KEY UPDATE a = ?", 2, False),
        ("INSERT INTO t SELECT ?, ?", 2, False),
        ("INSERT IGNORE INTO t VALUES (?), (?)", 2, False),
        ("REPLACE INTO t VALUE (?, '?', \"?\", `?`) /* ? */", 1, True),
        ("UPDATE t SET a = ? WHERE b IN (?)", 2, False),
        ("CALL load_row(?, ?)", 2, False),
    ],
)
def test_other_statements_run_as_they_are_and_share_a_statement_where_rows_can(
    text: str, places: int, shared: bool
) -> None:
    query = parse_insert_query(text, "mysql")
    repeated = query.repeated()

    assert (query.table, query.places, repeated is not None) == (None, places, shared)
    assert "?".join(query.pieces) == text.removesuffix(" /* ? */")
    if repeated is not None:
        head, pieces, tail = repeated
        assert head + "?".join(pieces) + tail == "?".join(query.pieces)


def test_two_question_marks_are_one_that_is_meant_for_postgres_alone() -> None:
    assert parse_insert_query("INSERT INTO t VALUES (? , '{}' ?? 'a')", "postgres").pieces[1] == " , '{}' ? 'a')"
    assert parse_insert_query("INSERT INTO t VALUES (??)", "mysql").places == 2
    with pytest.raises(ParameterError, match=r"has no \?"):
        parse_insert_query("INSERT INTO t VALUES ('?')", "postgres")


def test_names_of_columns_are_those_that_the_engine_keeps() -> None:
    query = parse_insert_query('INSERT INTO t (Ab, "Cd", "e""f") VALUES (?, ?, ?)', "postgres")

    assert query.column_names(str.lower) == ("ab", "Cd", 'e"f')


@pytest.mark.parametrize(
    ("given", "chosen"),
    [(None, ("a", "B")), (["b", "A"], ("B", "a")), (["x", "y"], ("a", "B")), (["A", "y"], ("a", "B"))],
)
def test_columns_go_by_name_or_by_place(given: list[str] | None, chosen: tuple[str, ...]) -> None:
    assert chosen_columns(given, ["a", "B"], "the table") == chosen


@pytest.mark.parametrize("given", [["b", "x"], ["a"] + ["x"] * 2, ["x"]])
def test_names_that_contradict_the_table_are_refused(given: list[str]) -> None:
    with pytest.raises(SchemaMismatch, match=r"^the table has no column x|^the table has 2 columns and no x"):
        chosen_columns(given, ["a", "b"], "the table")


@pytest.mark.parametrize(
    ("number", "text", "row", "column"),
    [
        (1366, "Incorrect integer value: 'secret' for column 'a' at row 3", 3, "a"),
        (1366, "Incorrect integer value: 'secret' for column `db`.`t`.`my col` at row 3", 3, "my col"),
        (1406, "Data too long for column 'b' at row 1", 1, "b"),
        (1261, "Row 7 doesn't contain data for all columns", 7, None),
        (1048, "Column 'a' cannot be null", None, "a"),
        (1062, "Duplicate entry 'secret' for key 'PRIMARY'", None, None),
        (4711, "Something about 'secret' for column 'a' at row 12", 12, "a"),
    ],
)
def test_a_servers_words_become_row_column_and_a_reason_without_the_value(
    number: int, text: str, row: int | None, column: str | None
) -> None:
    rejected = rejection(number, text)

    assert (rejected.row, rejected.column) == (row, column)
    assert rejected.reason
    assert "secret" not in rejected.reason
