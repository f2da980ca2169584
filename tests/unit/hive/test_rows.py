"""Items as rows of Hive's text tables, and back."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import ParameterError, UnsupportedValue
from steps_impl.activities.dynamodb.rows import HiveColumn, RowForm

TEXT = st.text(alphabet=st.characters(exclude_categories=["Cs"]))
TYPES = {"s": "string", "n": "bigint", "f": "double", "t": "boolean", "b": "binary", "l": "array<string>"}
FORM = RowForm([HiveColumn(name, kind, name) for name, kind in {**TYPES, "m": "map<string,string>"}.items()])
ITEM = RowForm([HiveColumn("item", "map < string, string >", None)])
VALUES: dict[str, st.SearchStrategy[dict[str, Any]]] = {
    "s": TEXT.map(lambda text: {"S": text}),
    "n": st.integers(-(2**63), 2**63 - 1).map(lambda number: {"N": str(number)}),
    "f": st.floats(allow_nan=False, allow_infinity=False).map(lambda number: {"N": repr(number)}),
    "t": st.booleans().map(lambda value: {"BOOL": value}),
    "b": st.binary().map(lambda value: {"B": b64encode(value).decode()}),
    "l": st.lists(TEXT, min_size=2, unique=True).map(lambda texts: {"SS": texts}),
    "m": st.dictionaries(TEXT, TEXT.map(lambda text: {"S": text}), min_size=1).map(lambda value: {"M": value}),
}


def back(form: RowForm, item: dict[str, Any]) -> dict[str, Any]:
    line = form.line(item).decode()
    assert line.endswith("\n")
    assert line.count("\n") == 1
    return form.item(line[:-1])


@given(st.fixed_dictionaries({}, optional=VALUES))
def test_an_item_of_simple_types_survives(item: dict[str, Any]) -> None:
    assert back(FORM, item) == item


@given(st.dictionaries(TEXT, st.one_of(*VALUES.values()), min_size=1))
def test_a_whole_item_survives_in_one_column(item: dict[str, Any]) -> None:
    assert back(ITEM, item) == item


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("bigint", {"N": "1.5"}),
        ("int", {"N": "2147483648"}),
        ("bigint", {"S": "1"}),
        ("string", {"N": "1"}),
        ("boolean", {"N": "1"}),
        ("double", {"NULL": True}),
        ("array<string>", {"S": "a"}),
    ],
)
def test_a_value_that_does_not_fit_the_type_is_null(kind: str, value: dict[str, Any]) -> None:
    form = RowForm([HiveColumn("c", kind, "c")])
    assert form.line({"c": value}) == b"\\N\n"
    assert form.item("\\N") == {}


def test_a_list_is_read_as_an_array() -> None:
    form = RowForm([HiveColumn("c", "array<bigint>", "c")])
    assert form.line({"c": {"L": [{"N": "1"}, {"N": "2"}]}}) == b"1\x022\n"
    assert form.item("1\x022") == {"c": {"NS": ["1", "2"]}}


@pytest.mark.parametrize("kind", ["struct<a:int>", "array<array<int>>", "map<int,string>", "interval"])
def test_a_type_that_no_attribute_has_is_refused(kind: str) -> None:
    with pytest.raises(ParameterError, match="which is none of DynamoDB's"):
        RowForm([HiveColumn("c", kind, "c")])


@pytest.mark.parametrize(("kind", "field"), [("double", "NaN"), ("bigint", "x"), ("binary", "a b")])
def test_a_value_that_dynamodb_does_not_have_is_refused_without_itself(kind: str, field: str) -> None:
    with pytest.raises(UnsupportedValue, match="for the attribute 'c' is none of its type"):
        RowForm([HiveColumn("c", kind, "c")]).item(field)


def test_an_item_map_without_json_is_refused() -> None:
    with pytest.raises(UnsupportedValue, match="is not JSON"):
        ITEM.item("id\x03plain")
