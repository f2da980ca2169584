"""psql: its backslash commands, errors with their place, notices, scripts, variables; its question for completion."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import skip_or_fail

_SYSTEM = shutil.which("psql")
_Psql = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(params=["wheel", "system"])
def terminal(request, psql, redshift_database) -> _Psql:
    """A function that runs psql with a script: that of the embedded Postgres, and the machine's own (an older one)."""
    if request.param == "wheel":
        return lambda script, *flags: psql("-f", str(script), *flags)
    if _SYSTEM is None:
        skip_or_fail("no psql on this machine; Debian: apt-get install postgresql-client")
    address = redshift_database

    def run_psql(script, *flags):
        target = ["-h", address.host, "-p", str(address.port), "-U", address.username, "-d", address.database]
        environment = {"PGPASSWORD": address.password, "PATH": "/usr/bin:/bin"}
        command = [str(_SYSTEM), "-X", "-A", "-t", *target, "-f", str(script), *flags]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)

    return run_psql


def script(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "script.sql"
    path.write_text(text)
    return path


COMMANDS = r"""
\d
\dt
\dt+
\dv
\dn
\dn+
\du
\dg
\df
\l
\d guests
\d+ guests
\dp guests
\d late
\dm
\dT
\ddp
\sv late
\conninfo
\encoding
"""


def test_backslash_commands_show_the_warehouse(terminal, run, tmp_path):
    run("CREATE TABLE guests (id int NOT NULL DISTKEY, s varchar(20) DEFAULT 'x', PRIMARY KEY (id)) SORTKEY (id)")
    run("CREATE VIEW late AS SELECT id FROM public.guests WITH NO SCHEMA BINDING")
    shown = terminal(script(tmp_path, COMMANDS))
    run("DROP VIEW late")
    errors = [line for line in shown.stderr.splitlines() if "Did not find any" not in line]
    assert (shown.returncode, errors) == (0, [])
    assert "guests|table" in shown.stdout
    assert "s|character varying(20)" in shown.stdout
    assert "redshift" not in shown.stdout.replace("redshift_declare", "")


def test_a_script_times_expands_and_keeps_variables(terminal, run, tmp_path):
    text = (
        "\\timing on\nCREATE TABLE t (id int);\nINSERT INTO t VALUES (1);\n\\x on\nSELECT id FROM t;\n\\x off\n"
        "SELECT id + 1 AS next FROM t \\gset\n\\echo next is :next\n\\echo rows :ROW_COUNT\nSELECT * FROM t \\g\n"
    )
    shown = terminal(script(tmp_path, text))
    assert shown.returncode == 0, shown.stderr
    assert "Time: " in shown.stdout
    assert "id|1" in shown.stdout
    assert "next is 2" in shown.stdout


def test_an_error_shows_its_place_and_stops_a_script_that_says_so(terminal, run, tmp_path):
    text = "\\set ON_ERROR_STOP on\nSELECT 1;\nSELECT\n  nothing FROM pg_class;\nSELECT 'not reached';\n"
    shown = terminal(script(tmp_path, text))
    assert shown.returncode == 3
    assert "LINE 2:   nothing FROM pg_class" in shown.stderr
    assert "          ^" in shown.stderr
    assert "not reached" not in shown.stdout


def test_a_copy_on_the_client_is_refused_in_redshifts_words(terminal, run, tmp_path):
    run("CREATE TABLE t (id int)")
    text = f"\\copy t FROM {tmp_path}/x csv\n\\copy (SELECT 1) TO {tmp_path}/y csv\nSELECT 'still here';\n"
    (tmp_path / "x").write_text("1\n")
    shown = terminal(script(tmp_path, text))
    assert shown.stderr.count("only S3 or DynamoDB based load is allowed") == 2
    assert "still here" in shown.stdout


def test_notices_of_copy_arrive_and_completion_finds_tables(terminal, run, put, tmp_path):
    run("CREATE TABLE guests (id int)")
    role = "IAM_ROLE 'arn:aws:iam::123456789012:role/loader'"
    completion = (
        "SELECT pg_catalog.quote_ident(c.relname) FROM pg_catalog.pg_class c WHERE c.relkind IN ('r', 'p', 'v', 'm')"
        " AND (c.relname) LIKE 'gue%' AND pg_catalog.pg_table_is_visible(c.oid)"
        " AND c.relnamespace <> (SELECT oid FROM pg_catalog.pg_namespace WHERE nspname = 'pg_catalog');\n"
    )
    shown = terminal(script(tmp_path, f"COPY guests FROM '{put('d', '1')}' {role};\n{completion}"))
    assert "Load into table 'guests' completed, 1 record(s) loaded successfully." in shown.stderr
    assert "guests" in shown.stdout
