"""JSON of MySQL as SUPER of the warehouse, and back again."""

from __future__ import annotations

import json
from typing import Any

import pytest

DOCUMENTS = [
    '{"b": {"say": ["so", 2.50, null]}, "a": "\\u00e9 \\"x\\"\\n"}',
    '{"odd": "C:\\\\new \\ud83d\\ude00"}',
    '"bare"',
    '"5"',
    "5",
    "true",
    "[]",
    '""',
    '"{}"',
    None,
]


@pytest.mark.parametrize("back", ["json", "csv"])
def test_json_is_an_object_in_the_warehouse_and_comes_back_as_it_was(path: Any, back: str) -> None:
    name = path.name("documents")
    rows = [*enumerate(DOCUMENTS), (98, '{"lines":\r\n [1,\n\t2]}'), (99, None)]
    path.make_source(name, "Id INT PRIMARY KEY, Doc JSON", rows)
    place = path.extract(table=name, output_format="json", json_columns="nested", files=2)
    path.load(f"CREATE TABLE {name} (id INT, doc SUPER)", place)
    assert path.in_target(f"SELECT doc.b.say[0]::VARCHAR FROM {name} WHERE id = 0") == [("so",)]
    types = path.in_target(f"SELECT JSON_TYPEOF(doc) FROM {name} WHERE doc IS NOT NULL ORDER BY id")
    assert [kind for (kind,) in types] == [
        "object", "object", "string", "string", "number", "boolean", "array", "string", "string", "object",
    ]  # fmt: skip
    unloaded = f"s3://{path.bucket}/back/{name}/"
    path.run("extract-redshift", table=name, output=unloaded, output_format=back)
    path.in_source(f"CREATE TABLE {name}_back (id INT PRIMARY KEY, doc JSON)")
    path.run("load-mysql", host_name="source", table=f"{name}_back", input=[unloaded])
    found = path.in_source(f"SELECT id, doc FROM {name}_back ORDER BY id")
    assert [(key, text and json.loads(text)) for key, text in found] == [
        (key, text and json.loads(text)) for key, text in rows
    ]


def test_a_text_that_holds_json_goes_into_a_column_of_json_as_that(path: Any) -> None:
    name = path.name("texts")
    path.make_source(name, "id INT PRIMARY KEY, doc JSON", list(enumerate(DOCUMENTS)))
    place = path.extract(table=name, output_format="json")
    path.in_source(f"CREATE TABLE {name}_back LIKE {name}")
    path.run("load-mysql", host_name="source", table=f"{name}_back", input=[place])
    assert path.in_source(f"SELECT * FROM {name}_back") == path.in_source(f"SELECT * FROM {name}")
