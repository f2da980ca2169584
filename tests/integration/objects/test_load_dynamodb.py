"""Files of items and of rows into real tables: every type, twice, killed, throttled, and with bad input."""

from __future__ import annotations

import bz2
import gzip
import json
import signal
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from core.errors import NotFound, ObjectReplaced, ParameterError, RecordMalformed, RequestRefused, UnsupportedValue
from stores.dynamodb import DynamoDB

PLAIN = (
    b'{"id":"a","n":12345678901234567890.12345678901234567,"ok":true,"none":null,"l":[1,"x",null],"m":{"deep":{"n":-0}},'
    b'"e":"","tags":["x","y"],"nums":[1,2.50],"raw":"AP8="}\n\n{"id":"\\ud83e\\udd86"}'
)
TYPES = {"tags": "SS", "nums": "NS", "raw": "B"}
ITEM = {
    "id": {"S": "a"},
    "n": {"N": "12345678901234567890.12345678901234567"},
    "ok": {"BOOL": True},
    "none": {"NULL": True},
    "l": {"L": [{"N": "1"}, {"S": "x"}, {"NULL": True}]},
    "m": {"M": {"deep": {"M": {"n": {"N": "-0"}}}}},
    "e": {"S": ""},
    "tags": {"SS": ["x", "y"]},
    "nums": {"NS": ["1", "2.50"]},
    "raw": {"B": b"\0\xff"},
}


def test_plain_json_gets_the_types_of_its_values_and_those_that_are_stated(bench: Any, tables: Any) -> None:
    name = tables.create()
    done = bench.run("load-dynamodb", table=name, input=[bench.put("in/a.json.bz2", bz2.compress(PLAIN))], types=TYPES)
    assert tables.items(name) == [ITEM, {"id": {"S": "🦆"}}]
    assert done.rows == 2


def test_typed_json_is_read_as_all_tools_of_aws_write_it(bench: Any, tables: Any) -> None:
    name = tables.create()
    lines = (
        b'{"Item":{"id":{"S":"own export"},"n":{"N":"1"}}}\n{"id":{"s":"emr"},"n":{"n":"2"}}\n'
        b'{"id":{"S":"item"},"Item":{"M":{"S":{"S":"x"}}}}\n'
    )
    bench.run("load-dynamodb", table=name, input=[bench.put("a.json", lines)], input_format="dynamodb-json")
    assert tables.items(name) == [
        {"id": {"S": "emr"}, "n": {"N": "2"}},
        {"id": {"S": "item"}, "Item": {"M": {"S": {"S": "x"}}}},
        {"id": {"S": "own export"}, "n": {"N": "1"}},
    ]


def test_rows_keep_null_empty_and_odd_texts_apart(bench: Any, tables: Any) -> None:
    name = tables.create("id N", "t S")
    rows = b"1\ta\t\\N\t\t\\\\N\tt\n2\tb\\\tc\\\n\tNULL\tx\tC:\\\\new\tf\n"
    place = bench.put("in/a.tsv.gz", gzip.compress(rows))
    given = {"input_format": "tsv", "columns": ["id", "t", "a", "b", "c", "ok"], "types": {"ok": "BOOL"}}
    bench.run("load-dynamodb", table=name, input=[place], **given)
    one = {"id": {"N": "1"}, "t": {"S": "a"}, "b": {"S": ""}, "c": {"S": "\\N"}, "ok": {"BOOL": True}}
    two = {"id": {"N": "2"}, "t": {"S": "b\tc\n"}, "a": {"S": "NULL"}, "b": {"S": "x"}, "c": {"S": "C:\\new"}}
    assert tables.items(name) == sorted([one, {**two, "ok": {"BOOL": False}}], key=repr)
    bench.run("load-dynamodb", table=name, input=[place], **given, nulls="null")
    assert {"a": {"NULL": True}, **one} in tables.items(name)


