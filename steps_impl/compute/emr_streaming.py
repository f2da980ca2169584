"""``emr-streaming``: MapReduce with any programs as mapper and reducer, on the cluster's primary node.

Dataduct's step of that name. The job writes beside its output; when it has finished, that takes its place. So a job
that fails, or is killed, leaves the former output as it was, and one that is run twice leaves the same data.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, model_validator

from core.errors import AccessDenied, DuctrunnerError, ParameterError, ScriptNotFound, StoreUnreachable
from core.settings import load_settings
from steps_impl.activities.cluster import Cluster, open_cluster
from steps_impl.activities.cluster.files import is_in_s3
from steps_impl.activities.objects.base import Several
from steps_impl.compute.drafts import Draft, draft_of
from steps_impl.contract import StepContext, StepResult
from steps_impl.registry import Parameters, Step
from stores.s3 import S3Store

_NAME = "emr-streaming"
_STREAMING = "hadoop-streaming"


class EmrStreamingParameters(Parameters):
    """The job."""

    mapper: str = Field(
        min_length=1,
        description="program that reads lines and writes `key<TAB>value`: a script of S3 or of this machine, which the "
        "job brings along, or a command of all nodes; arguments may follow behind a blank",
    )
    reducer: str | None = Field(default=None, description="the same for sorted lines; default: Hadoop's, all of them")
    combiner: str | None = Field(default=None, description="the same, before lines leave the mapper's machine")
    input: Several[str] = Field(min_length=1, description="folders and files: `s3://…`, or paths of the cluster")
    output_path: str = Field(min_length=1, description="folder of the output: `s3://…`, or a path of the cluster")
    hadoop_params: Several[str] = Field(
        default=(), description="words before all others, such as `-D mapreduce.job.reduces=2`"
    )
    files: Several[str] = Field(default=(), description="further files that the job brings along: `s3://…` or paths")
    existing_output: Literal["replace", "refuse"] = Field(
        default="replace", description="what becomes of an output that is there already"
    )

    @model_validator(mode="after")
    def _apart(self) -> Self:
        output = self.output_path.rstrip("/") + "/"
        for read in self.input:
            if output.startswith(read.rstrip("/") + "/") or (read.rstrip("/") + "/").startswith(output):
                raise ValueError(f"output_path and the input {read} lie in one another; use folders apart")
        return self


def run(parameters: EmrStreamingParameters, context: StepContext) -> StepResult:
    """Run the job and let its output take its place.

    Raises:
        ParameterError: the output is there already, and that is refused; or it is a whole bucket.
        ProgramMissing, ScriptNotFound, CommandFailed, CommandKilled: the job did not end well; the output is as before.
    """
    with open_cluster(_NAME, context) as cluster:
        _check_files(parameters, load_settings(environment=context.environment).etl.region)
        draft = draft_of(cluster, parameters.output_path)
        if parameters.existing_output == "refuse" and draft.target_exists():
            raise ParameterError(f"the output {parameters.output_path} is there already; remove it or name another")
        draft.discard()
        try:
            cluster.run_jar(_command(cluster, parameters, draft), "the streaming job")
            details = draft.publish()
        except BaseException:
            with suppress(DuctrunnerError):  # what made the job fail is what is told
                draft.discard()
            raise
    return StepResult(details={"output": parameters.output_path, **details})


def _check_files(parameters: EmrStreamingParameters, region: str | None) -> None:
    """Look for the scripts and files of S3, which Hadoop names in the middle of a stack trace only.

    Raises:
        ScriptNotFound: one is not there. What the worker may not read is left to the cluster.
    """
    programs = [parameters.mapper, parameters.combiner, parameters.reducer]
    files = [program.partition(" ")[0] for program in programs if program] + list(parameters.files)
    store = S3Store(region=region)
    for file in filter(is_in_s3, files):
        with suppress(AccessDenied, StoreUnreachable):
            if not store.exists(file.partition("#")[0]):
                raise ScriptNotFound(f"{_NAME}: {file} is not there; check the bucket and the key")


def _command(cluster: Cluster, parameters: EmrStreamingParameters, draft: Draft) -> list[str | Path]:
    return [cluster.program("hadoop"), "jar", cluster.jar(_STREAMING), *job_words(parameters, draft.path)]


def job_words(parameters: EmrStreamingParameters, output: str) -> list[str]:
    """Return the words of the job: Hadoop's options first, then those of streaming."""
    files, programs = [_as_uri(file) for file in parameters.files], []
    for option in ("mapper", "combiner", "reducer"):
        if text := getattr(parameters, option):
            file, command = _program(text)
            files += [file] if file else []
            programs += [f"-{option}", command]
    words = _with_files(parameters.hadoop_params, files)
    inputs = [word for place in parameters.input for word in ("-input", place)]
    return [*words, *inputs, "-output", output, *programs]


def _program(text: str) -> tuple[str | None, str]:
    """Return the file that a program is, if it is one, and the command by which a node calls it."""
    program, blank, arguments = text.partition(" ")
    if not is_in_s3(program) and not Path(program).is_file():
        return None, text
    name = program.rstrip("/").rpartition("/")[2]
    if not name:
        raise ParameterError(f"{program!r} names no script; write s3://bucket/folder/script")
    return _as_uri(program), f"{name}{blank}{arguments}"


def _as_uri(file: str) -> str:
    return file if "://" in file else Path(file).absolute().as_uri()


def _with_files(words: Sequence[str], files: Sequence[str]) -> list[str]:
    """Return Hadoop's options with these files too; it takes ``-files`` once, before all of streaming's own."""
    given = list(words)
    if not files:
        return given
    if "-files" in given[:-1]:
        place = given.index("-files") + 1
        given[place] = ",".join(dict.fromkeys([given[place], *files]))
        return given
    return ["-files", ",".join(dict.fromkeys(files)), *given]


STEP = Step(
    name=_NAME,
    summary="Run a MapReduce job of scripts on the cluster's primary node; its output takes its place at the end.",
    parameters=EmrStreamingParameters,
    run=run,
)
