"""The keys of wrong rows, as a file or an S3 object for whoever asked for them; they go nowhere else."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Self

from core.errors import ParameterError
from core.settings import Settings
from stores.s3 import S3Store, from_disk

_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


class KeyList:
    r"""Lines of ``missing|extra|different``, a tab, and the key's columns with tabs between; NULL is ``\N``.

    They are gathered in a file without a name, so that nothing is left of them whatever ends the process, and appear at
    their place (mode 0600) when the comparison is done.
    """

    def __init__(self, place: str | None, settings: Settings) -> None:
        self._place = place
        self._settings = settings
        self._file: IO[bytes] | None = None

    def __enter__(self) -> Self:
        if self._place:
            if not self._in_s3:
                self._check_path()
            self._file = tempfile.TemporaryFile(prefix="ductrunner-keys-")
        return self

    def __exit__(self, *_: object) -> None:
        if self._file:
            self._file.close()

    @property
    def _in_s3(self) -> bool:
        return str(self._place).startswith(("s3://", "s3n://", "s3a://"))

    @property
    def _path(self) -> Path:
        return Path(self._place or "").expanduser().absolute()

    def _check_path(self) -> None:
        if not os.access(self._path.parent, os.W_OK):
            raise ParameterError(f"--keys-to: cannot write to {self._path.parent}; name a folder that is there")
        if self._path.is_dir():
            raise ParameterError(f"--keys-to: {self._path} is a folder; name a file in it")

    def note(self, fault: str, key: Sequence[str | None]) -> None:
        """Add a row's key, if anybody asked for it."""
        if self._file:
            shown = ["\\N" if part is None else part.translate(_ESCAPES) for part in key]
            self._file.write(("\t".join([fault, *shown]) + "\n").encode("utf-8", "backslashreplace"))

    def publish(self) -> None:
        """Put the list in its place; a file or object that is there is replaced.

        Raises:
            StoreError: S3 refuses it, or the disk does.
        """
        if not self._file:
            return
        self._file.seek(0)
        if self._in_s3:
            with S3Store(region=self._settings.etl.region).open_writer(str(self._place)) as writer:
                shutil.copyfileobj(self._file, writer)
            return
        handle, draft = tempfile.mkstemp(prefix=f".{self._path.name}.", dir=self._path.parent)
        try:
            with os.fdopen(handle, "wb") as file:
                shutil.copyfileobj(self._file, file)
            Path(draft).replace(self._path)
        except OSError as error:
            Path(draft).unlink(missing_ok=True)
            raise from_disk(error, self._path) from None
