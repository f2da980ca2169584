"""Libraries that only some steps need: installed with an extra, imported when they are used."""

from __future__ import annotations

import importlib
from typing import Any

from core.errors import MissingExtra

#: Name of each optional library, and the extra that brings it.
_EXTRAS = {"cassandra": "cassandra", "fastavro": "arrow", "lzallright": "sandbox", "pyarrow": "arrow"}


def optional(module: str) -> Any:
    """Import a module of an optional library, such as ``pyarrow.parquet``.

    Raises:
        MissingExtra: it is not installed; the message names the extra.
    """
    try:
        return importlib.import_module(module)
    except ImportError:
        library = module.partition(".")[0]
        extra = _EXTRAS[library]
        raise MissingExtra(f"{library} is not installed here; install ductrunner[{extra}]") from None
