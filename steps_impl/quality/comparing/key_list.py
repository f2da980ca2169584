"""The keys of wrong rows, as a file or an S3 object for whoever asked for them; they go nowhere else."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Self

from core.errors import ParameterError
from core.settings import Settings
from stores.s3 import S3Store

_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


class KeyList:
    r"""Lines of ``missing|extra|different``, a tab, and the key's columns with tabs between; NULL is ``\N``.

    They are gathered in a private file (mode 0600) and appear at their place only when the comparison is done.
    """

    def __init__(self, place: str | None, settings: Settings) -> None:
        self._place = place
        self._settings = settings
        self._draft: Path | None = None
        self._file: IO[str] | None = None

    def __enter__(self) -> Self:
        if self._place:
            directory = None if self._in_s3 else Path(self._place).expanduser().absolute().parent
            try:
                handle, name = tempfile.mkstemp(prefix=".ductrunner-keys-", dir=directory)
            except OSError as error:
                raise ParameterError(f"--keys-to: cannot write to {directory}: {error.strerror}") from None
            self._draft, self._file = Path(name), os.fdopen(handle, "w", encoding="utf-8", newline="\n")
        return self

    def __exit__(self, *_: object) -> None:
        if self._file:
            self._file.close()
        if self._draft:
            self._draft.unlink(missing_ok=True)

    @property
    def _in_s3(self) -> bool:
        return bool(self._place) and str(self._place).startswith(("s3://", "s3n://", "s3a://"))

    def note(self, fault: str, key: Sequence[str | None]) -> None:
        """Add a row's key, if anybody asked for it."""
        if self._file:
            shown = ["\\N" if part is None else part.translate(_ESCAPES) for part in key]
            self._file.write("\t".join([fault, *shown]) + "\n")

    def publish(self) -> None:
        """Put the file in its place.

        Raises:
            StoreError: S3 refuses it.
        """
        if not self._file or not self._draft or not self._place:
            return
        self._file.close()
        if self._in_s3:
            S3Store(region=self._settings.etl.region).upload_file(self._draft, self._place)
        else:
            self._draft.replace(Path(self._place).expanduser())
