"""Files to load, found in S3.

COPY takes a path as a prefix: ``…/users`` also loads ``…/users_old`` and whatever a failed attempt left there. Every
load therefore goes through a manifest: the one that an extract wrote, or one that is made here from a listing.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

from core.errors import NotFound
from steps_impl.load.beginnings import LONGEST
from steps_impl.load.manifest import LoadFile, LoadInput, manifest_document, merge_inputs, read_manifest
from stores.s3 import S3Store
from stores.s3.location import S3Location, parse_uri

#: Bytes of the largest manifest that is read.
_LIMIT = 64 << 20
#: Objects of a listing that hold no rows: Hadoop's marker for a finished job.
_MARKERS = frozenset({"_SUCCESS"})


@contextmanager
def open_input(store: S3Store, addresses: Sequence[str], workspace: S3Location | None) -> Iterator[LoadInput]:
    """Find the files behind ``addresses`` and hand out one manifest that names all of them.

    An address is a manifest (its last part is ``manifest`` or ends with ``.manifest``), a directory that an extract
    wrote its ``manifest`` into, a single file, or a directory of files. A manifest that is made here lies under
    ``workspace`` (default: ``ductrunner/manifests/`` in the bucket of the first address) and is deleted at the end.

    Raises:
        NotFound: nothing is there.
        SchemaMismatch: the addresses hold different columns.
    """
    found = [find_input(store, address) for address in addresses]
    if len(found) == 1 and found[0].manifest:
        yield replace(found[0], beginning=lambda uri: _beginning(store, uri))
        return
    place = workspace or S3Location(parse_uri(addresses[0]).bucket, "ductrunner/manifests/")
    uri = str(place.child(f"{uuid.uuid4().hex}.manifest"))
    merged = merge_inputs(found, uri)
    store.put_bytes(uri, manifest_document(merged.files), content_type="application/json")
    try:
        yield replace(merged, beginning=lambda uri: _beginning(store, uri))
    finally:
        store.delete([uri])


def _beginning(store: S3Store, uri: str) -> bytes:
    with store.open_reader(uri) as file:
        return file.read(LONGEST)


def find_input(store: S3Store, address: str) -> LoadInput:
    """Return the files behind one address in S3. Raises as ``open_input`` does."""
    location = parse_uri(address)
    if location.name == "manifest" or location.name.endswith(".manifest"):
        return _read(store, location)
    if location.name and store.exists(str(location)):
        return LoadInput("", (LoadFile(str(location), store.size(str(location))),))
    directory = location.as_directory()
    if store.exists(str(directory.child("manifest"))):
        return _read(store, directory.child("manifest"))
    listed = ((parse_uri(item.uri), item.size) for item in store.list(str(directory)))
    files = tuple(LoadFile(str(place), size) for place, size in listed if place.name and place.name not in _MARKERS)
    if not files:
        raise NotFound(f"there are no files under {directory}; did the step before this one write there?")
    return LoadInput("", files)


def _read(store: S3Store, location: S3Location) -> LoadInput:
    """Read a manifest.

    One in which a file may be missing is not used as it is (COPY would load less in silence), and neither is one whose
    files are named relative to it, as an extract to a directory writes them that was then staged to S3.
    """
    here = S3Location(location.bucket, location.key.removesuffix(location.name))
    return read_manifest(str(location), store.get_bytes(str(location), _LIMIT), lambda url: _address(url, here))


def _address(url: str, directory: S3Location) -> str:
    return str(parse_uri(url) if "://" in url else directory.child(url))