def test_csv_has_quotes_a_line_of_names_and_no_escapes(bench: Any, tables: Any) -> None:
    name = tables.create()
    text = b'id,t,doc,n\r\n"a, ""b""",C:\\new,"{""k"": [1]}",\r\nb,"x\ny",\\N,7\r\n'
    types = {"doc": "JSON", "n": "N"}
    bench.run(
        "load-dynamodb", table=name, input=[bench.put("a.csv", text)], input_format="csv", header=True, types=types
    )
    assert tables.items(name) == [
        {"id": {"S": 'a, "b"'}, "t": {"S": "C:\\new"}, "doc": {"M": {"k": {"L": [{"N": "1"}]}}}},
        {"id": {"S": "b"}, "t": {"S": "x\ny"}, "n": {"N": "7"}},
    ]


def test_an_extract_of_the_warehouse_is_loaded_by_what_its_manifest_says(warehouse: Any, tables: Any) -> None:
    source, name = warehouse.name("source"), tables.create("id N")
    warehouse.sql(f"CREATE TABLE {source} AS SELECT g AS id, 'x' || g AS t FROM generate_series(1, 300) AS g")
    warehouse.run("extract-redshift", table=source, output=warehouse.uri("out/"))
    done = warehouse.run("load-dynamodb", table=name, input=[warehouse.uri("out/")])
    assert (done.rows, len(tables.items(name))) == (300, 300)
    assert {"id": {"N": "7"}, "t": {"S": "x7"}} in tables.items(name)


def test_a_staged_extract_is_read_by_its_manifest(bench: Any, tables: Any, tmp_path: Path) -> None:
    name, staged = tables.create(), tmp_path / "staged"
    (tmp_path / "a.tsv").write_text("a\tx\nb\ty\n")
    given = {"path": tmp_path / "a.tsv", "input_format": "tsv", "columns": ["id", "t"], "count_rows": True}
    bench.run("extract-local", output=bench.uri("out/"), **given)
    for key in bench.keys("out/"):
        (staged / key).parent.mkdir(parents=True, exist_ok=True)
        (staged / key).write_bytes(bench.get(bench.uri(f"out/{key}")))
    (staged / "part-of-a-former-run.tsv").write_text("not\tnamed\n")
    bench.extra = {"INPUT1_STAGING_DIR": str(staged)}
    done = bench.command("load-dynamodb", "--table", name, "--write-ratio", "1")
    assert done.returncode == 0, done.stderr
    assert tables.items(name) == [{"id": {"S": "a"}, "t": {"S": "x"}}, {"id": {"S": "b"}, "t": {"S": "y"}}]


def test_a_second_run_leaves_the_same_and_of_one_key_the_last_item_stays(bench: Any, tables: Any) -> None:
    name = tables.create()
    tables.fill(name, [{"id": {"S": "k0"}, "old": {"S": "gone"}}, {"id": {"S": "other"}}])
    lines = b"".join(b'{"id":"k%d","v":%d}\n' % (number % 40, number) for number in range(200))
    places = [bench.put("in/1.json", lines), bench.put("in/2.json", b'{"id":"k0","v":"last"}')]
    for _ in range(2):
        bench.run("load-dynamodb", table=name, input=places)
        found = {item["id"]["S"]: item.get("v") for item in tables.items(name)}
        last = {f"k{number}": {"N": str(160 + number)} for number in range(40)}
        assert found == {**last, "k0": {"S": "last"}, "other": None}
        assert {"id": {"S": "k0"}, "v": {"S": "last"}} in tables.items(name)


