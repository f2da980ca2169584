"""The types in a manifest are types that the warehouse has."""

from __future__ import annotations

import pytest

from steps_impl.extract import pg_schema, schema
from steps_impl.tables.types import column_type


@pytest.mark.parametrize(
    ("digits", "behind", "fits"), [(38, 37, True), (38, 38, False), (39, 0, False), (38, 0, True), (5, 5, True)]
)
def test_decimals_are_numbers_where_redshift_has_the_type_and_texts_elsewhere(
    digits: int, behind: int, fits: bool
) -> None:
    for told in (
        schema.warehouse_type(f"decimal({digits},{behind})"),
        pg_schema.warehouse_type(f"numeric({digits},{behind})"),
    ):
        assert (told["base"] == "numeric") == fits
        if fits:
            column_type("numeric", (told["precision"], told["scale"]))
        else:
            assert told["max_length"] >= digits + 2
