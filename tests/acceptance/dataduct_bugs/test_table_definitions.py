"""What Dataduct's grammar of table definitions lost, changed or refused."""

from __future__ import annotations

from typing import Any

import pytest

from core.errors import DefinitionError, LoadRejected, ParameterError
from steps_impl.tables.parser import parse_table


def load(warehouse: Any, definition: str, columns: tuple[str, ...], rows: list[list[str | None]], **more: Any) -> Any:
    place = warehouse.put_extract("in", columns, rows)
    return warehouse.run("create-load-redshift", table_definition=definition, input=[place], **more)


def test_the_key_behind_identity_or_default_is_not_lost(warehouse: Any) -> None:
    """Everything behind an unknown word was dropped: upsert raised, and reload stopped de-duplicating."""
    table = "CREATE TABLE t (n BIGINT IDENTITY(1,1), id INT DEFAULT 0 NOT NULL PRIMARY KEY, note VARCHAR(5))"
    rows: list[list[str | None]] = [["1", "a"], ["1", "b"], ["2", "c"]]
    for delete_existing in (False, True, False):
        place = warehouse.put_extract("in", ("id", "note"), rows)
        warehouse.run("upsert", table_definition=table, input=[place], **_reloading(delete_existing))
        assert warehouse.rows("SELECT id, note FROM t ORDER BY id") == [(1, "b"), (2, "c")]


def _reloading(asked: bool) -> dict[str, Any]:
    return {"delete_existing": True} if asked else {}


def test_a_char_keeps_its_length(warehouse: Any) -> None:
    """CHAR(10) became CHAR in the temporary table, CHAR(1), and the load failed."""
    load(warehouse, "CREATE TABLE t (id INT, c CHAR(10))", ("id", "c"), [["1", "0123456789"]])
    assert warehouse.rows("SELECT c FROM t") == [("0123456789",)]


def test_not_null_behind_a_type_of_several_words_is_kept(warehouse: Any) -> None:
    """TIMESTAMP WITHOUT TIME ZONE NOT NULL lost its NOT NULL."""
    table = "CREATE TABLE t (id INT, moment TIMESTAMP WITHOUT TIME ZONE NOT NULL)"
    with pytest.raises(LoadRejected, match="column moment"):
        load(warehouse, table, ("id", "moment"), [["1", None]])


def test_a_unique_column_is_not_the_primary_key(warehouse: Any) -> None:
    table = "CREATE TABLE t (a INT UNIQUE, b INT)"
    with pytest.raises(ParameterError, match="no primary key"):
        warehouse.run("upsert", table_definition=table, input=[warehouse.put_extract("in", ("a", "b"), [["1", "2"]])])
    assert parse_table(table).key == ()


def test_the_sort_key_keeps_its_order_and_its_style(warehouse: Any) -> None:
    load(warehouse, "CREATE TABLE t (a INT, b INT, c INT) SORTKEY(c, b, a)", ("a", "b", "c"), [])
    sorted_by = "SELECT \"column\" FROM pg_table_def WHERE tablename = 't' ORDER BY ABS(sortkey)"
    assert warehouse.rows(sorted_by) == [("c",), ("b",), ("a",)]
    styles = parse_table("CREATE TABLE t (a INT ENCODE ZSTD) DISTSTYLE AUTO INTERLEAVED SORTKEY(a) ENCODE AUTO")
    assert (styles.dist_style, styles.sort_style, styles.encode_auto) == ("AUTO", "INTERLEAVED", True)


def test_types_without_a_length_named_constraints_and_quoted_names_are_read(warehouse: Any) -> None:
    """All of these were parse errors."""
    table = """CREATE TABLE "t" (
      "order" TIMESTAMPTZ, "with space" BOOL, a VARCHAR, b DECIMAL, c SUPER,
      CONSTRAINT "the key" PRIMARY KEY (a)
    )"""
    columns = ("order", "with space", "a", "b", "c")
    load(warehouse, table, columns, [["2020-01-01 00:00:00+01", "true", "x" * 256, "7", '{"k": 1}']])
    found = warehouse.rows('SELECT EXTRACT(EPOCH FROM "order")::BIGINT, "with space", LEN(a), b FROM t')
    assert found == [(1577833200, True, 256, 7)]
    assert parse_table("CREATE TABLE t (LIKE dev.other INCLUDING DEFAULTS)").likes[0].including_defaults


def test_if_not_exists_and_a_table_without_schema_do_not_make_the_table_again(warehouse: Any) -> None:
    """IF NOT EXISTS was never recorded, and without a schema the test for existence looked for schema 'None'."""
    table = "CREATE TABLE IF NOT EXISTS t (a INT)"
    assert parse_table(table).if_not_exists
    assert [load(warehouse, table, ("a",), [["1"]]).details["created"] for _ in range(2)] == [True, False]


def test_what_is_not_understood_is_an_error_with_its_place_and_never_dropped() -> None:
    with pytest.raises(DefinitionError, match="line 2, column 13"):
        parse_table("CREATE TABLE t (\n  id BIGINT AUTO_INCREMENT PRIMARY KEY)")
