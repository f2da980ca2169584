"""Inputs and outputs of a script: their places in S3, and the directories that stand for them.

An address alone has a directory of its own, ``INPUTn_STAGING_DIR`` or ``OUTPUTn_STAGING_DIR``, n in order. Those with
a name (``orders=s3://…``) share one, each as the sub-directory of its name: so Dataduct has it, with a dict of inputs
and a list of outputs. Numbers that the worker has given to staged data nodes are kept; these come after them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from stores.s3 import S3Location, parse_uri

_NAMED = re.compile(r"([\w.-]+)=(s3[na]?://.*)", re.DOTALL | re.IGNORECASE)


@dataclass(frozen=True)
class Place:
    """One ``[NAME=]s3://…``; ``uri`` as it was written."""

    name: str | None
    uri: str

    @property
    def location(self) -> S3Location:
        """Bucket and key."""
        return parse_uri(self.uri)

    @property
    def folder(self) -> S3Location:
        """The prefix of everything inside."""
        return self.location.as_directory()


@dataclass(frozen=True)
class Staged:
    """A place and the directory that stands for it."""

    place: Place
    directory: Path


def read_place(text: str) -> Place:
    """Read one ``[NAME=]s3://bucket/path``.

    Raises:
        ValueError: the name is no file name.
        ParameterError: there is no S3 address.
    """
    found = _NAMED.fullmatch(text)
    place = Place(found[1], found[2]) if found else Place(None, text)
    if place.name in (".", ".."):
        raise ValueError(f"{place.name!r} is no name of a directory")
    parse_uri(place.uri)
    return place


def check_places(inputs: Sequence[str], outputs: Sequence[str]) -> None:
    """Check that names are given once and that no output holds another, or an input: publishing replaces a folder.

    Raises:
        ValueError: they do not go together.
    """
    read, written = [*map(read_place, inputs)], [*map(read_place, outputs)]
    for places in (read, written):
        names = [place.name for place in places if place.name]
        if twice := next((name for name in names if names.count(name) > 1), None):
            raise ValueError(f"the name {twice!r} is given twice")
    for number, output in enumerate(written):
        if not output.folder.key:
            raise ValueError(
                f"the output {output.uri} is a whole bucket; name a folder, its former content is replaced"
            )
        for other in (*read, *written[number + 1 :]):
            if _overlap(output.folder, other.folder):
                raise ValueError(f"the output {output.uri} and {other.uri} lie in one another; use folders apart")


def _overlap(one: S3Location, other: S3Location) -> bool:
    return one.bucket == other.bucket and (one.key.startswith(other.key) or other.key.startswith(one.key))


def allot(
    kind: str, places: Iterable[Place], root: Path, environment: Mapping[str, str]
) -> tuple[list[Staged], dict[str, str]]:
    """Return a directory below ``root`` for each place, and the variables that name them.

    ``kind`` is ``INPUT`` or ``OUTPUT``; directories are not made.
    """
    number = next_number(kind, environment)
    variables: dict[str, str] = {}
    staged, shared = [], None
    for place in places:
        directory = shared if place.name and shared else root / f"{kind.lower()}{number}"
        if directory != shared:
            variables[variable(kind, number)] = str(directory)
            number += 1
        shared = directory if place.name else shared
        staged.append(Staged(place, directory / place.name if place.name else directory))
    return staged, variables


def variable(kind: str, number: int) -> str:
    """Return the name of the variable that names a directory."""
    return f"{kind}{number}_STAGING_DIR"


def next_number(kind: str, environment: Mapping[str, str]) -> int:
    """Return the first number behind those that are taken."""
    taken = (re.fullmatch(rf"{kind}(\d+)_STAGING_DIR", name) for name in environment)
    return max((int(found[1]) for found in taken if found), default=0) + 1
