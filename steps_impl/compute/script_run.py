"""One run of a script: its files brought, the script run, its outputs published."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from core.settings import Settings
from steps_impl.compute.inputs import Fetching
from steps_impl.compute.outputs import make_directories, publish
from steps_impl.compute.parameters import ScriptParameters
from steps_impl.compute.places import allot, next_number, read_place, variable
from steps_impl.compute.running import Ending, run_program
from steps_impl.compute.scripts import Script, bring_files, bring_script, finish_script
from steps_impl.contract import RESULT_VARIABLE, StepContext, StepResult
from steps_impl.workplace import new_folder, without_lent_keys
from stores.s3 import S3Store


@contextmanager
def open_script(parameters: ScriptParameters, context: StepContext, settings: Settings) -> Iterator[ScriptRun]:
    """Bring what the script needs and hand it out; its files are gone afterwards.

    Raises:
        NotFound, ScriptNotFound: an input or the script is not there.
        DiskFull: the inputs do not fit.
    """
    work = new_folder("transform-", context.environment)
    try:
        script = ScriptRun(parameters, context, settings, work)
        script.bring()
        yield script
    finally:
        shutil.rmtree(work, ignore_errors=True)


class ScriptRun:
    """One run of a script, in a folder of its own."""

    def __init__(self, parameters: ScriptParameters, context: StepContext, settings: Settings, work: Path) -> None:
        self._parameters = parameters
        self._context = context
        self._work = work
        self._reserve = settings.agent.minimum_free_disk
        self._store = S3Store(region=settings.etl.region, concurrency=settings.agent.staging_concurrency)
        environment = _shown(context.environment, parameters)
        self._inputs, read = allot("INPUT", map(read_place, parameters.input), work, environment)
        self._outputs, self._written = allot("OUTPUT", map(read_place, parameters.output), work, environment)
        self._environment = {**environment, **read, **self._written, "TMPDIR": str(work / "tmp")}
        self._scripts = work / "scripts"
        if parameters.script_directory is not None:
            self._environment[variable("INPUT", next_number("INPUT", self._environment))] = str(self._scripts)
        self._script: Script | None = None

    def bring(self) -> None:
        """Bring script and inputs, and make the directories of the outputs."""
        for name in ("run", "script", "tmp"):
            (self._work / name).mkdir()
        fetching = Fetching(self._store, self._context.cancelled)
        self._context.reporter.progress("brings the inputs")
        self._script = bring_script(self._parameters, self._work / "script", self._scripts, fetching)
        bring_files(self._parameters.additional_files, self._work / "run", fetching)
        fetching.add(self._inputs)
        fetching.fetch(self._work, self._reserve)
        finish_script(self._parameters, self._scripts)
        make_directories(self._outputs, self._written)

    def execute(self, arguments: tuple[str, ...] = ()) -> Ending:
        """Run the script with ``arguments`` behind its own."""
        assert self._script is not None
        argv = [*self._script.argv(), *self._parameters.script_arguments, *arguments]
        self._context.reporter.progress(f"runs {self._script.title}")
        limit = self._parameters.timeout
        return run_program(argv, self._script.title, self._work / "run", self._environment, self._context, limit)

    def publish(self) -> StepResult:
        """Publish the outputs, and say how much they are."""
        if not self._outputs:
            return StepResult()
        self._context.reporter.progress("publishes the outputs")
        totals = publish(self._store, self._outputs, self._written, self._context.cancelled)
        written = [str(entry.place.folder) for entry in self._outputs]
        return StepResult(bytes=totals.bytes, details={"files": totals.files, "outputs": written})


def _shown(environment: Mapping[str, str], parameters: ScriptParameters) -> dict[str, str]:
    """Return what the script sees of our environment: no keys lent to us, no result file, staged nodes if it wants."""
    hidden = {RESULT_VARIABLE}
    for kind, unwanted in (("INPUT", parameters.no_input), ("OUTPUT", parameters.no_output)):
        taken = range(1, next_number(kind, environment)) if unwanted else ()
        hidden.update(variable(kind, number) for number in taken)
    return {name: value for name, value in without_lent_keys(environment).items() if name not in hidden}
