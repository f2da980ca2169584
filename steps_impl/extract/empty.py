"""A file without rows, for an UNLOAD that wrote none."""

from __future__ import annotations

import bz2
import io
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import zstandard
from isal import igzip

from core.extras import optional
from steps_impl.extract.unload import UnloadCompression, UnloadForm

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
        return "0000_part_00.parquet", _parquet([str(element["name"]) for element in elements or ()])
    end, pack = _PACKED[form.compression]
    names = [str(element["name"]) for element in elements or ()] if form.header else []
    line = ("," if form.format == "csv" else "\t").join(names) + "\n" if names else ""
    return f"0000_part_00{end}", pack(line.encode())


def _parquet(names: Sequence[str]) -> bytes:
    arrow, parquet = optional("pyarrow"), optional("pyarrow.parquet")
    content = io.BytesIO()
    parquet.write_table(arrow.table({name: arrow.array([], arrow.string()) for name in names}), content)
    return content.getvalue()
