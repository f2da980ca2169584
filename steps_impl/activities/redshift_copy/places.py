"""Where files of S3 are: what a data node names, as COPY is told it.

COPY takes an address for a prefix. AWS hands it on as it is, so public definitions put a folder into ``filePath`` and a
file into ``directoryPath``; both are read. An object that is named exactly is loaded alone, though: where others begin
with its name, it goes through a manifest.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from typing import Any

from core.errors import AccessDenied, NotFound, UnsupportedValue
from steps_impl.activities.objects.nodes import S3DataNode
from steps_impl.load.s3_input import open_input
from stores.s3 import S3Store
from stores.s3.location import S3Location

#: Bytes of the largest manifest that is read.
_MANIFEST_LIMIT = 64 << 20
#: Objects of a prefix that are looked at.
_LIMIT = 10_000


@dataclass(frozen=True)
class Place:
    """What COPY reads."""

    address: str
    #: The address is a manifest.
    manifest: bool = False
    #: The objects, as far as this machine may list them.
    files: tuple[str, ...] = ()


@contextmanager
def open_place(store: S3Store, node: S3DataNode, workspace: S3Location | None) -> Iterator[Place]:
    """Hand out the place of a node's data; a manifest that was made for it is gone afterwards.

    Raises:
        NotFound: there is nothing.
        UnsupportedValue: the manifest is none.
        StoreError: S3 refuses.
    """
    if node.manifest_file_path:
        yield Place(node.manifest_file_path, manifest=True, files=_entries(store, node.manifest_file_path))
        return
    address = node.file_path or node.uri
    found = _listed(store, address)
    if not found and node.directory_path:
        address = node.directory_path
        found = _listed(store, address)
    if found is None:
        yield Place(address)
    elif not found:
        raise NotFound(f"{node.label}: there is nothing at {address}")
    elif address in found and len(found) > 1:
        with open_input(store, [address], workspace) as alone:
            yield Place(alone.manifest, manifest=True, files=(address,))
    else:
        yield Place(address, files=found)


def _listed(store: S3Store, prefix: str) -> tuple[str, ...] | None:
    """Return the objects of a prefix that hold something or are named exactly; ``None`` when they may not be listed."""
    try:
        found = list(islice(store.list(prefix), _LIMIT))
    except AccessDenied:
        return None
    return tuple(item.uri for item in found)


def _entries(store: S3Store, uri: str) -> tuple[str, ...]:
    try:
        document: Any = json.loads(store.get_bytes(uri, _MANIFEST_LIMIT))
        return tuple(str(entry["url"]) for entry in document["entries"])
    except AccessDenied:
        return ()
    except (ValueError, KeyError, TypeError):
        raise UnsupportedValue(f"{uri} is not a manifest of Redshift: it needs entries, each with a url") from None
