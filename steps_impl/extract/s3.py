"""``extract-s3``: files that are in S3 already, as a manifest of exactly these, or as copies.

Without ``--copy`` nothing is moved: the output is a ``manifest`` that names each file with its size, and under
``source.etags`` its version. With it the files keep their names in a directory of the run (``part-<run>/…``), copied
inside S3, and those of former runs are deleted once the manifest is in place. A directory that an extract wrote is what
its own manifest says, with its rows and columns.

The files are looked at again while the manifest is written: when one came, went or changed in between, the step fails
and the former manifest stays. Directory markers and files whose names begin with ``_`` or ``.`` are left out.
"""

from __future__ import annotations

from typing import Self

from pydantic import Field, field_validator, model_validator

from core.errors import ParameterError
from core.settings import load_settings
from steps_impl.contract import StepContext, StepResult
from steps_impl.extract.files.flow import FileExtract
from steps_impl.extract.files.parameters import FileParameters
from steps_impl.extract.files.s3_source import S3Source
from steps_impl.registry import Step
from stores.s3 import S3Store, parse_uri


class ExtractS3Parameters(FileParameters):
    """What is taken, and where it goes."""

    file_uri: str | None = Field(default=None, description="one file, s3://bucket/key, or a manifest of files")
    directory_uri: str | None = Field(default=None, description="or all files below s3://bucket/prefix/")
    copies: bool = Field(default=False, alias="copy", description="copy the files to the output")

    @field_validator("file_uri", "directory_uri")
    @classmethod
    def _an_address(cls, uri: str | None) -> str | None:
        try:
            if uri is not None:
                parse_uri(uri)
        except ParameterError as error:
            raise ValueError(str(error)) from None
        return uri

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if (self.file_uri is None) == (self.directory_uri is None):
            raise ValueError("give either --file-uri or --directory-uri")
        if self.file_uri is not None and self.file_uri.endswith("/"):
            raise ValueError("--file-uri ends with a slash: it names a directory, use --directory-uri")
        return self


def run(parameters: ExtractS3Parameters, context: StepContext) -> StepResult:
    """Look at the files, copy them if that is asked for, publish the manifest, and return rows and bytes.

    Raises:
        NotFound: there is no such file.
        ObjectReplaced: a file changed while the step was running.
        StoreError, UnsupportedValue: of the files and the output.
        InterruptedError: the step was cancelled; its files are removed.
    """
    store = S3Store(region=load_settings(environment=context.environment).etl.region)
    uri = parameters.file_uri or parameters.directory_uri or ""
    source = S3Source(store, uri, context.cancelled, directory=parameters.file_uri is None)
    return FileExtract(parameters, context, source, parameters.copies).run()


STEP = Step(
    name="extract-s3",
    summary="Name exactly these files of S3 in a manifest, or copy them, checked for changes.",
    parameters=ExtractS3Parameters,
    run=run,
)
