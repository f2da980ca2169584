"""``load-mysql`` and ``load-postgres``: what both promise, on real servers."""

from __future__ import annotations

import bz2
import json
from pathlib import Path

import pytest

from core.errors import LoadRejected, RecordMalformed
from tests.acceptance.load.conftest import COLUMNS, OLD, Product, numbers


def test_append_adds_the_rows_once_per_load(product: Product) -> None:
    table = product.make(COLUMNS, *OLD)
    source = product.values((3, "three", "3.00"))
    assert product.load(table, source).details["inserted"] == 1
    again = product.load(table, source).details
    assert (again["inserted"], again["already_loaded"]) == (0, 1)
    assert numbers(product.rows(table)) == [*OLD, (3, "three", "3.00")]
    assert product.load(table, product.values((4, "four", 4)), load_id=f"x {table}").details["inserted"] == 1
    assert product.load(table, product.values((5, "five", 5)), load_id=f"x {table}").details["inserted"] == 0


def test_keys_of_json_lines_are_found_as_the_extract_spells_them(product: Product) -> None:
    quote = {"mysql": "`", "postgres": '"'}[product.engine]
    table = product.make(f"{quote}userId{quote} INT PRIMARY KEY, {quote}Gr'oup{quote} VARCHAR(9), note VARCHAR(9)")
    lines = """{"userId": 1, "Gr'oup": "x", "NOTE": null}\n{"USERID": 2, "note": "y"}\n"""
    source = Path(product.file(lines, "rows.json"))
    names = [{"name": name} for name in ("userId", "Gr'oup", "note")]
    document = {"entries": [{"url": source.name}], "schema": {"elements": names}, "source": {"format": "json"}}
    (source.parent / "manifest").write_text(json.dumps(document))
    for mode in ("upsert", "replace"):
        product.load(table, str(source.parent), mode=mode)
        assert product.rows(table) == [(1, "x", None), (2, None, "y")]
    with pytest.raises(RecordMalformed, match="line 1: it has none of the columns userId, Gr'oup, note"):
        product.load(table, product.file('{"id": 3}'), mode="upsert", input_format="json")
    assert len(product.rows(table)) == 2


def test_files_that_may_be_of_another_format_are_told_as_such(product: Product) -> None:
    table = product.make("id INT, v VARCHAR(9)")
    with pytest.raises(
        LoadRejected, match=r"it has 1 values, .* were taken for tsv: if they are not, give --input-for"
    ):
        product.load(table, product.file("1,a\n", "rows.csv"))
    assert product.load(table, product.file("1,a\n", "rows.csv"), input_format="csv").rows == 1


def test_bzip2_is_unpacked_and_a_cut_file_refused(product: Product) -> None:
    table = product.make("id INT PRIMARY KEY, v VARCHAR(9)")
    packed = bz2.compress(b"1\ta\n") + bz2.compress(b"2\tb\n")
    assert product.load(table, product.file(packed)).rows == 2
    with pytest.raises(RecordMalformed, match=r"rows\.tsv: its bzip2 data is damaged or cut off"):
        product.load(table, product.file(packed[:-4]), mode="replace")
    assert product.load(table, product.file(bz2.compress(b"")), mode="upsert").rows == 0
    assert product.rows(table) == [(1, "a"), (2, "b")]


def test_rows_that_others_refer_to_are_not_replaced(product: Product) -> None:
    parent = product.make("id INT PRIMARY KEY", (1,))
    product.make(f"id INT, FOREIGN KEY (id) REFERENCES {parent} (id)", (1,))
    for duplicates in ({}, {"duplicates": "first"}):
        with pytest.raises(LoadRejected, match="nothing was changed"):
            product.load(parent, product.values((2,)), mode="replace", **duplicates)
        assert product.rows(parent) == [(1,)]


