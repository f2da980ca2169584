"""How moto's objects are written to files and read back.

They are plain Python objects that live in memory and were not made to be stored. What cannot be stored is replaced:
locks are made anew; mappings that make their own values are stored as plain ones (``refill`` gives their contents
back to the mapping of a fresh backend); backends are named and not stored; log events are left out
(``sandbox.aws.log_events`` keeps them).
"""

from __future__ import annotations

import collections
import copyreg
import io
import pickle
import threading
from pathlib import Path
from typing import Any, BinaryIO

from moto.backends import get_backend
from moto.core.base_backend import BaseBackend
from moto.logs.models import LogStream

from sandbox.files import write_private

_ATTEMPTS = 50  # another request may change an object while it is being written; then it is written again
_LOCKS: dict[type, Any] = {
    type(threading.Lock()): threading.Lock,
    type(threading.RLock()): threading.RLock,
    threading.Condition: threading.Condition,
}


class _Pickler(pickle.Pickler):
    def persistent_id(self, obj: Any) -> Any:
        """Name a backend instead of storing it: objects refer to the one that holds them."""
        if isinstance(obj, BaseBackend):
            return type(obj).__module__.split(".")[1], obj.account_id, obj.region_name
        return None

    def reducer_override(self, obj: Any) -> Any:
        if make := _LOCKS.get(type(obj)):
            return make, ()
        if isinstance(obj, LogStream):
            return copyreg.__newobj__, (LogStream,), {**obj.__dict__, "events": []}  # type: ignore[attr-defined]
        if isinstance(obj, collections.defaultdict) and not _is_simple(obj):
            return dict, (), None, None, iter(list(dict.items(obj)))
        return NotImplemented


class _Unpickler(pickle.Unpickler):
    def persistent_load(self, pid: Any) -> BaseBackend:
        service, account, region = pid
        backend: BaseBackend = get_backend(service)[account][region]
        return backend


def dump(value: Any) -> bytes:
    """Return ``value`` as bytes, as it is at one moment."""
    for _ in range(_ATTEMPTS - 1):
        try:
            return _dump_once(value)
        except RuntimeError:  # a mapping changed its size while it was read
            continue
    return _dump_once(value)


def load(file: BinaryIO) -> Any:
    """Return the next value of ``file``, which is our own, in a folder that only its owner can write to.

    Raises:
        EOFError: the file ends here.
        pickle.UnpicklingError: the value is cut off.
    """
    return _Unpickler(file).load()


def load_file(path: Path) -> Any:
    """Return what ``save`` wrote to ``path``."""
    with path.open("rb") as file:
        return load(file)


def save(path: Path, value: Any) -> None:
    """Replace the file ``path`` by ``value`` in one step."""
    write_private(path, dump(value))


def refill(fresh: dict[str, Any], stored: dict[str, Any]) -> None:
    """Put stored attributes in the place of fresh ones; a mapping that was stored as a plain one keeps its kind."""
    for name, value in stored.items():
        if isinstance(fresh.get(name), dict) and type(fresh[name]) is not type(value):
            fresh[name].clear()
            fresh[name].update(value)
        else:
            fresh[name] = value


def _is_simple(mapping: collections.defaultdict[Any, Any]) -> bool:
    return type(mapping) is collections.defaultdict and isinstance(mapping.default_factory, type)


def _dump_once(value: Any) -> bytes:
    target = io.BytesIO()
    _Pickler(target, protocol=pickle.HIGHEST_PROTOCOL).dump(value)
    return target.getvalue()
