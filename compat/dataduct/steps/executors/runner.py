"""``sql_runner``: SQL on a warehouse table. ``script_runner``: a script of a staged directory."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

from dataduct.steps.executors._running import finish, flags


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
    directory = Path(os.environ.get(given.INPUT_SRC_ENV_VAR, ""))
    script = directory / given.SCRIPT_NAME
    if given.INPUT_SRC_ENV_VAR not in os.environ or not script.is_file():
        sys.exit(f"ductrunner: there is no {given.SCRIPT_NAME} in the directory that {given.INPUT_SRC_ENV_VAR} names")
    _make_executable(directory)
    if status := subprocess.call([str(script.absolute()), *arguments]):
        sys.exit(status if status > 0 else 128 - status)


def _make_executable(directory: Path) -> None:
    """Let every file be run: S3 keeps no permissions."""
    for path in directory.rglob("*"):
        if path.is_file() and not path.is_symlink():
            path.chmod(path.stat().st_mode | stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH)
