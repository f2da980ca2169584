"""``primary_key_check``: no two rows of a table share their key."""

from __future__ import annotations

from dataduct.steps.executors._running import check_flags, check_values, finish


def primary_key_check() -> None:
    """Check the table of ``--table`` (its CREATE TABLE statement)."""
    parser = check_flags("Check Primary Key")
    parser.add_argument("--table", required=True)
    given = parser.parse_args()
    finish("primary-key-check", {"table_definition": given.table, **check_values(given)})
