"""Which object becomes which file, and the other way round; refused by name where a name cannot be carried over."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from core.errors import StagingFailed
from stores.s3.downloads import Download
from stores.s3.faults import local_file
from stores.s3.location import ObjectInfo, S3Location, parse_uri
from stores.s3.uploads import Upload

#: Longest file name of Linux file systems and longest S3 key, in bytes of UTF-8.
_LONGEST_NAME = 255
_LONGEST_KEY = 1024


class DirectoryPlan:
    """The files and directories that the objects under a prefix become."""

    def __init__(self, prefix: S3Location, directory: Path) -> None:
        self._prefix, self._directory = prefix, directory
        self.directories: dict[PurePosixPath, S3Location] = {}
        self._files: dict[PurePosixPath, Download] = {}

    @property
    def downloads(self) -> list[Download]:
        """The files."""
        return list(self._files.values())

    def add(self, found: ObjectInfo) -> None:
        """Plan one object.

        Key parts become directories. As in a file path, a double slash counts once; two keys that differ only in that
        are refused. A key that ends with a slash is a directory marker.

        Raises:
            StagingFailed: the key would leave the directory, is no file name, or collides with another.
        """
        location = parse_uri(found.uri)
        relative = _relative(location, self._prefix)
        is_marker = location.key.endswith("/")
        if is_marker and found.size:
            raise StagingFailed(f"{location} ends with a slash but holds data; it cannot become a file, rename it")
        for parent in relative.parents:
            self._add_directory(parent, location)
        if is_marker:
            self._add_directory(relative, location)
        else:
            self._add_file(relative, Download(location, self._directory / relative, found.size))

    def create_directories(self) -> None:
        """Make all directories of the plan."""
        for relative in self.directories:
            path = self._directory / relative
            with local_file(path):
                path.mkdir(parents=True, exist_ok=True)

    def _add_directory(self, relative: PurePosixPath, location: S3Location) -> None:
        if relative in self._files:
            raise _collision(location, self._files[relative].location)
        self.directories.setdefault(relative, location)

    def _add_file(self, relative: PurePosixPath, download: Download) -> None:
        other = self._files[relative].location if relative in self._files else self.directories.get(relative)
        if other is not None:
            raise _collision(download.location, other)
        self._files[relative] = download


def walk(directory: Path, target: S3Location, sse: bool) -> Iterator[Upload]:
    """Every file below ``directory`` with its place below ``target``; empty directories have no place in S3.

    A symbolic link to a regular file inside the directory is uploaded as that file. Raises ``StagingFailed`` for any
    other link (so that nothing outside is published and no loop is followed), for sockets, pipes and devices, and for
    names that are not UTF-8 or make a key longer than 1024 bytes.
    """
    root = directory.resolve()
    waiting = [directory]
    while waiting:
        current = waiting.pop()
        with local_file(current):
            entries = sorted(os.scandir(current), key=lambda entry: entry.name)
        for entry in entries:
            path = current / entry.name
            if entry.is_dir(follow_symlinks=False):
                waiting.append(path)
            else:
                yield Upload(path, _key_for(path, directory, target), _file_size(path, root), sse)


def _relative(location: S3Location, prefix: S3Location) -> PurePosixPath:
    parts = [part for part in location.key.removeprefix(prefix.key).split("/") if part]
    return PurePosixPath(*(_checked(part, location) for part in parts))


def _checked(name: str, location: S3Location) -> str:
    if name in {"", ".", ".."} or "/" in name or "\0" in name:
        raise StagingFailed(f"{str(location)!r} cannot be staged: {name!r} is no file name; rename the object")
    if len(name.encode("utf-8", "surrogatepass")) > _LONGEST_NAME:
        raise StagingFailed(f"{location} cannot be staged: a part of its name is longer than {_LONGEST_NAME} bytes")
    return name


def _collision(one: S3Location, other: S3Location) -> StagingFailed:
    return StagingFailed(f"{one} and {other} would become the same file; rename one of them")


def _key_for(path: Path, directory: Path, target: S3Location) -> S3Location:
    relative = path.relative_to(directory).as_posix()
    location = target.child(relative)
    try:
        length = len(location.key.encode("utf-8"))
    except UnicodeEncodeError:
        raise StagingFailed(f"the file name {relative!r} is not UTF-8 and cannot become an S3 key; rename it") from None
    if length > _LONGEST_KEY:
        raise StagingFailed(f"the key for the file {relative!r} would be longer than {_LONGEST_KEY} bytes; shorten it")
    return location


def _file_size(path: Path, root: Path) -> int:
    with local_file(path):
        status = path.lstat()
        if stat.S_ISLNK(status.st_mode):
            status = _link_target(path, root).stat()
    if not stat.S_ISREG(status.st_mode):
        raise StagingFailed(f"{str(path)!r} is not a regular file and cannot be staged; remove it or write a file")
    return status.st_size


def _link_target(path: Path, root: Path) -> Path:
    try:
        target = path.resolve(strict=True)
    except (OSError, RuntimeError):  # RuntimeError: a loop of links, until Python 3.12
        raise StagingFailed(f"the link {str(path)!r} leads nowhere; remove it or write a file") from None
    if not target.is_relative_to(root):
        raise StagingFailed(f"the link {str(path)!r} leads out of the staging directory; copy the file instead")
    return target
