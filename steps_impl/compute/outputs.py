"""What a script has written, published: all outputs together, or nothing of them.

Files are sent as uploads that are not complete yet, very many into a draft; when all have arrived, they appear. An
output that is written anew loses its marker ``_SUCCESS`` first, and gets it last, when what was there before and is no
part of the new run has gone. So who waits for the marker never sees a half, and a failure before the last moment
changes nothing at all. S3 has no way to show several objects in one moment: without the marker some may be seen.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

from core.errors import StagingFailed
from steps_impl.activities.cluster.publishing import MARKER
from steps_impl.compute.many_files import publish_many
from steps_impl.compute.places import Staged
from stores.s3 import S3Store, TransferTotals, Upload, from_disk, walk

#: Files that are completed together; more go through a draft.
TOGETHER = 5_000


def make_directories(staged: Sequence[Staged], variables: Mapping[str, str]) -> None:
    """Make the directories that the script writes to."""
    for directory in (*map(Path, variables.values()), *(entry.directory for entry in staged)):
        try:
            directory.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise from_disk(error, directory) from None


def publish(
    store: S3Store, staged: Sequence[Staged], variables: Mapping[str, str], cancelled: threading.Event
) -> TransferTotals:
    """Replace what is in the outputs' folders by what is in their directories.

    Raises:
        StagingFailed: a file lies beside the named outputs, or cannot become an object; nothing was changed.
        AccessDenied, NotFound, StoreUnreachable: S3 did not take it.
        InterruptedError: ``cancelled`` was set.
    """
    _check_nothing_beside(staged, variables)
    outputs = [(entry.place.folder, _uploads(entry)) for entry in staged]
    uploads = [upload for _, files in outputs for upload in files]
    former = {found.uri for entry in staged for found in store.list(str(entry.place.folder))}
    markers = [str(entry.place.folder.child(MARKER)) for entry in staged]
    if len(uploads) > TOGETHER:
        totals = publish_many(store, outputs, cancelled, lambda: store.delete(markers))
    else:
        totals = store.upload_together(uploads, cancelled, before=lambda: store.delete(markers))
    store.delete(former - {str(upload.location) for upload in uploads} - set(markers))
    for marker in markers:
        store.put_bytes(marker, b"")
    return totals


def _uploads(entry: Staged) -> list[Upload]:
    if not entry.directory.is_dir():
        raise StagingFailed(f"the directory of the output {entry.place.uri} is gone; leave it and write into it")
    uploads = list(walk(entry.directory, entry.place.folder, sse=True))
    own = entry.place.folder.child(MARKER)
    return [upload for upload in uploads if upload.location != own]


def _check_nothing_beside(staged: Sequence[Staged], variables: Mapping[str, str]) -> None:
    """Refuse files that no output has, rather than lose them."""
    known = {entry.directory for entry in staged}
    for name, text in variables.items():
        shared = Path(text)
        if shared in known or not shared.is_dir():
            continue
        if beside := sorted(path.name for path in shared.iterdir() if path not in known):
            names = ", ".join(sorted(directory.name for directory in known if directory.parent == shared))
            raise StagingFailed(f"{beside[0]!r} lies in ${name} beside the named outputs ({names}); write it into one")
