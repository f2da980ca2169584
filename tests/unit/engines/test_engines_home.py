"""The engines' lock file and their installation."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from core.errors import PartMissing, SandboxError
from sandbox.engines import home
from sandbox.engines.artifacts import LOCK, Artifact, damaged, read_lock
from sandbox.engines.home import Engines
from sandbox.engines.maven import project
from sandbox.environment import engines_environment
from sandbox.state import StateDirectory
from sandbox.supervisor import Supervisor

EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def mvn(folder: Path, script: str) -> None:
    program = folder / "mvn"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)


def test_each_jar_is_locked_once_with_its_digest() -> None:
    artifacts = read_lock(LOCK.read_text())
    assert len({artifact.place for artifact in artifacts}) == len(artifacts) > 100
    assert all(len(artifact.sha256) == 64 for artifact in artifacts)
    assert "://" not in LOCK.read_text()


def test_a_jar_that_is_missing_or_another_is_damaged(tmp_path: Path) -> None:
    whole, other, missing = (Artifact("lib", f"g:{name}:1", EMPTY) for name in ("whole", "other", "missing"))
    (tmp_path / "lib").mkdir()
    (tmp_path / whole.place).write_bytes(b"")
    (tmp_path / other.place).write_bytes(b"x")
    assert damaged([whole, other, missing], tmp_path) == [other, missing]


def test_two_versions_of_a_library_may_lie_in_two_folders(tmp_path: Path) -> None:
    text = project([Artifact("a", "g:n:1", EMPTY), Artifact("b", "g:n:2", EMPTY)], tmp_path)
    assert f"<version>1</version><outputDirectory>{tmp_path}/a</outputDirectory>" in text
    assert f"<version>2</version><outputDirectory>{tmp_path}/b</outputDirectory>" in text


def test_without_maven_the_error_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(PartMissing, match="apt-get install maven"):
        Engines(tmp_path).install()


def test_what_maven_says_when_it_fails_is_told_and_nothing_is_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mvn(tmp_path, "echo '[ERROR] no such artifact'; exit 1")
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    with pytest.raises(SandboxError, match="no such artifact"):
        Engines(tmp_path).install()
    assert not Engines(tmp_path).installed


def test_a_jar_that_is_not_the_locked_one_is_not_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mvn(tmp_path, "exit 0")
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    with pytest.raises(SandboxError, match=r"is not the one that artifacts\.lock names"):
        Engines(tmp_path).install()
    assert not Engines(tmp_path).installed


def test_engines_that_are_not_there_change_no_environment(tmp_path: Path) -> None:
    sandbox = Supervisor(StateDirectory(tmp_path / "state"))
    assert engines_environment(sandbox, {home.ENVIRONMENT_VARIABLE: str(tmp_path), "PATH": "/bin"}) == {}


def test_the_engines_come_first_on_path_and_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    engines = Engines(tmp_path)
    commands = engines.home / "bin"
    commands.mkdir(parents=True)
    monkeypatch.setenv("JAVA_HOME", "/java")
    sandbox = Supervisor(StateDirectory(tmp_path / "state"))
    variables = {home.ENVIRONMENT_VARIABLE: str(tmp_path), "PATH": f"/bin:{commands}"}
    assert engines_environment(sandbox, variables)["PATH"] == f"{commands}:/bin"


@pytest.mark.parametrize("words", ["hadoop fs -ls", "hdfs dfs -ls", "hadoop-streaming", "pig -version", "hive -e x"])
def test_a_command_without_java_says_what_to_install(words: str, tmp_path: Path) -> None:
    jar = tmp_path / "home/share/hadoop/tools/lib/hadoop-streaming-3.jar"
    shutil.copytree(home.Engines.furniture, tmp_path / "home")
    jar.parent.mkdir(parents=True)
    jar.touch()
    command, *arguments = words.split()
    given = {"PATH": os.defpath, "JAVA_HOME": str(tmp_path), "HOME": str(tmp_path)}
    done = subprocess.run(
        [tmp_path / "home/bin" / command, *arguments], env=given, capture_output=True, text=True, check=False
    )
    assert done.returncode == 127
    assert "apt-get install openjdk-17-jre-headless" in done.stderr
