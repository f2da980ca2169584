"""The command ``dataduct`` as compiled bootstrap steps call it."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

COMMAND = "from dataduct.cli import main; main()"


@pytest.fixture
def home(tmp_path: Path, s3_bucket: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with just enough of a configuration to find the whole one."""
    monkeypatch.setenv("HOME", str(tmp_path))
    path = tmp_path / "first.cfg"
    path.write_text(yaml.safe_dump({"etl": {"S3_ETL_BUCKET": s3_bucket, "S3_BASE_PATH": "/dev/"}}))
    monkeypatch.setenv("DATADUCT_CONFIG_PATH", str(path))
    monkeypatch.delenv("DUCTRUNNER_CONFIG", raising=False)
    return tmp_path


def dataduct(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", COMMAND, *words]
    return subprocess.run(command, env=dict(os.environ), capture_output=True, text=True, check=False, timeout=60)


def test_the_configuration_is_fetched_into_a_file_of_ours_and_fetched_again(
    home: Path, s3_client: Any, s3_bucket: str
) -> None:
    whole = f"etl: {{S3_ETL_BUCKET: {s3_bucket}, S3_BASE_PATH: dev}}\n"
    for text in (whole, f"{whole}mysql: {{a: {{HOST: h, USERNAME: u, PASSWORD: secret-of-it}}}}\n"):
        s3_client.put_object(Bucket=s3_bucket, Key="dev/config/dataduct.cfg", Body=text.encode())
        done = dataduct("config", "sync_from_s3", "~/.dataduct/dataduct.cfg")
        assert (done.returncode, done.stdout) == (0, ""), done.stderr
        file = home / ".dataduct" / "dataduct.cfg"
        assert file.read_text() == text
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert list(file.parent.iterdir()) == [file]
    (home / ".dataduct" / "dataduct.cfg").unlink()
    assert dataduct("config", "sync_from_s3").stdout == text


def test_what_is_not_there_or_not_known_is_named(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    missing = dataduct("config", "sync_from_s3", str(home / "x.cfg"))
    assert (missing.returncode, "dev/config/dataduct.cfg" in missing.stderr) == (1, True)
    assert not (home / "x.cfg").exists()
    shell = dataduct("sql_shell", "mysql", "nowhere")
    assert (shell.returncode, "no mysql host 'nowhere'" in shell.stderr) == (2, True)
    assert dataduct("pipeline", "activate").returncode == 2
    monkeypatch.setenv("DATADUCT_CONFIG_PATH", "/nowhere")
    unknown = dataduct("config", "sync_from_s3")
    assert (unknown.returncode, "s3_etl_bucket" in unknown.stderr) == (2, True)
