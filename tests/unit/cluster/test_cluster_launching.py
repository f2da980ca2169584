"""From jars that EMR knows by name to the commands of this machine; main classes of jars."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from core.errors import ParameterError, ProgramMissing, ScriptNotFound
from steps_impl.activities.cluster.cluster import Cluster
from steps_impl.activities.cluster.launching import jar_command
from steps_impl.activities.cluster.manifest import for_main_class
from steps_impl.contract import StepContext
from steps_impl.progress import ProgressReporter

SCRIPT_RUNNER = "s3://us-east-1.elasticmapreduce/libs/script-runner/script-runner.jar"
HIVE_SCRIPT = "s3://elasticmapreduce/libs/hive/hive-script"


@pytest.fixture
def cluster(tmp_path: Path) -> Cluster:
    """A machine with the programs ``hadoop``, ``hive`` and ``spark-submit``, which are not run here."""
    programs, work = tmp_path / "home/bin", tmp_path / "work"
    for folder in (programs, work, tmp_path / "home/share/hadoop/tools/lib"):
        folder.mkdir(parents=True)
    for name in ("hadoop", "hive", "spark-submit"):
        (programs / name).write_text("#!/bin/sh\n")
        (programs / name).chmod(0o755)
    (tmp_path / "home/share/hadoop/tools/lib/hadoop-streaming-3.3.4.jar").touch()
    reporter = ProgressReporter("emr-activity", io.StringIO(), None)
    environment = {"PATH": str(programs)}
    return Cluster("Work", work, StepContext(reporter, environment=environment), environment, "dp-1")


def words(cluster: Cluster, jar: str, *arguments: str) -> list[str]:
    return [Path(word).name if isinstance(word, Path) else word for word in jar_command(cluster, jar, arguments)]


def test_command_runner_runs_a_program_of_the_machine(cluster: Cluster) -> None:
    assert words(cluster, "command-runner.jar", "hadoop", "fs", "-ls") == ["hadoop", "fs", "-ls"]


def test_a_spark_application_gets_the_tag_by_which_it_is_found_again(cluster: Cluster) -> None:
    found = words(cluster, "command-runner.jar", "spark-submit", "x.py")
    assert found == ["spark-submit", "--conf", "spark.yarn.tags=dp-1", "x.py"]


def test_streaming_is_found_where_hadoop_has_it_unless_the_path_is_there(cluster: Cluster) -> None:
    jar = "/home/hadoop/contrib/streaming/hadoop-streaming.jar"
    assert words(cluster, jar, "-input", "x")[:3] == ["hadoop", "jar", "hadoop-streaming-3.3.4.jar"]
    own = cluster.work / "hadoop-streaming.jar"
    own.touch()
    assert jar_command(cluster, str(own), ["-input", "x"])[2] == own


def test_emrs_script_for_hive_becomes_the_command(cluster: Cluster) -> None:
    options = ["--base-path", "s3://elasticmapreduce/libs/hive/", "--hive-versions", "latest"]
    run = [HIVE_SCRIPT, *options, "--run-hive-script", "--args", "-f", "s3://b/x.q", "-d", "A=b"]
    assert words(cluster, SCRIPT_RUNNER, *run) == ["hive", "-f", "s3://b/x.q", "-d", "A=b"]
    assert words(cluster, "command-runner.jar", "hive-script", *run[1:]) == ["hive", "-f", "s3://b/x.q", "-d", "A=b"]
    assert words(cluster, SCRIPT_RUNNER, HIVE_SCRIPT, *options, "--install-hive") == ["true"]


@pytest.mark.parametrize(
    ("jar", "arguments", "error", "text"),
    [
        ("command-runner.jar", [], ParameterError, "is given nothing to run"),
        ("command-runner.jar", ["s3-dist-cp"], ProgramMissing, "needs the program 's3-dist-cp'"),
        (SCRIPT_RUNNER, [HIVE_SCRIPT, "--run-hive-script"], ParameterError, "--run-hive-script and --args"),
        (SCRIPT_RUNNER, ["s3://elasticmapreduce/libs/pig/pig-script", "--install-pig"], ProgramMissing, "'pig'"),
        ("/home/hadoop/lib/emr-s3distcp-1.0.jar", [], ScriptNotFound, "emr-s3distcp-1.0.jar' is not on this machine"),
        ("s3://b/folder/", [], ScriptNotFound, "names no file"),
    ],
)
def test_what_cannot_be_run_is_told_by_name(
    cluster: Cluster, jar: str, arguments: list[str], error: type[Exception], text: str
) -> None:
    with pytest.raises(error, match=text):
        jar_command(cluster, jar, arguments)


@pytest.fixture
def jar_of(tmp_path: Path) -> Callable[[str | None], Path]:
    """Makes a jar with this manifest, signed, and one class."""

    def make(manifest: str | None) -> Path:
        path = tmp_path / "job.jar"
        with zipfile.ZipFile(path, "w") as archive:
            if manifest is not None:
                archive.writestr("META-INF/MANIFEST.MF", manifest)
            archive.writestr("META-INF/KEY.SF", "signed")
            archive.writestr("a/B.class", b"\xca\xfe\xba\xbe")
        return path

    return make


@pytest.mark.parametrize(
    ("manifest", "between"),
    [
        (None, ["a.B"]),
        ("Manifest-Version: 1.0\r\n", ["a.B"]),
        ("Manifest-Version: 1.0\r\nMain-Class: a.B\r\n\r\n", []),
        ("Main-Class: a\r\n .B", []),
    ],
)
def test_a_jar_that_names_no_class_or_the_same_is_run_as_it_is(
    cluster: Cluster, jar_of: Callable[[str | None], Path], manifest: str | None, between: list[str]
) -> None:
    jar = jar_of(manifest)
    assert for_main_class(cluster, jar, "a.B") == (jar, between)


def test_a_jar_that_names_another_class_is_run_without_that(
    cluster: Cluster, jar_of: Callable[[str | None], Path]
) -> None:
    jar = jar_of("Manifest-Version: 1.0\r\nMain-Class: a.Very.Long\r\n .Name\r\nX: y\r\n")
    copy, between = for_main_class(cluster, jar, "a.B")
    assert between == ["a.B"]
    with zipfile.ZipFile(copy) as archive:
        assert archive.read("META-INF/MANIFEST.MF").split() == [b"Manifest-Version:", b"1.0", b"X:", b"y"]
        assert sorted(archive.namelist()) == ["META-INF/MANIFEST.MF", "a/B.class"]


def test_what_is_no_jar_is_told(cluster: Cluster, tmp_path: Path) -> None:
    (tmp_path / "x.jar").write_text("text")
    with pytest.raises(ParameterError, match=r"x\.jar is not a jar"):
        for_main_class(cluster, tmp_path / "x.jar", "a.B")
