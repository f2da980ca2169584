"""``load-s3``: publish a model file, or a directory of files, so that readers see one whole version.

The content goes to ``versions/<time>-<sum>-…/`` below the target, and its SHA-256 beside it, in ``model.bin.sha256``
(``SHA256SUMS`` for a directory), as ``sha256sum --check`` reads it. It is read back and compared. Then the pointer,
``current.json``, is replaced in one step::

    {"pointer": 1, "current": {"version": "20261126T130501Z-1f3a…", "sha256": "1f3a…", "bytes": 12, "published": "…",
     "files": [{"name": "model.bin", "url": "s3://…/model.bin", "sha256": "1f3a…", "bytes": 12}]}, "versions": […]}

A reader reads the pointer and then what it names: never a half file, never two versions mixed. Content that is current
already changes nothing. ``--keep`` versions stay, so that readers can finish with a former one, and ``--rollback-to``
can make it current again without its files being sent. Several publishers take turns (conditional writes); what one
that was killed has left is removed by a later one after a day.
"""

from __future__ import annotations

from contextlib import closing
from typing import Any, Self

from pydantic import Field, field_validator, model_validator

from core.errors import ParameterError
from core.settings import load_settings
from steps_impl.contract import StepContext, StepResult
from steps_impl.extract.files.places import source_at
from steps_impl.extract.files.source import FileSource
from steps_impl.extract.outputs import S3Output
from steps_impl.load.versions.pointer import PointerFile, Version
from steps_impl.load.versions.publication import Publication
from steps_impl.load.versions.shelf import Shelf, Verify
from steps_impl.load.versions.sums import read_content
from steps_impl.registry import Parameters, Step
from stores.s3 import S3Store, parse_uri

_INPUT_VARIABLE = "INPUT1_STAGING_DIR"


class LoadS3Parameters(Parameters):
    """What is published, and where."""

    path: str | None = Field(
        default=None,
        description="file or directory: of this machine, or s3://bucket/key, s3://bucket/prefix/; "
        "default: $INPUT1_STAGING_DIR",
    )
    target: str = Field(description="s3://bucket/prefix/ that holds the versions and the pointer")
    pointer: str = Field(default="current.json", pattern=r"^[\w.-]+$", description="name of the pointer's file")
    keep: int = Field(
        default=5, ge=1, le=1000, description="versions that stay", json_schema_extra={"unit": "versions"}
    )
    verify: Verify = Field(
        default="checksum", description="what is compared after the upload: every byte by its sum, or sizes only"
    )
    rollback_to: str | None = Field(
        default=None, description="publish nothing, make this version current again: its name or SHA-256"
    )

    @field_validator("target")
    @classmethod
    def _an_address(cls, uri: str) -> str:
        try:
            parse_uri(uri)
        except ParameterError as error:
            raise ValueError(str(error)) from None
        return uri

    @model_validator(mode="after")
    def _one_task(self) -> Self:
        if self.rollback_to is not None and self.path is not None:
            raise ValueError("--rollback-to publishes nothing; leave --path out")
        return self


def run(parameters: LoadS3Parameters, context: StepContext) -> StepResult:
    """Publish, or go back; return the bytes that were published and which version is current.

    Raises:
        ParameterError: there is no path, or a file has a name that cannot be published.
        NotFound: there is nothing to publish, or no such version.
        StoreError: S3 failed, or what arrived is not what was read; the pointer is as it was.
        InterruptedError: the step was cancelled; likewise.
    """
    store = S3Store(region=load_settings(environment=context.environment).etl.region)
    with closing(S3Output(parameters.target)) as output:
        shelf = Shelf(store, output, parameters.verify, lambda: _stop(context))
        pointer = PointerFile(store, output.location(parameters.pointer))
        publication = Publication(shelf, pointer, parameters.keep, context.cancelled)
        if parameters.rollback_to is not None:
            return _result(publication, publication.go_back(parameters.rollback_to))
        if parameters.path and parameters.path.rstrip("/") == parameters.target.rstrip("/"):
            raise ParameterError("--path: the target would be published into itself; give another place")
        source = _source(parameters.path or context.environment.get(_INPUT_VARIABLE), store, context)
        context.reporter.progress("sum")
        content = read_content(source, lambda: _stop(context))
        context.reporter.progress("publish", bytes=content.size)
        return _result(publication, publication.publish(source, content))


def _source(place: str | None, store: S3Store, context: StepContext) -> FileSource:
    if not place:
        raise ParameterError(f"--path: give a file or directory (${_INPUT_VARIABLE} is not set either)")
    return source_at(store, place, context.cancelled)


def _stop(context: StepContext) -> None:
    if context.cancelled.is_set():
        raise InterruptedError("cancelled")


def _result(publication: Publication, current: Version) -> StepResult:
    details: dict[str, Any] = {
        "version": current.version,
        "sha256": current.sha256,
        "pointer": publication.pointer.uri,
        "changed": publication.moved,
        "removed_versions": publication.removed,
    }
    if publication.not_removed:
        details["not_removed"] = publication.not_removed
    return StepResult(bytes=current.bytes, details=details)


STEP = Step(
    name="load-s3",
    summary="Publish a model file or directory in S3 with checksum, version pointer and a way back.",
    parameters=LoadS3Parameters,
    run=run,
)
