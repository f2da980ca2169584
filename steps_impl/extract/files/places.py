"""A place that somebody names in one parameter, as a source of files."""

from __future__ import annotations

import threading
from pathlib import Path

from steps_impl.extract.files.local_source import LocalSource
from steps_impl.extract.files.s3_source import S3Source
from steps_impl.extract.files.source import FileSource
from stores.s3 import S3Store, parse_uri


def source_at(store: S3Store, place: str, cancelled: threading.Event) -> FileSource:
    """Return what is at a path or an ``s3://`` address: an object of this key, else a directory.

    Raises:
        ParameterError: it is no address.
        UnsupportedValue: the path is a pipe or a device.
    """
    if "://" not in place:
        return LocalSource(store, Path(place), cancelled)
    is_file = bool(parse_uri(place).name) and store.exists(place)
    return S3Source(store, place, cancelled, directory=not is_file)
