"""``extract-local``: a file or directory of this machine to S3 (or another directory), with a manifest.

Bytes are not touched: neither encoding nor line ends nor compression change. Files keep their names in a directory of
the run (``part-<run>/…``); the file ``manifest`` is replaced last, and then the files of former runs are deleted. A
run that fails, or during which a file changes, removes its files and leaves the former output as it was.

Files whose names begin with ``_`` or ``.`` are left out. A link that leads out of the directory, a pipe or a device is
refused by name.
"""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from core.settings import load_settings
from steps_impl.contract import StepContext, StepResult
from steps_impl.extract.files.flow import FileExtract
from steps_impl.extract.files.local_source import LocalSource
from steps_impl.extract.files.parameters import FileParameters
from steps_impl.registry import Step
from stores.s3 import S3Store


class ExtractLocalParameters(FileParameters):
    """What is taken, and where it goes."""

    path: Path = Field(description="the file, or the directory of the files")


def run(parameters: ExtractLocalParameters, context: StepContext) -> StepResult:
    """Copy, publish the manifest, and return rows (where they were counted) and bytes.

    Raises:
        NotFound, UnsupportedValue, StagingFailed: of the files.
        StoreError, DiskFull: of the output.
        InterruptedError: the step was cancelled; its files are removed.
    """
    store = S3Store(region=load_settings(environment=context.environment).etl.region)
    source = LocalSource(store, parameters.path, context.cancelled)
    return FileExtract(parameters, context, source, copies=True).run()


STEP = Step(
    name="extract-local",
    summary="Put a file or directory of this machine into S3, as it is, with a manifest.",
    parameters=ExtractLocalParameters,
    run=run,
)
