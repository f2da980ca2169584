"""Staging: S3 data nodes to directories before a command runs, and directories to S3 after it.

Rules, where AWS's documentation is silent:

- An input ``filePath`` becomes a file of that name inside the staging directory; an input ``directoryPath`` becomes the
  directory's content with relative paths. ``…/dir`` and ``…/dir/`` mean the same directory; ``…/dir2`` is none of it.
- An input directory under which there is no object, not even a marker key ``…/dir/``, fails with ``NotFound``: an input
  that is not there is a fault, and a wrong path must not look like an empty table. A marker alone is an empty one.
- Outputs: every file with its relative path, empty ones too. See ``stores.s3.trees`` for links, odd files and names.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from core.errors import StagingFailed
from stores import s3

LOGGER = logging.getLogger(__name__)


@dataclass(frozen=True)
class StagedNode:
    """One S3 data node of a task and the directory that stands for it (``INPUTn_STAGING_DIR``, ``OUTPUTn_…``)."""

    uri: str
    is_directory: bool
    local: Path
    sse: bool = True


def stage_in(
    store: s3.S3Store, nodes: Sequence[StagedNode], minimum_free_disk: int, cancelled: threading.Event
) -> s3.TransferTotals:
    """Download all input nodes side by side; ``minimum_free_disk`` bytes stay free on each file system.

    Everything is listed and checked before the first byte is written.

    Raises:
        NotFound, AccessDenied, StoreUnreachable: an input cannot be read.
        DiskFull: the inputs do not fit, or the disk became full on the way.
        StagingFailed: a key cannot become a file.
        InterruptedError: ``cancelled`` was set.
    """
    plans = [_plan(store, node, cancelled) for node in nodes]
    for node in nodes:
        _make_directory(node.local)
    _require_room(nodes, plans, minimum_free_disk)
    for plan in plans:
        plan.create_directories()
    downloads = [download for plan in plans for download in plan.downloads]
    totals = store.download_many(downloads, cancelled)
    LOGGER.info("staged in", extra={"action": "staging.in", "files": totals.files, "bytes": totals.bytes})
    return totals


def stage_out(store: s3.S3Store, nodes: Sequence[StagedNode], cancelled: threading.Event) -> s3.TransferTotals:
    """Upload all output directories side by side. Each object appears whole or not at all.

    Raises:
        StagingFailed: an output is no directory, or a file in one cannot become an object; nothing was uploaded.
        AccessDenied, NotFound, StoreUnreachable: S3 did not take it.
        InterruptedError: ``cancelled`` was set.
    """
    uploads = [upload for node in nodes for upload in _walk(node)]
    totals = store.upload_many(uploads, cancelled)
    LOGGER.info("staged out", extra={"action": "staging.out", "files": totals.files, "bytes": totals.bytes})
    return totals


def _plan(store: s3.S3Store, node: StagedNode, cancelled: threading.Event) -> s3.DirectoryPlan:
    if node.is_directory:
        return store.plan_directory(node.uri, node.local, cancelled)
    return store.plan_file(node.uri, node.local, cancelled)


def _walk(node: StagedNode) -> Sequence[s3.Upload]:
    if not node.is_directory:
        raise StagingFailed(f"the output {node.uri} is a file path; outputs can be staged from a directoryPath only")
    return list(s3.walk(node.local, s3.parse_uri(node.uri), node.sse))


def _make_directory(directory: Path) -> None:
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise s3.from_disk(error, directory) from None


def _require_room(nodes: Sequence[StagedNode], plans: Sequence[s3.DirectoryPlan], minimum_free_disk: int) -> None:
    """Check the sum for each file system: several small inputs may be too much together."""
    devices: dict[int, list[int]] = {}
    for index, node in enumerate(nodes):
        devices.setdefault(node.local.stat().st_dev, []).append(index)
    for indices in devices.values():
        together = [plans[index] for index in indices]
        sizes = [download.size for plan in together for download in plan.downloads]
        entries = len(sizes) + sum(len(plan.directories) for plan in together)
        s3.require_room(sizes, entries, nodes[indices[0]].local, minimum_free_disk)
