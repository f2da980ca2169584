"""The state of S3: a folder per bucket, in it a file for the bucket's properties and one per key.

A key's file holds all its versions, with their contents. Unfinished multipart uploads are not kept.
"""

from __future__ import annotations

import copy
import hashlib
import shutil
import threading
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from moto.s3.models import FakeBucket, MultipartDict, S3Backend, s3_backends
from moto.s3.utils import _VersionedKeyStore

from sandbox.aws import pickling
from sandbox.files import make_private_directory, write_private

_PROPERTIES = "bucket.pickle"
_TAGS = "tags.pickle"


class BucketFiles:
    """Keeps the buckets of the one account that the sandbox has, in a folder."""

    def __init__(self, folder: Path, account: str) -> None:
        self._folder = make_private_directory(folder)
        self._backend: S3Backend = s3_backends[account]["aws"]
        self._account = account
        self._lock = threading.RLock()
        self._keys: dict[str, dict[str, tuple[Any, ...]]] = {}  # bucket → key → the versions that are on disk
        self._written: dict[Path, bytes] = {}

    def load(self) -> None:
        """Give S3 its buckets, objects and tags back."""
        for properties in sorted(self._folder.glob(f"*/{_PROPERTIES}")):
            bucket: FakeBucket = pickling.load_file(properties)
            self._backend.buckets[bucket.name] = bucket
            s3_backends.bucket_accounts[bucket.name] = (bucket.partition, self._account)
            known = self._keys.setdefault(bucket.name, {})
            for path in properties.parent.glob("*.key"):
                key, versions = pickling.load_file(path)
                bucket.keys.setlist(key, versions)
                known[key] = tuple(versions)
        if (tags := self._folder / _TAGS).exists():
            self._backend.tagger = pickling.load_file(tags)

    def save(self, path: str) -> None:
        """Write what a request for ``path`` (``/bucket`` or ``/bucket/key``) may have changed."""
        name, _, key = path.lstrip("/").partition("/")
        with self._lock:
            self._save_if_changed(self._folder / _TAGS, self._backend.tagger)
            for gone in set(self._keys) - set(self._backend.buckets):
                shutil.rmtree(self._folder / gone)
                del self._keys[gone]
            for bucket in self._touched(name):
                self._save_bucket(bucket, key)

    def _touched(self, name: str) -> Iterable[FakeBucket]:
        """Return the bucket; all of them where it cannot be told, as with its name in the host name."""
        buckets = self._backend.buckets
        return [buckets[name]] if name in buckets else list(buckets.values())

    def _save_bucket(self, bucket: FakeBucket, key: str) -> None:
        folder = make_private_directory(self._folder / bucket.name)
        known = self._keys.setdefault(bucket.name, {})
        if key in bucket.keys or key in known:
            self._save_key(folder, bucket, key)
        else:
            self._save_differences(folder, bucket)
        properties = copy.copy(bucket)
        properties.keys, properties.multiparts = _VersionedKeyStore(), MultipartDict()
        self._save_if_changed(folder / _PROPERTIES, properties)

    def _save_differences(self, folder: Path, bucket: FakeBucket) -> None:
        """Save what came, went or was replaced; a request for the bucket may change many keys."""
        known = self._keys[bucket.name]
        for key in {**known, **bucket.keys}:
            if not _same(bucket.keys.getlist(key, ()), known.get(key, ())):
                self._save_key(folder, bucket, key)

    def _save_key(self, folder: Path, bucket: FakeBucket, key: str) -> None:
        known, path = self._keys[bucket.name], _key_file(folder, key)
        if versions := list(bucket.keys.getlist(key, ())):
            pickling.save(path, (key, versions))
            known[key] = tuple(versions)
        else:
            path.unlink(missing_ok=True)
            known.pop(key, None)

    def _save_if_changed(self, path: Path, value: Any) -> None:
        content = pickling.dump(value)
        if self._written.get(path) != content or not path.exists():
            write_private(path, content)
            self._written[path] = content


def _key_file(folder: Path, key: str) -> Path:
    return folder / f"{hashlib.sha256(key.encode()).hexdigest()}.key"


def _same(versions: Sequence[object], known: Sequence[object]) -> bool:
    """Say whether the very same objects are on disk; moto replaces an object when its content changes."""
    return len(versions) == len(known) and all(now is then for now, then in zip(versions, known, strict=True))
