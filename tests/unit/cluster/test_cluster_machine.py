"""What a machine says of its cluster: EMR's files, Hadoop's configuration, programs and jars."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from core.errors import ProgramMissing
from steps_impl.activities.cluster import machine
from steps_impl.activities.cluster.applications import Applications, resource_managers, run_tag
from steps_impl.activities.cluster.configuration import find_configuration, overlay, properties
from steps_impl.activities.cluster.programs import find_jar, find_program


def site(folder: Path, name: str, **values: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    entries = "".join(f"<property><name>{k}</name><value>{v}</value></property>" for k, v in values.items())
    (folder / name).write_text(f"<?xml version='1.0'?><configuration>{entries}</configuration>")


def executable(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return path


@pytest.mark.parametrize(
    ("job_flow", "instance", "text"),
    [
        (None, None, "no node of an EMR cluster"),
        ({"jobFlowId": "j-1"}, {"isMaster": True}, "the primary node of the cluster j-1"),
        ({"jobFlowId": "j-1"}, {"isMaster": False}, "a core or task node of the cluster j-1"),
        ([], "x", "no node of an EMR cluster"),
    ],
)
def test_emrs_files_tell_what_a_machine_is(tmp_path: Path, job_flow: Any, instance: Any, text: str) -> None:
    for name, document in (("job-flow.json", job_flow), ("instance.json", instance)):
        if document is not None:
            (tmp_path / name).write_text(json.dumps(document))
    assert machine.describe(tmp_path) == text


def test_the_overlaid_configuration_is_the_clusters_with_what_is_added(tmp_path: Path) -> None:
    site(tmp_path / "conf", "core-site.xml", **{"fs.defaultFS": "hdfs://x"})
    site(tmp_path / "conf", "mapred-site.xml", **{"mapreduce.framework.name": "yarn"})
    seen = overlay(tmp_path / "conf", tmp_path / "over", {"mapreduce.job.tags": "dp-1"})
    assert properties(seen, "core-site.xml", "mapred-site.xml") == {
        "fs.defaultFS": "hdfs://x",
        "mapreduce.framework.name": "yarn",
        "mapreduce.job.tags": "dp-1",
    }
    assert properties(tmp_path / "conf", "mapred-site.xml") == {"mapreduce.framework.name": "yarn"}


def test_a_cluster_without_mapreduces_file_gets_one(tmp_path: Path) -> None:
    site(tmp_path / "conf", "core-site.xml")
    assert properties(overlay(tmp_path / "conf", tmp_path / "over", {"a": "b"}), "mapred-site.xml") == {"a": "b"}


def test_the_configuration_is_where_hadoop_looks_for_it(tmp_path: Path) -> None:
    hadoop = executable(tmp_path / "hadoop-3/bin/hadoop")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/hadoop").symlink_to(hadoop)
    site(tmp_path / "hadoop-3/etc/hadoop", "core-site.xml")
    site(tmp_path / "own", "core-site.xml")
    assert find_configuration({"PATH": str(tmp_path / "bin")}) == tmp_path / "hadoop-3/etc/hadoop"
    assert find_configuration({"PATH": "", "HADOOP_CONF_DIR": str(tmp_path / "own")}) == tmp_path / "own"


def test_the_newest_version_of_hadoops_own_jar_is_found_below_its_home(tmp_path: Path) -> None:
    executable(tmp_path / "home/bin/hadoop")
    folder = tmp_path / "home/share/hadoop/tools/lib"
    folder.mkdir(parents=True)
    for name in ("hadoop-streaming-3.3.4.jar", "hadoop-streaming-tests.jar"):
        zipfile.ZipFile(folder / name, "w").close()
    found = find_jar("hadoop-streaming", "Work", {"PATH": str(tmp_path / "home/bin")})
    assert found == folder / "hadoop-streaming-3.3.4.jar"


def test_a_jar_that_is_not_there_is_named(tmp_path: Path) -> None:
    executable(tmp_path / "bin/hadoop")
    with pytest.raises(ProgramMissing, match=r"Work needs Hadoop's hadoop-no-such\.jar"):
        find_jar("hadoop-no-such", "Work", {"PATH": str(tmp_path / "bin")})


def test_a_program_that_is_not_there_is_named_with_the_activity() -> None:
    with pytest.raises(ProgramMissing, match=r"Work needs the program 'hive'.*primary node"):
        find_program("hive", "Work", {"PATH": "/nowhere"})


def test_all_attempts_of_a_run_share_a_tag_that_yarn_takes() -> None:
    first, second = (run_tag("df-1", f"@Work_2026-11-01T00:00:00_Attempt={number}") for number in (1, 2))
    assert first == second != run_tag("df-1", "@Work_2026-11-02T00:00:00_Attempt=1")
    assert first == first.lower()
    assert len(first) < 100


@pytest.mark.parametrize(
    ("values", "urls"),
    [
        ({"yarn.resourcemanager.hostname": "m"}, ["http://m:8088"]),
        (
            {
                "yarn.resourcemanager.hostname": "m",
                "yarn.resourcemanager.webapp.address": "${yarn.resourcemanager.hostname}:80",
            },
            ["http://m:80"],
        ),
        ({"yarn.resourcemanager.hostname": "m", "yarn.http.policy": "HTTPS_ONLY"}, ["https://m:8090"]),
        (
            {
                "yarn.resourcemanager.ha.rm-ids": "a, b",
                "yarn.resourcemanager.hostname.a": "x",
                "yarn.resourcemanager.webapp.address.b": "y:1",
            },
            ["http://x:8088", "http://y:1"],
        ),
        ({}, []),
    ],
)
def test_the_resource_managers_are_those_of_the_configuration(
    tmp_path: Path, values: dict[str, str], urls: list[str]
) -> None:
    site(tmp_path, "yarn-site.xml", **values)
    assert [service.url for service in resource_managers(tmp_path)] == urls


def test_where_jobs_run_in_their_client_there_are_no_applications(tmp_path: Path) -> None:
    site(tmp_path, "mapred-site.xml", **{"mapreduce.framework.name": "local"})
    assert Applications.of_cluster("dp-1", tmp_path, {}) is None
    assert Applications.of_cluster("dp-1", None, {}) is None
