"""The files of an S3 data node that is read, and their bytes without compression."""

from __future__ import annotations

import json
from collections.abc import Generator
from dataclasses import dataclass
from typing import Literal

from core.errors import NotFound, RecordMalformed, StoreError
from steps_impl.activities.objects.nodes import S3DataNode
from steps_impl.formats.opening import BLOCK, unzipped
from stores.s3 import S3Store, parse_uri

_MAGIC = b"\x1f\x8b"
_MANIFEST_LIMIT = 64 << 20


@dataclass(frozen=True)
class InputFile:
    """A file to read: its address, and its name below the node's directory (or alone)."""

    uri: str
    name: str


def input_files(store: S3Store, node: S3DataNode) -> list[InputFile]:
    """Return the files of a node in the order of their keys, or as its manifest lists them.

    Raises:
        NotFound: the file is not there, nothing is below the directory, or a mandatory file of the manifest is missing.
        StoreError: the manifest cannot be read.
    """
    if node.file_path:
        store.size(node.file_path)
        return [InputFile(node.file_path, parse_uri(node.file_path).name)]
    if node.directory_path:
        return _below(store, node.uri)
    return _of_manifest(store, node.uri)


def _below(store: S3Store, directory: str) -> list[InputFile]:
    found = list(store.list(directory))
    if not found:
        raise NotFound(f"there is nothing below {directory}; check directoryPath, or write a directory marker there")
    start = str(parse_uri(directory))
    files = [InputFile(item.uri, str(parse_uri(item.uri)).removeprefix(start)) for item in found]
    return [file for file in files if file.name and not file.name.endswith("/")]


def _of_manifest(store: S3Store, uri: str) -> list[InputFile]:
    try:
        entries = json.loads(store.get_bytes(uri, _MANIFEST_LIMIT))["entries"]
        listed = [(str(entry["url"]), bool(entry.get("mandatory", False))) for entry in entries]
    except (ValueError, KeyError, TypeError):
        raise StoreError(f'{uri} is no manifest in Redshift\'s form: {{"entries": [{{"url": …}}]}}') from None
    files = [InputFile(url, parse_uri(url).name) for url, mandatory in listed if _is_there(store, url, mandatory)]
    if listed and not files:
        raise NotFound(f"none of the files that {uri} lists is there; check the manifest")
    return files


def _is_there(store: S3Store, uri: str, mandatory: bool) -> bool:
    if mandatory:
        store.size(uri)
        return True
    return store.exists(uri)


def blocks(store: S3Store, uri: str, *, compressed: bool, undeclared: Literal["read", "refuse"]) -> Generator[bytes]:
    """Yield a file's bytes without compression.

    Text never begins with gzip's first two bytes (they are no UTF-8), so that gzip data of a node that does not
    declare it is known for sure; ``undeclared`` decides what is done with it.

    Raises:
        RecordMalformed: it is not the gzip data that it should be, is cut off, or is gzip undeclared and refused.
        StoreError: it cannot be read.
    """
    with store.open_reader(uri) as reader:
        start = reader.peek(2)[:2]  # type: ignore[attr-defined]  # it is a BufferedReader
        if start == _MAGIC and not compressed and undeclared == "refuse":
            raise RecordMalformed(f"{uri} is gzip data; say compression: gzip in its data node")
        if start != _MAGIC and compressed and start:
            raise RecordMalformed(f"{uri} is not gzip data; take compression: gzip from its data node")
        yield from unzipped(reader, uri) if start == _MAGIC else iter(lambda: reader.read(BLOCK), b"")
