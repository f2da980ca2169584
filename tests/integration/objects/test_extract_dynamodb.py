"""Tables of DynamoDB to files, and the files back into tables and into the warehouse: twice, killed, with bad input."""

from __future__ import annotations

import gzip
import json
import signal
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import zstandard
from pydantic import ValidationError

from core.errors import NotFound, ParameterError, UnsupportedValue
from stores.dynamodb import DynamoDB

#: Every type, and what gets lost easily.
EVERYTHING = {
    "id": {"S": "a"},
    "largest": {"N": "99999999999999999999999999999999999999"},
    "smallest": {"N": "1E-130"},
    "bytes": {"B": b"\0\xff\n"},
    "strings": {"SS": ["", "b", "ä"]},
    "numbers": {"NS": ["-1", "2.5"]},
    "binaries": {"BS": [b"a", b"\0"]},
    "map": {"M": {"deep": {"L": [{"M": {"s": {"S": "x"}}}, {"L": []}]}, "none": {"M": {}}}},
    "list": {"L": [{"NULL": True}, {"BOOL": False}, {"N": "0"}]},
    "empty": {"S": ""},
    "text": {"S": 'line\nfeed\rtab\tquote"back\\slash\u2028é🦆\0\x02'},
    "ü name": {"BOOL": True},
    "gone": {"NULL": True},
}


def lines(bench: Any, place: str) -> list[bytes]:
    found = b"".join(gzip.decompress(bench.get(url)) for url in bench.urls(place))
    return sorted(found.splitlines(keepends=True))


def filled(tables: Any, count: int = 300) -> str:
    name = tables.create()
    tables.fill(name, [{"id": {"S": f"k{number}"}, "n": {"N": str(number)}} for number in range(count)])
    return str(name)


def test_typed_json_brings_every_type_into_another_table(bench: Any, tables: Any) -> None:
    source, target, place = filled(tables), tables.create(), bench.uri("out/")
    tables.fill(source, [EVERYTHING])
    done = bench.run("extract-dynamodb", table=source, output=place, output_format="dynamodb-json", compression="zstd")
    assert (done.rows, bench.manifest(place)["meta"]["record_count"]) == (301, 301)
    assert bench.run("load-dynamodb", table=target, input=[place]).rows == 301
    assert tables.items(target) == tables.items(source)
    content = b"".join(
        zstandard.ZstdDecompressor().decompressobj().decompress(bench.get(url)) for url in bench.urls(place)
    )
    assert b'{"id":{"S":"k7"},"n":{"N":"7"}}\n' in content


def test_plain_json_keeps_digits_and_texts(bench: Any, tables: Any) -> None:
    source, place = tables.create(), bench.uri("out/")
    tables.fill(source, [EVERYTHING])
    bench.run("extract-dynamodb", table=source, output=place)
    [line] = lines(bench, place)
    document = json.loads(line, parse_int=str, parse_float=Decimal)
    assert document.pop("text") == EVERYTHING["text"]["S"]
    assert sorted(document.pop("strings")) == ["", "b", "ä"]
    assert sorted(document.pop("binaries")) == ["AA==", "YQ=="]
    assert sorted(map(str, document.pop("numbers"))) == ["-1", "2.5"]
    assert document == {
        "id": "a",
        "largest": "9" * 38,
        "smallest": Decimal("1E-130"),
        "bytes": "AP8K",
        "map": {"deep": [{"s": "x"}, []], "none": {}},
        "list": [None, False, "0"],
        "empty": "",
        "ü name": True,
        "gone": None,
    }


def test_rows_load_into_the_warehouse_with_null_and_empty_apart(warehouse: Any, tables: Any) -> None:
    source, place = tables.create(), warehouse.uri("out/")
    odd = ["", "NULL", "\\N", "C:\\new", "a\tb\nc\rd", '"q", x', "🦆"]
    items = [{"id": {"S": f"k{at}"}, "t": {"S": text}, "n": {"N": "1.50"}} for at, text in enumerate(odd)]
    items += [{"id": {"S": "none"}}, {"id": {"S": "null"}, "t": {"NULL": True}, "doc": {"L": [{"N": "1"}, {"S": "x"}]}}]
    tables.fill(source, items)
    given = {"columns": ["id", "t", "n", "doc"], "output_format": "tsv"}
    warehouse.run("extract-dynamodb", table=source, output=place, segments=3, **given)
    definition = f"CREATE TABLE {warehouse.name('t')} (id VARCHAR(9), t VARCHAR(99), n DECIMAL(9,2), doc VARCHAR(99))"
    warehouse.run("create-load-redshift", table_definition=definition, input=[place], analyze=False)
    found = warehouse.sql(f"SELECT id, t, n, doc FROM {warehouse.name('t')} ORDER BY id")
    wanted = [(f"k{at}", text, Decimal("1.50"), None) for at, text in enumerate(odd)]
    assert found == [*wanted, ("none", None, None, None), ("null", None, None, '[1,"x"]')]


