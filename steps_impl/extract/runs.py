"""One run of an extract whose files somebody else may write (a warehouse, S3 itself): names of its own, and an end.

A run looks at its start for what former runs have left: the files of the manifest and those of runs that were killed.
They go when its own manifest is in place. Of two runs at once, the one whose files the other has taken for leftovers
fails before it publishes; there is never a manifest of files that are gone.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import TracebackType
from typing import Any

from core.errors import DuctrunnerError, StoreError
from steps_impl.extract import manifest
from steps_impl.extract.manifest import Entry
from steps_impl.extract.outputs import Output
from steps_impl.extract.publishing import new_run_id, remove_former

_START = "part-"
#: Names that runs give their files, see ``new_run_id``.
_RUN = re.compile(rf"({_START}\d{{8}}T\d{{6}}-[0-9a-f]{{8}})[-/]")


def run_of(name: str) -> str:
    """Return the run that a file's name begins with; empty when it is no run's."""
    match = _RUN.match(name)
    return match[1] if match else ""


class Run:
    """A context manager: when its block fails, the files of the run are removed."""

    def __init__(self, output: Output, cancelled: threading.Event) -> None:
        self.output = output
        self._cancelled = cancelled
        #: What the names of its files begin with.
        self.start = f"{_START}{new_run_id()}"
        self._publishing = False
        self._former = [name for name in output.names(_START) if run_of(name)]

    def name(self, rest: str) -> str:
        """Return the name of a file of this run."""
        return f"{self.start}-{rest}"

    def inside(self, path: str) -> str:
        """Return the name of a file that keeps its own name, in a directory of this run."""
        return f"{self.start}/{path}"

    def publish(
        self,
        entries: Iterable[Entry],
        elements: Sequence[Mapping[str, Any]] | None,
        source: Mapping[str, Any],
    ) -> list[str]:
        """Replace the manifest, delete what former runs left and it does not name; return what could not be deleted.

        Raises:
            InterruptedError: cancelled before.
        """
        if self._cancelled.is_set():
            raise InterruptedError("cancelled before the output was switched")
        self._publishing = True
        self.output.replace_with(manifest.NAME, manifest.pieces(self._kept(entries), elements, source))
        return remove_former(self.output, self._former)

    def _kept(self, entries: Iterable[Entry]) -> Iterator[Entry]:
        """Pass entries on, and take those that name a file of a former run from what will be deleted."""
        start, former = self.output.url(""), set(self._former)
        for entry in entries:
            former.discard(entry.url.removeprefix(start))
            yield entry
        self._former = sorted(former)

    def demand(self, files: int) -> None:
        """Look whether all files of the run are there.

        Raises:
            StoreError: another run has removed some.
        """
        if lost := files - sum(1 for _ in self.output.names(self.start)):
            raise StoreError(
                f"another run has removed {lost} files of this one from {self.output.location('')}; "
                "let one run at a time write there"
            )

    def __enter__(self) -> Run:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            return
        try:
            if not self._is_published():
                self.output.remove(list(self.output.names(self.start)))
        except DuctrunnerError as second:
            error.add_note(f"files of this run are left behind ({second}); names begin with {self.start}")

    def _is_published(self) -> bool:
        """Whether the manifest names this run: the answer to a write that was done may have been lost."""
        return self._publishing and self.start.encode() in (self.output.read(manifest.NAME) or b"")
