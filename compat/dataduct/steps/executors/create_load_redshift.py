"""``create_load_redshift_runner``: a table that is made if it is missing, and loaded from S3."""

from __future__ import annotations

from typing import Any

from dataduct.steps.executors._running import finish, flags


def create_load_redshift_runner() -> None:
    """Load as Dataduct's options say: tabs, backslash escapes, ``NULL`` for NULL, texts cut to their column."""
    parser = flags()
    parser.add_argument("--table_definition", required=True)
    parser.add_argument("--max_error", type=int, default=0)
    parser.add_argument("--replace_invalid_char")
    parser.add_argument("--no_escape", action="store_true")
    parser.add_argument("--gzip", action="store_true")
    parser.add_argument("--command_options")
    parser.add_argument("--s3_input_paths", nargs="+", required=True)
    parser.add_argument("--force_drop_table", action="store_true", help="read, and without a meaning, as it always was")
    given = parser.parse_args()
    values: dict[str, Any] = {"table_definition": given.table_definition, "input": tuple(given.s3_input_paths)}
    if given.command_options:
        finish("create-load-redshift", {**values, "command_options": given.command_options})
        return
    options = {
        "input_format": "tsv",
        "null_as": "NULL",
        "truncate_columns": True,
        "escape": not given.no_escape,
        "gzip": True if given.gzip else None,
        "max_error": given.max_error,
        "replace_invalid_char": given.replace_invalid_char,
    }
    finish("create-load-redshift", values | options)