def test_items_that_dynamodb_leaves_over_are_put_again(
    bench: Any, tables: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    name, call = tables.create(), DynamoDB.call
    left: list[int] = []

    def half(self: DynamoDB, operation: str, arguments: Any) -> Any:
        if operation != "BatchWriteItem":
            return call(self, operation, arguments)
        [requests] = arguments["RequestItems"].values()
        taken, over = requests[: len(requests) // 2], requests[len(requests) // 2 :]
        if taken:
            call(self, operation, {**arguments, "RequestItems": {name: taken}})
        over = over if len(requests) > 1 else call(self, operation, arguments) and []
        left.append(len(over))
        return {"UnprocessedItems": {name: over} if over else {}}

    monkeypatch.setattr(DynamoDB, "call", half)
    lines = b"".join(b'{"id":"k%d"}\n' % number for number in range(100))
    done = bench.run("load-dynamodb", table=name, input=[bench.put("in/1.json", lines)])
    assert (done.rows, len(tables.items(name))) == (100, 100)
    assert sum(left) > 50


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_load_that_dies_is_finished_by_the_next_one(bench: Any, tables: Any, number: signal.Signals) -> None:
    name = tables.create()
    place = bench.put("in/1.json", b"".join(b'{"id":"k%d"}\n' % n for n in range(1200)))
    words = ("load-dynamodb", "--table", name, "--input", place)
    ended = bench.dying(number, "stores.dynamodb.writer:BatchWriter._put_some#3", *words)
    assert ended.returncode == (143 if number == signal.SIGTERM else -signal.SIGKILL), ended.stderr
    assert len(tables.items(name)) < 1200
    bench.run("load-dynamodb", table=name, input=[place])
    assert len(tables.items(name)) == 1200


@pytest.mark.parametrize(
    ("content", "given", "error", "message"),
    [
        (b'{"id":"a"}\n{"id":', {}, UnsupportedValue, "line 2: the line is no JSON object"),
        (b'{"id":"a"}\n[1]', {}, UnsupportedValue, "line 2"),
        (b'{"id":"a"}\n{"id":"\xff"}', {}, UnsupportedValue, "line 2: the line is not UTF-8"),
        (b'{"id":"a"}\n{"n":1}', {}, UnsupportedValue, "line 2: the item has no 'id'"),
        (b'{"id":"a"}\n{"id":""}', {}, UnsupportedValue, "'id' is empty"),
        (b'{"id":"a"}\n{"id":true}', {}, UnsupportedValue, "'id' is none of the type S"),
        (b'{"id":"a"}\n{"id":"b","n":NaN}', {}, UnsupportedValue, "line 2"),
        (b'{"id":"a","n":"x"}', {"types": {"n": "N"}}, UnsupportedValue, "'n' must hold a number"),
        (b'{"id":"a","n":' + b"9" * 39 + b"}", {}, UnsupportedValue, "more than 38 digits"),
        (b"a\t1\t2\n", {"input_format": "tsv", "columns": ["id", "x"]}, UnsupportedValue, "row 1: .* 3 values"),
        (b"a\t1\n", {"input_format": "tsv"}, ParameterError, "--columns or --header"),
        (b'"a', {"input_format": "csv", "columns": ["id"]}, RecordMalformed, "in/1"),
        (b"\\N\n", {"input_format": "tsv", "columns": ["id"]}, UnsupportedValue, "no 'id'"),
    ],
)
def test_a_bad_item_is_named_without_its_content_and_nothing_is_put(
    bench: Any, tables: Any, content: bytes, given: Any, error: type[Exception], message: str
) -> None:
    name = tables.create()
    with pytest.raises(error, match=message):
        bench.run("load-dynamodb", table=name, input=[bench.put("in/1", content)], **given)
    assert tables.items(name) == []


def test_what_is_missing_cut_or_too_large_is_named(bench: Any, tables: Any, tmp_path: Path) -> None:
    name = tables.create()
    good = bench.put("in/good.json", b'{"id":"a"}\n')
    for place, table, error in (
        (good, "no-such-table", NotFound),
        (bench.uri("nothing/"), name, NotFound),
        (str(tmp_path / "nothing"), name, NotFound),
        (bench.put("cut.gz", gzip.compress(b'{"id":"a"}\n' * 99)[:-9]), name, UnsupportedValue),
    ):
        with pytest.raises(error):
            bench.run("load-dynamodb", table=table, input=[good, place])
    entry = {"url": good, "mandatory": True, "meta": {"content_length": 11, "record_count": 2}}
    wrong = bench.put("m/manifest", json.dumps({"entries": [entry]}).encode())
    with pytest.raises(ObjectReplaced, match="1 items, 2 by its manifest"):
        bench.run("load-dynamodb", table=name, input=[wrong])
    with pytest.raises(ParameterError, match="--input"):
        bench.run("load-dynamodb", table=name)
    assert tables.items(name) == []
    large = bench.put("in/large.json", b'{"id":"a","x":"' + b"x" * 410_000 + b'"}')
    with pytest.raises(RequestRefused, match="line 1"):
        bench.run("load-dynamodb", table=name, input=[large])
    for options in ({"columns": ["a", "a"]}, {"input_format": "json", "header": True}, {"write_ratio": 0}):
        with pytest.raises(ValidationError):
            bench.run("load-dynamodb", table=name, input=[good], **options)
