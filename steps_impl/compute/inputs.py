"""What a script reads, brought to this machine: inputs, a directory of scripts, additional files."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from core.errors import NotFound, ParameterError, ScriptNotFound
from steps_impl.compute.places import Staged
from stores.s3 import DirectoryPlan, S3Store, TransferTotals, from_disk, require_room


class Fetching:
    """Everything that is to come from S3: listed and measured first, then fetched side by side."""

    def __init__(self, store: S3Store, cancelled: threading.Event) -> None:
        self._store = store
        self._cancelled = cancelled
        self._plans: list[DirectoryPlan] = []

    def add(self, staged: Sequence[Staged]) -> None:
        """Add inputs; ``NotFound`` when one is not there."""
        for entry in staged:
            _make(entry.directory)
            self._plan(entry.place.uri, entry.directory)

    def add_folder(self, uri: str, directory: Path) -> None:
        """Add all that is below ``uri``; ``NotFound`` when there is nothing."""
        _make(directory)
        self._plans.append(self._store.plan_directory(uri, directory, self._cancelled))

    def add_file(self, uri: str, directory: Path) -> None:
        """Add one object, under its own name; ``NotFound`` when it is not there."""
        _make(directory)
        self._plans.append(self._store.plan_file(uri, directory, self._cancelled))

    def fetch(self, root: Path, reserve: int) -> TransferTotals:
        """Fetch all of it; ``reserve`` bytes of the disk of ``root`` stay free.

        Raises:
            DiskFull: it does not fit; nothing was fetched.
        """
        downloads = [download for plan in self._plans for download in plan.downloads]
        entries = len(downloads) + sum(len(plan.directories) for plan in self._plans)
        require_room([download.size for download in downloads], entries, root, reserve)
        for plan in self._plans:
            plan.create_directories()
        return self._store.download_many(downloads, self._cancelled)

    def _plan(self, uri: str, directory: Path) -> None:
        """Plan an input: a folder where the address ends with a slash or there is no object of that key."""
        if uri.endswith("/"):
            self.add_folder(uri, directory)
            return
        try:
            self.add_file(uri, directory)
        except NotFound:
            self.add_folder(uri, directory)


def copy_directory(source: str, directory: Path) -> None:
    """Copy a directory of this machine, so that its files can be made executable.

    Raises:
        ScriptNotFound: there is no such directory.
        DiskFull: it does not fit.
    """
    _locally(source, Path(source).is_dir, lambda: shutil.copytree(source, directory, symlinks=True, dirs_exist_ok=True))


def copy_file(source: str, directory: Path) -> None:
    """Copy a file of this machine into a directory; errors as ``copy_directory``."""
    _locally(source, Path(source).is_file, lambda: shutil.copy2(source, directory))


def check_names(uris: Sequence[str]) -> None:
    """Raise ``ParameterError`` when two additional files have one name, or one has none."""
    names = [uri.rstrip("/").rpartition("/")[2] for uri in uris]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise ParameterError(f"two additional files have the name {twice!r}; rename one")


def make_executable(directory: Path) -> None:
    """Let every file be run by its owner: S3 keeps no permissions."""
    for path in directory.rglob("*"):
        if path.is_file() and not path.is_symlink():
            path.chmod(path.stat().st_mode | 0o700)


def _locally(source: str, there: Callable[[], bool], copy: Callable[[], object]) -> None:
    if not there():
        raise ScriptNotFound(f"{source!r} is not on this machine")
    try:
        copy()
    except shutil.Error as error:  # a list of what could not be copied
        raise ScriptNotFound(f"{source!r} cannot be read: {error.args[0][0][2]}") from None
    except OSError as error:
        raise from_disk(error, Path(source)) from None


def _make(directory: Path) -> None:
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise from_disk(error, directory) from None