def test_only_the_named_attributes_are_written(bench: Any, tables: Any) -> None:
    source, place = tables.create(), bench.uri("out/")
    tables.fill(source, [{"id": {"S": "a"}, "secret": {"S": "x"}}])
    bench.run("extract-dynamodb", table=source, output=place, columns=["id"])
    assert lines(bench, place) == [b'{"id":"a"}\n']


def test_a_second_run_leaves_one_set_of_files_and_an_empty_table_one_empty_file(bench: Any, tables: Any) -> None:
    source, place = filled(tables, 40), bench.uri("out/")
    for _ in range(2):
        done = bench.run("extract-dynamodb", table=source, output=place, segments=4)
        assert {bench.uri(f"out/{key}") for key in bench.keys("out/")} == {place + "manifest", *bench.urls(place)}
        assert (done.rows, len(lines(bench, place)), done.details["segments"]) == (40, 40, 4)
    bench.run("extract-dynamodb", table=tables.create(), output=place)
    assert (lines(bench, place), len(bench.keys("out/"))) == ([], 2)


def test_a_local_directory_is_an_output_too(bench: Any, tables: Any, tmp_path: Path) -> None:
    source = filled(tables, 5)
    words = (
        "extract-dynamodb",
        "--table",
        source,
        "--compression",
        "none",
        "--read-ratio",
        "1",
        "--no-consistent-read",
    )
    bench.extra = {"OUTPUT1_STAGING_DIR": str(tmp_path / "out")}
    done = bench.command(*words)
    assert done.returncode == 0, done.stderr
    urls = [entry["url"] for entry in json.loads((tmp_path / "out/manifest").read_text())["entries"]]
    assert sum((tmp_path / "out" / url).read_bytes().count(b"\n") for url in urls) == 5


@pytest.mark.parametrize(
    ("number", "moment"),
    [
        (signal.SIGKILL, "stores.dynamodb.scan:Scan._units#2"),
        (signal.SIGKILL, "steps_impl.extract.runs:Run.publish"),
        (signal.SIGKILL, "steps_impl.extract.runs:remove_former"),
        (signal.SIGTERM, "stores.dynamodb.scan:Scan._units#2"),
    ],
)
def test_an_extract_that_dies_leaves_a_whole_output_and_the_next_one_clears_up(
    bench: Any, tables: Any, number: signal.Signals, moment: str
) -> None:
    source, place = filled(tables, 40), bench.uri("out/")
    bench.run("extract-dynamodb", table=source, output=place)
    former = bench.keys("out/")
    tables.fill(source, [{"id": {"S": "new"}}])
    ended = bench.dying(number, moment, "extract-dynamodb", "--table", source, "--output", place)
    assert ended.returncode == (143 if number == signal.SIGTERM else -signal.SIGKILL), ended.stderr
    assert len(lines(bench, place)) == (41 if "remove_former" in moment else 40)
    if number == signal.SIGTERM:
        assert bench.keys("out/") == former
    bench.run("extract-dynamodb", table=source, output=place)
    assert len(lines(bench, place)) == 41
    assert len(bench.keys("out/")) == len(bench.urls(place)) + 1


def test_what_goes_wrong_is_told_and_leaves_the_former_output(
    bench: Any, tables: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, place = filled(tables, 5), bench.uri("out/")
    bench.run("extract-dynamodb", table=source, output=place)
    former = bench.keys("out/")
    tables.fill(source, [{"id": {"S": "bad"}, "t": {"S": "x\0y"}}])
    rows = {"output_format": "tsv", "columns": ["id", "t"]}
    for given, error, message in (
        ({"table": "no-such-table", "output": place}, NotFound, "no-such-table"),
        ({"table": source, "output": "s3://no-such-bucket-here/x"}, NotFound, "no-such-bucket-here"),
        ({"table": source}, ParameterError, "--output"),
        ({"table": source, "output": place, **rows}, UnsupportedValue, f"{source}: the attribute 't' has a NUL"),
    ):
        with pytest.raises(error, match=message):
            bench.run("extract-dynamodb", **given)
    monkeypatch.setattr(DynamoDB, "call", lambda *_: {"Table": {}})
    with pytest.raises(Exception, match="answered by something else"):
        bench.run("extract-dynamodb", table=source, output=place)
    assert bench.keys("out/") == former
    for wrong in ({"output_format": "csv"}, {"columns": ["a", "a"]}, {"read_ratio": 2}, {"segments": 0}):
        with pytest.raises(ValidationError):
            bench.run("extract-dynamodb", table=source, output=place, **wrong)
