"""Reads the files of an extract with libraries that had no part in writing them."""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import zstandard

from tests.unit.extract.test_delimited_formats import read_csv, read_tsv


def manifest(place: Path) -> dict[str, Any]:
    return json.loads((place / "manifest").read_text())


def unpacked(path: Path) -> bytes:
    data = path.read_bytes()
    if path.suffix == ".zst":
        return zstandard.ZstdDecompressor().decompressobj().decompress(data)
    return gzip.decompress(data) if path.suffix == ".gz" else data


def records(place: Path) -> list[dict[str, Any]]:
    """Return the rows of all files, in order, as dictionaries; values of text formats as text."""
    document = manifest(place)
    names = [element["name"] for element in document["schema"]["elements"]]
    found: list[dict[str, Any]] = []
    for entry in document["entries"]:
        rows = list(_records(place / entry["url"], document["source"]["format"], names))
        assert len(rows) == entry["meta"]["record_count"]
        assert (place / entry["url"]).stat().st_size == entry["meta"]["content_length"]
        found += rows
    return found


def _records(path: Path, form: str, names: list[str]) -> Iterator[dict[str, Any]]:
    data = unpacked(path)
    if form == "parquet":
        import pyarrow.parquet  # not before MySQL's C extension: both bring an OpenSSL

        yield from pyarrow.parquet.read_table(io.BytesIO(data)).to_pylist()
    elif form == "avro":
        import fastavro

        yield from fastavro.reader(io.BytesIO(data))
    elif form == "json":
        for line in data.decode().split("\n")[:-1]:
            yield json.loads(line, parse_float=str, parse_int=str)
    else:
        for row in (read_tsv if form == "tsv" else read_csv)(data):
            yield {name: None if value is None else value.decode() for name, value in zip(names, row, strict=True)}
