"""Jars and scripts of an activity: fetched from S3, or found on this machine."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

from core.errors import NotFound, ScriptNotFound
from core.settings import load_settings
from steps_impl.activities.cluster.cluster import Cluster

_S3 = re.compile(r"s3[na]?://", re.IGNORECASE)


def is_in_s3(text: str) -> bool:
    """Tell whether a text is an S3 address, in any of Hadoop's spellings."""
    return _S3.match(text) is not None


def fetch(cluster: Cluster, uri: str, what: str) -> Path:
    """Return a file of S3 (fetched into a folder of its own, under its own name) or of this machine.

    Args:
        cluster: Whose work folder it goes to.
        uri: ``s3://…``, ``s3n://…``, ``file:///…`` or a path; a relative path is one in the work folder.
        what: What it is, for messages: ``jar`` or ``script``.

    Raises:
        ScriptNotFound: it is not there.
        StoreError: S3 does not give it.
    """
    if is_in_s3(uri):
        return _fetch_object(cluster, uri, what)
    path = cluster.work / (unquote(urlsplit(uri).path) if uri.startswith("file:") else uri)
    if not path.is_file():
        raise ScriptNotFound(f"{cluster.label}: the {what} {uri!r} is not on this machine")
    return path


def _fetch_object(cluster: Cluster, uri: str, what: str) -> Path:
    from stores.s3 import S3Store, parse_uri

    name = parse_uri(uri).name
    if not name:
        raise ScriptNotFound(f"{cluster.label}: the {what} {uri!r} names no file; write s3://bucket/folder/file")
    path = cluster.new_file(name)
    try:
        S3Store(region=load_settings().etl.region).download_file(uri, path, cluster.context.cancelled)
    except NotFound:
        raise ScriptNotFound(f"{cluster.label}: the {what} {uri!r} is not there") from None
    path.chmod(0o700)
    return path