@pytest.mark.parametrize(
    ("mode", "after"),
    [
        ("insert-ignore", [*OLD, (3, None, "3.00")]),
        ("upsert", [OLD[0], (2, "zwei", "2.50"), (3, None, "3.00")]),
        ("delete-insert", [OLD[0], (2, "zwei", "2.50"), (3, None, "3.00")]),
        ("replace", [(2, "zwei", "2.50"), (3, None, "3.00")]),
    ],
)
def test_each_mode_leaves_the_same_rows_however_often_it_runs(
    product: Product, mode: str, after: list[tuple[object, ...]]
) -> None:
    table = product.make(COLUMNS, *OLD)
    product.sql(f"CREATE VIEW v_{table} AS SELECT * FROM {table}")
    source = product.values((2, "zwei", "2.5"), (3, None, "3"))
    for _ in range(2):
        product.load(table, source, mode=mode)
        assert numbers(product.rows(table)) == numbers(product.rows(f"v_{table}")) == after


@pytest.mark.parametrize(
    ("chosen", "winner"),
    [
        ({}, "third"),
        ({"duplicates": "first"}, "first"),
        ({"order_by": "price DESC"}, "second"),
        ({"order_by": "name ASC NULLS FIRST"}, None),
        ({"order_by": "price ASC", "duplicates": "first"}, "first"),
    ],
)
def test_of_rows_with_one_key_the_stated_one_wins(product: Product, chosen: dict[str, str], winner: str) -> None:
    table = product.make(COLUMNS)
    first = product.values((7, "first", 1), (8, "x", 1), (7, "second", 5))
    files = [first, product.values((7, None, 2), (7, "third", 1))]
    for mode in ("insert-ignore", "replace", "delete-insert", "upsert"):
        done = product.load(table, files, mode=mode, **({"duplicates": "last"} | chosen))
        assert [row[:2] for row in product.rows(table)] == [(7, winner), (8, "x")]
        assert done.details["left_out"] == 3
        product.sql(f"UPDATE {table} SET name = 'other'")


VALUES = ["", "NULL", r"\N", r"C:\new", "a\tb", "a\r\nb", "🚲 \u00e9", "'\"`", "\\", "1,2", " x ", "\x1d\x1e", r"\."]
#: Postgres' text holds no NUL.
ONLY_IN = {"mysql": ["nul \0 byte"], "postgres": []}


@pytest.mark.parametrize("form", ["tsv", "csv"])
def test_values_that_break_peers_arrive_as_they_are(product: Product, form: str) -> None:
    table = product.make("id INT PRIMARY KEY, v VARCHAR(40)")
    rows = [*enumerate([*VALUES, *ONLY_IN[product.engine]]), (99, None)]
    for mode in ("replace", "upsert"):
        product.load(table, product.values(*rows, form=form), mode=mode, input_format=form)
        assert product.rows(table) == rows


@pytest.mark.parametrize("told", [False, True])
def test_any_value_of_json_lines_goes_into_a_column_of_json(product: Product, told: bool) -> None:
    table = product.make("id INT PRIMARY KEY, doc JSON, note VARCHAR(40)")
    values = ["bare", "5", '{"a": 1}', 'say "so"', 5.10, True, None, [], {"B": ["é", None]}, ""]
    lines = [json.dumps({"ID": n, "Doc": value, "Note": value}) + "\n" for n, value in enumerate(values)]
    kinds = {"id": "integer", "doc": "super", "note": "character varying"}
    elements = [{"name": name, "type": {"base": base}} for name, base in kinds.items()] if told else []
    manifest = {"entries": [{"url": product.file("".join(lines), "rows.json")}], "schema": {"elements": elements}}
    source = product.file(json.dumps(manifest), "manifest")
    product.load(table, source, input_format="json", columns=[] if told else list(kinds))
    found = product.sql(f"SELECT CAST(doc AS CHAR(100)), note FROM {table} ORDER BY id")
    texts = ["5", '{"a": 1}'] if told else [5, {"a": 1}]  # may be JSON, unless the manifest says SUPER
    assert [text and json.loads(text) for text, _ in found] == ["bare", *texts, *values[3:]]
    assert [note for _, note in found[:4]] == values[:4]
    assert [note for _, note in found[4:]] == ["5.1", "1", None, "[]", '{"B": ["é", null]}', ""]
