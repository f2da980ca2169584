r"""Files to rows: every file read in its format, its rows counted and compared with what its manifest says."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from core.errors import CheckFailed, ParameterError
from steps_impl.activities.copying.dialects import PLAIN_CSV, Dialect
from steps_impl.activities.copying.lines import Chunk
from steps_impl.activities.copying.pulling import pulled
from steps_impl.activities.copying.reading import RecordReader
from steps_impl.formats.opening import blocks_of
from steps_impl.load.manifest import LoadFile, LoadInput
from steps_impl.load.products import json_lines
from steps_impl.load.products.parameters import FileParameters

if TYPE_CHECKING:
    from stores.s3 import S3Store

_TSV = Dialect(separator=b"\t")


@dataclass(frozen=True)
class FileFormat:
    """How the files are written."""

    #: ``tsv``, ``csv`` or ``json``.
    name: str
    #: Records to leave out at the top of each file.
    header: int = 0
    #: The text of NULL beside ``\\N``.
    null: str | None = None
    #: Names of the values that are taken from each object of ``json``.
    columns: tuple[str, ...] = ()
    #: Of them those that go where JSON is wanted, and whether it is told that their texts are values of JSON.
    documents: Mapping[str, bool] = field(default_factory=dict)


def format_name(parameters: FileParameters, source: LoadInput) -> str:
    """Return the format of the files: as the parameters say, else as the manifest does, else tsv."""
    return parameters.input_format or source.format or "tsv"


def file_format(
    parameters: FileParameters, source: LoadInput, columns: Sequence[str], documents: Collection[str] = ()
) -> FileFormat:
    """Return how the files are written; ``documents`` are those of the target's ``columns`` that hold JSON.

    Raises:
        ParameterError: the manifest names a format that cannot be loaded.
    """
    name = format_name(parameters, source)
    if name not in ("tsv", "csv", "json"):
        raise ParameterError(f"--input: the files are {name}, and tsv, csv or json can be loaded")
    keys = tuple(parameters.columns or source.names or columns)
    nested = {column for column, kind in source.types if kind.name == "super"}
    wanted = {key: key.lower() in nested for key, column in zip(keys, columns, strict=False) if column in documents}
    return FileFormat(name, parameters.ignore_header, parameters.null_as, keys, wanted)


def read_rows(files: Iterable[LoadFile], form: FileFormat, s3: Callable[[], S3Store]) -> Iterator[Chunk]:
    """Yield the rows of all files.

    Raises:
        RecordMalformed, StoreError: a file cannot be read.
        CheckFailed: a file holds another number of rows than its manifest says.
    """
    for file in files:
        rows = 0
        for chunk in _read(file.uri, form, s3):
            rows += chunk.rows
            yield chunk
        if file.rows is not None and rows != file.rows:
            raise CheckFailed(
                f"{file.uri} holds {rows} rows, and its manifest says {file.rows}; it was cut off or written again: "
                "run the step that wrote it once more"
            )


def read_ahead(chunks: Iterator[Chunk]) -> Iterator[Chunk]:
    """Return the same chunks, read by a thread of their own while the server takes those before."""

    def push(put: Callable[[Chunk], None]) -> None:
        for chunk in chunks:
            put(chunk)

    return pulled(push, "read-ahead")


def _read(uri: str, form: FileFormat, s3: Callable[[], S3Store]) -> Iterator[Chunk]:
    blocks = blocks_of(uri, s3)
    if form.name == "json":
        return json_lines.read(blocks, uri, form.columns, form.documents)
    dialect = PLAIN_CSV if form.name == "csv" else _TSV
    if form.null is not None:
        dialect = replace(dialect, also_null=form.null.encode())
    return _without_header(RecordReader(dialect, uri).chunks(blocks), form.header)


def _without_header(chunks: Iterator[Chunk], header: int) -> Iterator[Chunk]:
    for chunk in chunks:
        left_out = min(header, chunk.rows) if header else 0
        header -= left_out
        rest = chunk.after(left_out) if left_out else chunk
        if rest.text:
            yield rest
