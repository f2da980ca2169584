"""Jars and scripts of an activity: fetched from S3, or found on this machine."""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

from core.errors import NotFound, ParameterError, ScriptNotFound
from core.settings import load_settings
from steps_impl.activities.cluster.cluster import Cluster
from steps_impl.contract import ATTEMPT_VARIABLE

_NO_NAME = re.compile(r"[^\w.=@-]+")
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


def script_text(cluster: Cluster, text: str | None, uri: str | None) -> str:
    """Return a script that a definition holds, or names by its address.

    Raises:
        ParameterError: it is not UTF-8.
        ScriptNotFound, StoreError: as ``fetch``.
    """
    if text is not None or uri is None:
        return text or ""
    try:
        return fetch(cluster, uri, "script").read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ParameterError(f"the script {uri} is not UTF-8 (at byte {error.start}); save it as UTF-8") from None


def keep_script(cluster: Cluster, name: str, text: str, folder: str | None) -> Path:
    """Write a script for a program of the cluster, readable by nobody else; put a copy into a folder of S3, if any.

    The copy is named for the attempt, with the ending of ``name``.
    """
    if folder:
        from stores.s3 import S3Store

        attempt = cluster.context.environment.get(ATTEMPT_VARIABLE) or cluster.label
        copy = _NO_NAME.sub("_", attempt) + PurePosixPath(name).suffix
        S3Store(region=load_settings().etl.region).put_bytes(f"{folder.rstrip('/')}/{copy}", text.encode())
    return cluster.write_private(name, text)


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
