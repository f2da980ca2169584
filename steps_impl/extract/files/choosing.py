"""Which files of a source are taken, and how to see that they stay the same while they are."""

from __future__ import annotations

import hashlib
import posixpath
from collections.abc import Iterator
from fnmatch import fnmatchcase

from core.errors import NotFound, UnsupportedValue
from steps_impl.activities.dynamodb.directory import is_hidden
from steps_impl.extract.files.parameters import FileParameters
from steps_impl.extract.files.source import FileSource, SourceFile


class Choice:
    """One look at a source; counts what it yields and sums up what would show a change."""

    def __init__(self, source: FileSource, parameters: FileParameters) -> None:
        self._source, self._parameters = source, parameters
        self._digest = hashlib.sha256()
        self.files = self.bytes = self.skipped = 0
        #: Rows of all files; ``None`` when one of them does not say.
        self.rows: int | None = 0

    @property
    def digest(self) -> str:
        """The sum of names, sizes and marks of all files that were yielded."""
        return self._digest.hexdigest()

    def __iter__(self) -> Iterator[SourceFile]:
        for file in self._source.files():
            if not self._is_wanted(file.name):
                continue
            if not file.size and self._parameters.empty_files != "keep":
                self._refuse_empty(file)
                self.skipped += 1
                continue
            self._digest.update(f"{file.name}\0{file.size}\0{file.mark}\0".encode("utf-8", "surrogateescape"))
            self.files, self.bytes = self.files + 1, self.bytes + file.size
            self.rows = None if self.rows is None or file.rows is None else self.rows + file.rows
            yield file
        if not self.files and self._parameters.when_missing == "fail":
            raise NotFound(
                f"there are no files to take in {self._source.place}; check the path and --pattern, or allow it with "
                "--when-missing empty"
            )

    def _is_wanted(self, name: str) -> bool:
        if is_hidden(posixpath.basename(name)):
            return False
        return self._parameters.pattern is None or fnmatchcase(name, self._parameters.pattern)

    def _refuse_empty(self, file: SourceFile) -> None:
        if self._parameters.empty_files == "fail":
            raise UnsupportedValue(f"{file.where} is empty; write it again, or allow it with --empty-files keep")
