"""An UNLOAD for a directory of this machine: UNLOAD writes to S3 alone, so the files pass through a folder there.

The folder's name follows from machine and directory, so that a run removes what one has left that was killed.
"""

from __future__ import annotations

import hashlib
import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from pathlib import Path

from core.errors import DuctrunnerError
from steps_impl.extract.outputs import LocalOutput, S3Output
from steps_impl.extract.runs import Run
from steps_impl.extract.unloaded import Unloaded
from stores.s3 import Download, S3Location, S3Store, parse_uri, require_room


@contextmanager
def open_passage(workspace: S3Location, output: LocalOutput, cancelled: threading.Event) -> Iterator[Run]:
    """Hand out a run in S3; its files are gone afterwards."""
    place = f"{socket.gethostname()}\0{Path(output.location('')).resolve()}"
    name = hashlib.sha256(place.encode("utf-8", "surrogateescape")).hexdigest()[:32]
    with closing(S3Output(str(workspace.child(f"{name}/")))) as folder, Run(folder, cancelled) as run:
        try:
            yield run
        finally:
            with suppress(DuctrunnerError):  # the next run removes them
                folder.remove(list(folder.names("part-")))


def fetch(
    store: S3Store, unloaded: Unloaded, passed: Run, run: Run, reserve: int, cancelled: threading.Event
) -> Unloaded:
    """Bring the files of an UNLOAD into the directory of ``run``; ``reserve`` bytes of its disk stay free.

    Raises:
        DiskFull: they do not fit; nothing was written.
        StoreError, StagingFailed: S3 or the directory failed.
        InterruptedError: cancelled.
    """
    directory, start = Path(run.output.location("")), passed.output.location(passed.start)
    require_room([entry.bytes for entry in unloaded.entries], len(unloaded.entries), directory, reserve)
    names = [run.start + entry.url.removeprefix(start) for entry in unloaded.entries]
    store.download_many(
        [
            Download(parse_uri(entry.url), directory / name, entry.bytes)
            for entry, name in zip(unloaded.entries, names, strict=True)
        ],
        cancelled,
    )
    entries = [replace(entry, url=run.output.url(name)) for entry, name in zip(unloaded.entries, names, strict=True)]
    return replace(unloaded, entries=entries)
