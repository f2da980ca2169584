"""``sql_runner``: SQL on a warehouse table. ``script_runner``: a script of a staged directory."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from dataduct.steps.executors._running import finish, flags
from steps_impl.compute.inputs import make_executable
from steps_impl.compute.scripts import Script


def sql_runner() -> None:
    """Run ``--sql`` (text or s3://…); every argument that is no flag is the value of a ``%s``."""
    parser = flags()
    parser.add_argument("--table_definition", required=True)
    parser.add_argument("--sql", required=True)
    parser.add_argument("--analyze", action="store_true")
    parser.add_argument("--non_transactional", action="store_true")
    given, arguments = parser.parse_known_args()
    values = {
        "table_definition": given.table_definition,
        "sql": given.sql,
        "arguments": tuple(arguments),
        "analyze": given.analyze,
        "non_transactional": given.non_transactional,
        "allow_commits": True,
    }
    finish("create-update-sql", values)


def script_runner() -> None:
    """Run the script ``--SCRIPT_NAME`` of the directory that the variable ``--INPUT_SRC_ENV_VAR`` names."""
    parser = flags()
    parser.add_argument("--INPUT_SRC_ENV_VAR", required=True)
    parser.add_argument("--SCRIPT_NAME", required=True)
    given, arguments = parser.parse_known_args()
    directory = Path(os.environ.get(given.INPUT_SRC_ENV_VAR, "")).absolute()
    script = directory / given.SCRIPT_NAME
    if given.INPUT_SRC_ENV_VAR not in os.environ or not script.is_file():
        sys.exit(f"ductrunner: there is no {given.SCRIPT_NAME} in the directory that {given.INPUT_SRC_ENV_VAR} names")
    make_executable(directory)
    argv = [*Script(script, given.SCRIPT_NAME).argv(), *arguments]
    sys.stdout.flush()
    os.execvp(argv[0], argv)  # noqa: S606  # its exit status and its signals are those of the step
