"""What a load says of files that are not what they were taken for: empty, cut, of another format, not there."""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Callable
from itertools import count
from typing import Any

import fastavro
import pyarrow as pa
import pytest
from pyarrow import parquet

from core.errors import DuctrunnerError

TABLE = "CREATE TABLE t (id BIGINT, note VARCHAR(9))"
TSV, CSV = b"1\ta\n2\tb\n", b"1,a\n2,b\n"
JSON = b'{"id": 1, "note": "a"}\n{"id": 2, "note": "b"}\n'
ROWS = [(1, "a"), (2, "b")]
SCHEMA = {
    "type": "record",
    "name": "row",
    "fields": [{"name": "id", "type": "long"}, {"name": "note", "type": "string"}],
}


def columnar(*notes: str) -> bytes:
    file = io.BytesIO()
    types = pa.schema([("id", pa.int64()), ("note", pa.string())])
    parquet.write_table(pa.table({"id": range(1, len(notes) + 1), "note": notes}, schema=types), file)
    return file.getvalue()


def avro(*notes: str) -> bytes:
    file = io.BytesIO()
    fastavro.writer(file, SCHEMA, [{"id": number, "note": note} for number, note in enumerate(notes, start=1)])
    return file.getvalue()


def load(warehouse: Any, content: bytes, name: str = "file", **options: Any) -> Any:
    place = warehouse.put(f"in/{name}", content)
    warehouse.run("create-load-redshift", table_definition=TABLE, input=[place], **options)
    return warehouse.rows("SELECT id, note FROM t ORDER BY id")


@pytest.mark.parametrize(
    ("form", "name", "pack"),
    [(form, "file", bytes) for form in ("tsv", "csv", "json", "parquet", "avro")]
    + [(form, "file.gz", gzip.compress) for form in ("tsv", "csv", "json")],
)
def test_every_format_loads_and_so_does_a_file_without_rows(
    warehouse: Any, form: str, name: str, pack: Callable[[bytes], bytes]
) -> None:
    full = {"tsv": TSV, "csv": CSV, "json": JSON, "parquet": columnar("a", "b"), "avro": avro("a", "b")}[form]
    none = {"parquet": columnar(), "avro": avro()}.get(form, b"")
    assert load(warehouse, pack(full), name, input_format=form) == ROWS
    assert load(warehouse, pack(none), name, input_format=form) == []


@pytest.mark.parametrize(
    ("content", "options", "message"),
    [
        (CSV, {}, "in/file line 1, column id .*: Delimiter not found; the files were taken for tsv: .* --input-format"),
        (b"\xef\xbb\xbf" + TSV, {}, "in/file was taken for tsv, but it begins with a byte order mark"),
        (gzip.compress(TSV), {}, "in/file was taken for tsv, but it begins like gzip"),
        (avro("a"), {}, "in/file was taken for tsv, but it begins like Avro"),
        (b'{"Item": {"id": {"N": "1"}}}', {"input_format": "json"}, "none of the 1 objects .* value for id, note"),
        (TSV, {"input_format": "parquet"}, "in/file"),
        (columnar("longer than that"), {"input_format": "parquet"}, "column note is longer .* Data: 16, .*in/file"),
        (columnar("a")[:-9], {"input_format": "parquet"}, "in/file"),
        (TSV, {"input_format": "avro"}, "in/file: it is not a whole Avro file"),
        (avro("a")[:-9], {"input_format": "avro"}, "in/file: it is not a whole Avro file"),
        (TSV, {"input_format": "json"}, "in/file line 1"),
        (JSON[:-5], {"input_format": "json"}, "in/file line 2"),
        (b"id,note\n", {"input_format": "csv"}, "in/file line 1, column id .*: Invalid digit"),
        (gzip.compress(TSV * 99)[:-9], {"gzip": True}, "in/file: it is not a complete gzip file"),
        (TSV, {"gzip": True}, "in/file: it is not a complete gzip file"),
    ],
    ids=count(),
)
def test_a_file_of_another_kind_is_named_with_what_is_wrong(
    warehouse: Any, content: bytes, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(DuctrunnerError, match=message):
        load(warehouse, content, **options)
    assert warehouse.rows("SELECT tablename FROM pg_tables WHERE tablename = 't'") == []


@pytest.mark.parametrize("form", ["dynamodb-json", "ion"])
def test_a_format_that_copy_does_not_read_is_refused_by_name(warehouse: Any, form: str) -> None:
    url = warehouse.put("in/part", JSON)
    manifest = json.dumps({"entries": [{"url": url, "mandatory": True}], "source": {"format": form}}).encode()
    place = warehouse.put("in/manifest", manifest)
    given = {"table_definition": TABLE, "input": [place]}
    with pytest.raises(DuctrunnerError, match=f"the files are {form}, which COPY does not read"):
        warehouse.run("create-load-redshift", **given)
    assert warehouse.run("create-load-redshift", **given, input_format="json").rows == 2


@pytest.mark.parametrize("mandatory", [True, False])
def test_a_file_that_is_missing_is_named_whether_or_not_the_manifest_lets_it(warehouse: Any, mandatory: bool) -> None:
    url = warehouse.put("in/there", TSV)
    entries = [{"url": url, "mandatory": True}, {"url": f"{url}-not", "mandatory": mandatory}]
    place = warehouse.put("in/manifest", json.dumps({"entries": entries}).encode())
    with pytest.raises(DuctrunnerError, match="in/there-not"):
        warehouse.run("create-load-redshift", table_definition=TABLE, input=[place])
