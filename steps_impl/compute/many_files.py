"""Many files of a script, published by way of drafts in S3.

A draft is a folder beside the output. All files are sent there first; then S3 copies each to its place, with one
request and no byte through this machine, and the draft goes. So a failure while files are sent changes nothing, and
what a ``kill -9`` leaves is removed by the next run. Uploads that are completed together would take three requests a
file, not two.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace

from core.errors import DuctrunnerError
from stores.s3 import LARGEST_AT_ONCE, Copy, S3Location, S3Store, TransferTotals, Upload

#: What the name of a draft ends with.
_ENDING = "_draft-of-transform/"


def publish_many(
    store: S3Store,
    outputs: Sequence[tuple[S3Location, Sequence[Upload]]],
    cancelled: threading.Event,
    before: Callable[[], None],
) -> TransferTotals:
    """Send the files of all outputs (a folder and what goes into it), then let them appear one after the other.

    ``before`` is called when all are sent and the first one is about to appear.

    Raises:
        AccessDenied, NotFound, StoreUnreachable: S3 did not take a file. Before the first one has appeared nothing is
            changed.
        InterruptedError: ``cancelled`` was set.
    """
    with _drafts(store, [folder for folder, _ in outputs]) as drafts:

        def files() -> Iterator[tuple[Upload, S3Location]]:
            for (folder, uploads), draft in zip(outputs, drafts, strict=True):
                for file in uploads:
                    yield file, draft.child(file.location.key.removeprefix(folder.key))

        def copies(*, large: bool) -> Iterator[Copy]:
            chosen = ((file, sent) for file, sent in files() if (file.size > LARGEST_AT_ONCE) == large)
            return (Copy(sent, file.location, file.sse) for file, sent in chosen)

        totals = store.upload_many((replace(file, location=sent) for file, sent in files()), cancelled)
        before()
        store.copy_each(copies(large=False), cancelled)
        store.copy_many(list(copies(large=True)), cancelled)
    return totals


@contextmanager
def _drafts(store: S3Store, folders: Sequence[S3Location]) -> Iterator[Sequence[S3Location]]:
    """Hand out an empty draft for each folder; they are gone afterwards."""
    drafts = [S3Location(folder.bucket, folder.key.rstrip("/") + _ENDING) for folder in folders]

    def remove() -> None:
        for draft in drafts:
            store.delete(found.uri for found in store.list(str(draft)))

    remove()
    try:
        yield drafts
    except BaseException:
        with suppress(DuctrunnerError):  # the next run removes them
            remove()
        raise
    remove()
