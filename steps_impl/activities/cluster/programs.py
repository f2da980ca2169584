"""Finds the programs and jars of a cluster on this machine."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path

from core.errors import ProgramMissing
from steps_impl.activities.cluster import machine

#: Folders that hold Hadoop's own job jars, as EMR and Bigtop lay them out; a plain Hadoop has them below its home.
_JAR_FOLDERS = ("/usr/lib/hadoop-mapreduce", "/usr/lib/hadoop")
#: Programs that the sandbox can install where there is no cluster.
_ENGINES = frozenset({"hadoop", "hive", "pig"})
_FOLDERS_OF_HOME = ("share/hadoop/tools/lib", "share/hadoop/mapreduce")


def find_program(name: str, label: str, environment: Mapping[str, str]) -> Path:
    """Return the program of this name on PATH.

    Raises:
        ProgramMissing: there is none; the message says what this machine is.
    """
    found = shutil.which(name, path=environment.get("PATH", os.defpath))
    if found is None:
        raise ProgramMissing(
            f"{label} needs the program {name!r}, which is not on PATH here: it must run on the cluster's primary "
            f"node, and this machine is {machine.describe()}{_advice(name)}"
        )
    return Path(found)


def _advice(name: str) -> str:
    if machine.cluster_id() is None and name in _ENGINES:
        return " (without a cluster: ductrunner sandbox engines)"
    return ""


def find_jar(name: str, label: str, environment: Mapping[str, str]) -> Path:
    """Return a job jar of Hadoop's own, such as ``hadoop-streaming``, of whatever version is here.

    Raises:
        ProgramMissing: neither ``hadoop`` nor the jar is on this machine.
    """
    hadoop = find_program("hadoop", label, environment)
    for folder in _folders(hadoop, environment):
        exact = folder / f"{name}.jar"
        versions = [exact] if exact.is_file() else sorted(folder.glob(f"{name}-[0-9]*.jar"))
        if versions:
            return versions[-1]
    raise ProgramMissing(
        f"{label} needs Hadoop's {name}.jar, which was not found with {hadoop} on this machine, {machine.describe()}"
    )


def _folders(hadoop: Path, environment: Mapping[str, str]) -> Iterable[Path]:
    homes = [hadoop.resolve().parent.parent, *map(Path, filter(None, [environment.get("HADOOP_HOME")]))]
    yield from (home / folder for home in homes for folder in _FOLDERS_OF_HOME)
    yield from map(Path, _JAR_FOLDERS)
