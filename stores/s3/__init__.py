"""S3: literal keys, bulk transfers side by side, streams. ``from stores import s3`` gives the names below."""

from __future__ import annotations

from stores.s3.copies import LARGEST_AT_ONCE, Copy
from stores.s3.downloads import Download
from stores.s3.faults import from_disk
from stores.s3.location import ObjectInfo, S3Location, TransferTotals, parse_uri
from stores.s3.room import require_room
from stores.s3.store import S3Store
from stores.s3.streams import Draft, ObjectWriter
from stores.s3.trees import DirectoryPlan, walk
from stores.s3.uploads import Upload

__all__ = [
    "LARGEST_AT_ONCE",
    "Copy",
    "DirectoryPlan",
    "Download",
    "Draft",
    "ObjectInfo",
    "ObjectWriter",
    "S3Location",
    "S3Store",
    "TransferTotals",
    "Upload",
    "from_disk",
    "parse_uri",
    "require_room",
    "walk",
]
