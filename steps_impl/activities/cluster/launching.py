"""From a jar and its arguments to the command that runs them on this machine.

EMR knows some jars by name: ``command-runner.jar`` runs a program of the cluster, ``script-runner.jar`` a script.
Paths of Hadoop's own jars on other releases of EMR become those of this machine.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from core.errors import ParameterError
from core.shebang import FIRST_LINE_LIMIT, interpreter
from steps_impl.activities.cluster.cluster import Cluster
from steps_impl.activities.cluster.files import fetch, is_in_s3
from steps_impl.activities.cluster.manifest import for_main_class

_COMMAND_RUNNER, _SCRIPT_RUNNER = "command-runner.jar", "script-runner.jar"
_EMR_BUCKET = re.compile(r"s3[na]?://(?:[\w-]+\.)?elasticmapreduce/(.*)", re.IGNORECASE)
_STREAMING = "hadoop-streaming"
_EXAMPLES = "hadoop-mapreduce-examples"
#: Hadoop's own jars, under whatever name and version a definition has them.
_OWN_JARS = {
    re.compile(r"hadoop-streaming(-[\d.]+)?(-amzn-\d+)?(\.jar)?"): _STREAMING,
    re.compile(r"hadoop(-mapreduce)?-examples(-[\d.]+)?(-amzn-\d+)?\.jar"): _EXAMPLES,
}
_PROGRAM_OPTIONS = ("-mapper", "-reducer", "-combiner")


def jar_command(
    cluster: Cluster, jar: str, arguments: Sequence[str], main_class: str | None = None
) -> list[str | Path]:
    """Return the command that runs a jar with its arguments.

    Raises:
        ProgramMissing: a program or a jar of the cluster is not here.
        ScriptNotFound: the jar or the script is not there.
        ParameterError: ``command-runner.jar`` or ``script-runner.jar`` without what it is to run.
    """
    name = PurePosixPath(jar).name
    if name == _COMMAND_RUNNER:
        return _program(cluster, *_first(cluster, jar, arguments))
    if name == _SCRIPT_RUNNER:
        return _script(cluster, *_first(cluster, jar, arguments))
    local, own = _jar(cluster, jar, name)
    if own == _STREAMING:
        arguments = streaming_arguments(arguments)
    if main_class:
        local, words = for_main_class(cluster, local, main_class)
        arguments = [*words, *arguments]
    return [cluster.program("hadoop"), "jar", local, *arguments]


def needs_hadoop(jar: str) -> bool:
    """Tell whether a jar is run by Hadoop itself."""
    return PurePosixPath(jar).name not in (_COMMAND_RUNNER, _SCRIPT_RUNNER)


def is_script(jar: str) -> bool:
    """Tell whether a jar is the one that runs a shell script of the user's."""
    return PurePosixPath(jar).name == _SCRIPT_RUNNER


def title_of(jar: str, arguments: Sequence[str]) -> str:
    """Return what messages call a step: its jar, and what that runs when it is a runner of EMR's."""
    return f"{jar} {arguments[0].strip()}" if arguments and not needs_hadoop(jar) else jar


def _first(cluster: Cluster, jar: str, arguments: Sequence[str]) -> tuple[str, Sequence[str]]:
    if not arguments or not arguments[0].strip():
        raise ParameterError(f"{cluster.label}: {jar} is given nothing to run; write {jar},program,argument")
    return arguments[0].strip(), arguments[1:]


def _jar(cluster: Cluster, jar: str, name: str) -> tuple[Path, str | None]:
    """Return the jar on this machine, and which of Hadoop's own it is, if any."""
    own = next((known for pattern, known in _OWN_JARS.items() if pattern.fullmatch(name)), None)
    if own and not is_in_s3(jar) and not (cluster.work / jar).is_file():
        return cluster.jar(own), own
    return fetch(cluster, jar, "jar"), own


def streaming_arguments(arguments: Sequence[str]) -> list[str]:
    """Return streaming's arguments with mapper, reducer and combiner of S3 as files that the job brings along.

    EMR's early releases took ``-mapper s3://…`` as it is; Hadoop's own wants ``-files`` and the file's name.
    """
    words, files = list(arguments), []
    for place, word in enumerate(words[:-1]):
        if word in _PROGRAM_OPTIONS and is_in_s3(words[place + 1]):
            files.append(words[place + 1])
            words[place + 1] = PurePosixPath(files[-1]).name
    if not files:
        return words
    if "-files" in words[:-1]:
        place = words.index("-files") + 1
        words[place] = ",".join([words[place], *files])
        return words
    return ["-files", ",".join(dict.fromkeys(files)), *words]


def _program(cluster: Cluster, name: str, arguments: Sequence[str]) -> list[str | Path]:
    if name in _SCRIPTS_OF_EMR:
        return _script_of_emr(cluster, name, arguments)
    if name == _STREAMING:
        return [cluster.program("hadoop"), "jar", cluster.jar(_STREAMING), *streaming_arguments(arguments)]
    words: list[str | Path] = [cluster.program(name), *arguments]
    if name == "spark-submit":
        words[1:1] = ["--conf", f"spark.yarn.tags={cluster.tag}"]
    return words


def _script(cluster: Cluster, uri: str, arguments: Sequence[str]) -> list[str | Path]:
    if found := _EMR_BUCKET.fullmatch(uri):
        name = PurePosixPath(found[1]).name
        if found[1].startswith("libs/") and name in _SCRIPTS_OF_EMR:
            return _script_of_emr(cluster, name, arguments)
    script = fetch(cluster, uri, "script")
    with script.open("rb") as file:
        return [*interpreter(file.read(FIRST_LINE_LIMIT)), script, *arguments]


#: EMR's scripts that run a script of Hive or Pig, and the program that does it.
_SCRIPTS_OF_EMR = {"hive-script": "hive", "pig-script": "pig"}


def _script_of_emr(cluster: Cluster, name: str, arguments: Sequence[str]) -> list[str | Path]:
    """Return the command behind ``hive-script --run-hive-script … --args …``; installing finds the program here.

    Raises:
        ProgramMissing: Hive or Pig is not here.
        ParameterError: it is to do neither.
    """
    program = cluster.program(_SCRIPTS_OF_EMR[name])
    kind = _SCRIPTS_OF_EMR[name]
    if f"--install-{kind}" in arguments:
        return ["true"]
    if f"--run-{kind}-script" not in arguments or "--args" not in arguments:
        raise ParameterError(f"{cluster.label}: {name} must be given --run-{kind}-script and --args")
    return [program, *arguments[arguments.index("--args") + 1 :]]
