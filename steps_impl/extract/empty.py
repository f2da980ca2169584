"""A file without rows, for an UNLOAD that wrote none."""

from __future__ import annotations

import bz2
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import zstandard
from isal import igzip

from steps_impl.extract.codecs import Unsupported, file_kind
from steps_impl.extract.unload import UnloadCompression, UnloadForm
from steps_impl.formats.typed import Column

_PACKED: dict[UnloadCompression, tuple[str, Callable[[bytes], bytes]]] = {
    "none": ("", bytes),
    "gzip": (".gz", igzip.compress),
    "bzip2": (".bz2", bz2.compress),
    "zstd": (".zst", zstandard.compress),
}


def empty_file(form: UnloadForm, elements: Sequence[Mapping[str, Any]] | None) -> tuple[str, bytes]:
    """Return the end of its name and its content.

    Raises:
        MissingExtra: the form needs a library that is not installed here.
    """
    if form.format == "parquet":
        return "0000_part_00.parquet", _parquet(elements or ())
    end, pack = _PACKED[form.compression]
    names = [str(element["name"]) for element in elements or ()] if form.header else []
    line = ("," if form.format == "csv" else "\t").join(names) + "\n" if names else ""
    return f"0000_part_00{end}", pack(line.encode())


def _parquet(elements: Sequence[Mapping[str, Any]]) -> bytes:
    columns = [Column(str(element["name"]), element["type"]) for element in elements]
    return file_kind("parquet", "snappy", columns, Unsupported(null=False)).codec(0).finish()
