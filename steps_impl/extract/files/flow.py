"""The way of whole files: looked at, counted and copied where that is asked for, then published with a manifest.

They are looked at again while the manifest is written, which appears with its last byte: a file that came, went or
changed in between is a failure, and the former manifest stays. Nothing here holds the list of all files.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from core.errors import ObjectReplaced, ParameterError, UnsupportedValue
from steps_impl.contract import StepContext, StepResult
from steps_impl.extract.files.choosing import Choice
from steps_impl.extract.files.parameters import FileParameters
from steps_impl.extract.files.source import FileSource, SourceFile, batches
from steps_impl.extract.manifest import Entry
from steps_impl.extract.outputs import Output, open_output
from steps_impl.extract.publishing import described, place_of
from steps_impl.extract.runs import Run
from steps_impl.formats.counting import count_rows
from steps_impl.formats.unpacked import BROKEN, unpacked

#: Files that are read at the same time.
_READERS = 8


@dataclass
class FileExtract:
    """One extract of whole files; without ``copies`` its manifest names them where they are."""

    parameters: FileParameters
    context: StepContext
    source: FileSource
    copies: bool
    _rows: list[int] = field(default_factory=list)

    def run(self) -> StepResult:
        """Do it.

        Raises:
            ParameterError: the output lies in the source.
            NotFound: there is no file, or one went.
            ObjectReplaced: a file changed while the step was running.
            UnsupportedValue: a file is empty or cannot be counted.
            StoreError, StagingFailed: the source or the output failed.
            InterruptedError: cancelled; the files of this run are removed.
        """
        with (
            closing(open_output(place_of(self.parameters.output, self.context))) as output,
            Run(output, self.context.cancelled) as run,
        ):
            self._demand_apart(output)
            first = self._take(run)
            again = Choice(self.source, self.parameters)
            about = {"host": self.source.place, "table": None, "format": self._format(), "compression": None}
            entries = self._checked(run, self._entries(again, run), first, again)
            leftovers = run.publish(entries, self._elements(), about)
            details = {**described(output, max(1, first.files), leftovers), "skipped": first.skipped}
            rows = sum(self._rows) if self.parameters.count_rows else first.rows
            return StepResult(rows=rows, bytes=first.bytes, details=details)

    def _demand_apart(self, output: Output) -> None:
        """Refuse an output among the files that are taken: the next run would take its manifest for theirs."""
        if self.source.directory is None:
            return
        place = output.location("")
        if _absolute(place).startswith(_absolute(self.source.directory)):
            raise ParameterError(f"--output: {place} lies in {self.source.place}; give another place")

    def _take(self, run: Run) -> Choice:
        """Look at all files once; count and copy them."""
        choice = Choice(self.source, self.parameters)
        for batch in batches(choice):
            self._stop_when_cancelled()
            if self.parameters.count_rows:
                self._count(batch)
            if self.copies:
                self.source.deliver(batch, run.output, run.inside(""))
            self.context.reporter.progress("take", bytes=choice.bytes)
        if not choice.files:
            run.output.replace(run.name("empty"), b"")
        return choice

    def _count(self, batch: list[SourceFile]) -> None:
        with ThreadPoolExecutor(_READERS, thread_name_prefix="count") as pool:
            self._rows += pool.map(self._rows_in, batch)

    def _rows_in(self, file: SourceFile) -> int:
        form = self.parameters.input_format
        assert form is not None  # the parameters say so
        try:
            with self.source.open(file) as raw, unpacked(raw, file.name) as content:
                rows = count_rows(content, form, self._stop_when_cancelled)
        except BROKEN:
            raise UnsupportedValue(f"{file.where} is not a whole compressed file; write it again") from None
        return max(0, rows - 1) if self.parameters.header else rows

    def _entries(self, choice: Choice, run: Run) -> Iterator[Entry]:
        """Yield an entry for each file, and one for an empty file where there is none."""
        for number, file in enumerate(choice):
            self._stop_when_cancelled()
            rows = self._rows[number] if number < len(self._rows) else file.rows
            if self.copies:
                yield Entry(run.output.url(run.inside(file.name)), file.size, rows)
            else:
                yield Entry(file.where, file.size, rows, file.mark)
        if not choice.files:
            yield Entry(run.output.url(run.name("empty")), 0, 0)

    def _checked(self, run: Run, entries: Iterable[Entry], first: Choice, again: Choice) -> Iterator[Entry]:
        """Pass the entries on; fail before the end when the files are not those of the first look."""
        yield from entries
        if self.copies:
            run.demand(max(1, first.files))
        if again.digest != first.digest:
            raise ObjectReplaced(f"files in {self.source.place} came, went or changed in between; run the step again")

    def _format(self) -> str | None:
        return self.parameters.input_format or self.source.known().format

    def _elements(self) -> list[dict[str, object]] | None:
        known = self.source.known().elements
        return self.parameters.elements or (None if known is None else list(known))

    def _stop_when_cancelled(self) -> None:
        if self.context.cancelled.is_set():
            raise InterruptedError("cancelled")


def _absolute(place: str) -> str:
    return place if "://" in place else f"{Path(place).resolve()}/"
