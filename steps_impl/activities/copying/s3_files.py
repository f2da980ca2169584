"""From S3 to S3: whole objects inside S3 where nothing of them changes, their bytes or records through here otherwise.

Nothing appears before all of it is there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from core.errors import ParameterError
from core.sections.activities import CopyActivitySettings
from steps_impl.activities.copying.formats import dialect_of
from steps_impl.activities.copying.lines import count
from steps_impl.activities.copying.reading import RecordReader
from steps_impl.activities.copying.s3_input import InputFile, blocks, input_files
from steps_impl.activities.copying.s3_output import OutputFile, Outputs
from steps_impl.activities.copying.writing import file_writer
from steps_impl.activities.objects.nodes import S3DataNode
from steps_impl.contract import StepContext, StepResult
from stores.s3 import Copy, S3Store, parse_uri


class FileCopy:
    """A copy from one S3 data node to another."""

    def __init__(
        self, source: S3DataNode, target: S3DataNode, settings: CopyActivitySettings, context: StepContext
    ) -> None:
        self._source, self._target = source, target
        self._settings, self._context = settings, context
        self._store = S3Store()
        self._reading = dialect_of(source, settings.dialect)
        self._writing = dialect_of(target, settings.dialect)
        self._rows = 0

    def run(self) -> StepResult:
        """Copy, and return what was copied.

        Raises:
            RecordMalformed: a file that cannot be read.
            StoreError: S3 refuses something.
            InterruptedError: the step was cancelled; nothing appears.
        """
        files = input_files(self._store, self._source)
        names = self._names(files)
        same = self._reading.reads_like(self._writing)
        one_each = bool(self._target.directory_path or self._source.file_path)
        if same and one_each and self._source.compression == self._target.compression:
            return self._inside_s3(files, names)
        return self._through_here(files, names, same=same)

    def _names(self, files: Sequence[InputFile]) -> list[str]:
        """Return where each file goes; several files become one where the output is a file."""
        if not self._target.directory_path:
            return [self._target.uri] * len(files)
        names = [self._target.uri + _suffixed(file.name, self._source, self._target) for file in files]
        if len(set(names)) < len(names):
            raise ParameterError(f"two files of {self._source.label} have the same name; copy them to a file instead")
        return names

    def _inside_s3(self, files: Sequence[InputFile], names: Sequence[str]) -> StepResult:
        encrypted = self._target.encrypted
        copies = [
            Copy(parse_uri(file.uri), parse_uri(name), encrypted) for file, name in zip(files, names, strict=True)
        ]
        self._context.reporter.progress(f"copy {len(copies)} objects")
        totals = self._store.copy_many(copies, self._context.cancelled)
        return StepResult(bytes=totals.bytes, details={"files": totals.files, "way": "inside S3"})

    def _through_here(self, files: Sequence[InputFile], names: Sequence[str], *, same: bool) -> StepResult:
        outputs = Outputs(self._store, encrypted=self._target.encrypted, compressed=self._target.compression == "gzip")
        with outputs:
            output: OutputFile | None = None
            for file, name in zip(files, names, strict=True):
                if output is None or self._target.directory_path:
                    output = self._next(outputs, output, name)
                for piece in self._bytes_of(file) if same else self._records_of(file):
                    self._check()
                    output.write(piece)
                    self._context.reporter.progress("copy", rows=self._rows or None, bytes=outputs.bytes)
            if output is None and not self._target.directory_path:
                output = self._next(outputs, None, self._target.uri)
            if output is not None:
                output.close()
            self._check()
        way = "bytes" if same else "records"
        rows = None if same else self._rows
        return StepResult(rows=rows, bytes=outputs.bytes, details={"files": len(outputs.files), "way": way})

    def _next(self, outputs: Outputs, former: OutputFile | None, name: str) -> OutputFile:
        if former is not None:
            former.close()
        return outputs.create(name)

    def _bytes_of(self, file: InputFile) -> Iterator[bytes]:
        """Yield a file's bytes, with an end to its last record: another file may follow."""
        last = self._reading.end
        for block in self._blocks(file):
            yield block
            last = block[-1:]
        if last != self._reading.end:
            yield self._reading.end

    def _records_of(self, file: InputFile) -> Iterator[bytes]:
        writer = file_writer(self._writing)
        for chunk in RecordReader(self._reading, file.uri).chunks(self._blocks(file)):
            self._rows += count(chunk.text)
            yield writer.encode(chunk.text)

    def _blocks(self, file: InputFile) -> Iterable[bytes]:
        compressed = self._source.compression == "gzip"
        return blocks(self._store, file.uri, compressed=compressed, undeclared=self._settings.undeclared_gzip)

    def _check(self) -> None:
        if self._context.cancelled.is_set():
            raise InterruptedError("cancelled while copying")


def _suffixed(name: str, source: S3DataNode, target: S3DataNode) -> str:
    """Return a file's name, with or without ``.gz`` where the compression changes."""
    if source.compression == target.compression:
        return name
    return name.removesuffix(".gz") + (".gz" if target.compression == "gzip" else "")
