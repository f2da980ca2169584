"""The main class of a jar.

``hadoop jar`` takes the class that the jar's manifest names, and only without one the first argument. A definition that
names another class than the manifest does gets a copy of the jar whose manifest names none.
"""

from __future__ import annotations

import re
import shutil
import zipfile
from pathlib import Path

from core.errors import ParameterError
from steps_impl.activities.cluster.cluster import Cluster

_MANIFEST = "META-INF/MANIFEST.MF"
#: The entry with its continuation lines, which begin with a blank.
_MAIN_CLASS = re.compile(rb"^Main-Class:[ \t]*(.*(?:\r?\n .*)*)\r?\n", re.IGNORECASE | re.MULTILINE)
_SIGNATURE = re.compile(r"META-INF/[^/]+\.(SF|RSA|DSA|EC)", re.IGNORECASE)


def for_main_class(cluster: Cluster, jar: Path, main_class: str) -> tuple[Path, list[str]]:
    """Return the jar to run and the words between it and the arguments, so that ``main_class`` is run.

    Raises:
        ParameterError: it is not a jar.
    """
    try:
        with zipfile.ZipFile(jar) as archive:
            named = _named(archive)
            if named == main_class:
                return jar, []
            return (jar if named is None else _without(archive, cluster.new_file(jar.name))), [main_class]
    except zipfile.BadZipFile:
        raise ParameterError(f"{cluster.label}: {jar.name} is not a jar") from None


def _manifest(archive: zipfile.ZipFile) -> bytes:
    try:
        return archive.read(_MANIFEST) + b"\n"
    except KeyError:
        return b""


def _named(archive: zipfile.ZipFile) -> str | None:
    found = _MAIN_CLASS.search(_manifest(archive))
    return re.sub(rb"\r?\n ", b"", found[1]).decode("utf-8", "replace").strip() if found else None


def _without(archive: zipfile.ZipFile, path: Path) -> Path:
    """Write the jar without the entry, and without signatures, which would not fit any more."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as target:
        target.writestr(_MANIFEST, _MAIN_CLASS.sub(b"", _manifest(archive)))
        for entry in archive.infolist():
            if entry.filename == _MANIFEST or _SIGNATURE.fullmatch(entry.filename):
                continue
            with archive.open(entry) as source, target.open(entry.filename, "w", force_zip64=True) as copy:
                shutil.copyfileobj(source, copy)
    return path
