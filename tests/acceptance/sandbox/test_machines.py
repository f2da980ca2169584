"""The sandbox on machines that lack something: rights, MariaDB, an empty folder."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

WITHOUT_MARIADB = """
import sandbox.parts.mariadb
sandbox.parts.mariadb._SEARCHED = ()
from ductrunner.cli import main
main()
"""


def test_without_mariadb_the_rest_comes_up_and_it_is_said(tmp_path: Path, checkout: Path) -> None:
    programs = tmp_path / "bin"
    programs.mkdir()
    for program in ("setpriv", "sh"):
        (programs / program).symlink_to(shutil.which(program) or pytest.skip(f"no {program} here"))
    environment = {**os.environ, "PATH": str(programs)}

    def run(verb: str, *words: str) -> subprocess.CompletedProcess[str]:
        command = [
            sys.executable,
            "-c",
            WITHOUT_MARIADB,
            "sandbox",
            verb,
            "--state-dir",
            str(tmp_path / "state"),
            *words,
        ]
        return subprocess.run(command, env=environment, capture_output=True, text=True, cwd=checkout, check=False)

    try:
        done = run("up")
        assert done.returncode == 0, done.stderr
        assert "MariaDB is not installed" in done.stdout
        assert "apt-get install" in done.stdout
        assert run("status").returncode == 0
    finally:
        run("down", "--purge")


@pytest.mark.skipif(os.geteuid() != 0, reason="we are an ordinary user already; the other tests show it")
def test_an_ordinary_user_needs_no_rights(tmp_path: Path, checkout: Path) -> None:
    home = Path("/tmp") / f"ductrunner-home-{os.getpid()}"  # pytest's own folder is closed to other users
    home.mkdir(mode=0o700)
    os.chown(home, 65534, 65534)
    # The capability lets the user read an interpreter that lies in somebody's private home, and nothing else.
    ordinary = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
    reading = ["--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search", "--no-new-privs"]

    def run(verb: str, *words: str) -> subprocess.CompletedProcess[str]:
        command = [*ordinary, *reading, sys.executable, "-m", "ductrunner", "sandbox", verb, *words]
        environment = {"HOME": str(home), "PATH": os.environ["PATH"], "PYTHONPATH": str(checkout)}
        return subprocess.run(command, env=environment, capture_output=True, text=True, cwd=home, check=False)

    try:
        done = run("up")
        assert done.returncode == 0, done.stderr
        assert run("status").returncode == 0
        assert {path.stat().st_uid for path in home.rglob("*")} == {65534}
    finally:
        stopped = run("down", "--purge")
        shutil.rmtree(home)
    assert stopped.returncode == 0, stopped.stderr


def test_a_folder_of_somebody_else_is_refused(tmp_path: Path, ductrunner: Any) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    for verb in ("up", "down"):
        words = ("--purge",) if verb == "down" else ()
        done = ductrunner("sandbox", verb, "--state-dir", str(tmp_path), *words)
        if verb == "up":
            assert (done.returncode, "not a sandbox's" in done.stderr) == (1, True)
    assert (tmp_path / "thesis.txt").read_text() == "years of work"


def test_env_before_up_says_what_to_do(tmp_path: Path, ductrunner: Any) -> None:
    done = ductrunner("sandbox", "env", "--state-dir", str(tmp_path / "none"))
    assert done.returncode == 1
    assert "ductrunner sandbox up" in done.stderr
    assert not (tmp_path / "none").exists()


def test_help_imports_no_client_library() -> None:
    names = "'boto3', 'botocore', 'psycopg2', 'pymysql', 'moto'"
    heavy = f"import sys, sandbox.cli; print([m for m in ({names}) if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", heavy], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
