"""What the template's EmrActivity does: a table to files in S3, and files to a table, checked by their data."""

from __future__ import annotations

import gzip
import json
import threading
from collections.abc import Callable
from typing import Any

import boto3
import pytest

from core.errors import NotFound, ParameterError, StoreError, UnsupportedValue
from steps_impl.activities.dynamodb.directory import OutputDirectory
from steps_impl.activities.dynamodb.steps import own_step
from steps_impl.activities.dynamodb.tool import is_dynamodb_tool, run_dynamodb_tool
from steps_impl.contract import StepContext, StepResult
from stores.s3 import S3Store

JAR = "s3://dynamodb-emr-us-east-1/emr-ddb-storage-handler/2.1.0/emr-ddb-2.1.0.jar"
EXPORT = "org.apache.hadoop.dynamodb.tools.DynamoDbExport"
IMPORT = "org.apache.hadoop.dynamodb.tools.DynamoDbImport"
Tool = Callable[..., StepResult]

#: An item with every type, and with what gets lost easily.
EVERYTHING = {
    "id": {"S": "a"},
    "largest": {"N": "99999999999999999999999999999999999999"},
    "smallest": {"N": "1E-130"},
    "bytes": {"B": b"\0\xff\n\r\x02\x03"},
    "strings": {"SS": ["", "b", "ä"]},
    "numbers": {"NS": ["-1", "2.5"]},
    "binaries": {"BS": [b"a", b"\0"]},
    "map": {"M": {"deep": {"L": [{"M": {"s": {"S": "the letter of a type"}}}, {"L": []}]}, "none": {"M": {}}}},
    "list": {"L": [{"NULL": True}, {"BOOL": False}, {"N": "0"}]},
    "empty": {"S": ""},
    "text": {"S": "line\nfeed\rtab\tquote\"back\\slash\u2028é🦆<&='\x02\x03"},
    "ü name": {"BOOL": True},
}


@pytest.fixture
def tool(context: StepContext) -> Tool:
    return lambda main_class, *arguments, jar=JAR: run_dynamodb_tool(jar, main_class, arguments, context)


def test_every_type_survives_the_way_through_files_into_another_table(tool: Tool, tables: Any, s3_bucket: str) -> None:
    source, target = tables.create(), tables.create()
    tables.fill(source, [EVERYTHING, *({"id": {"S": f"k{n}"}, "n": {"N": str(n)}} for n in range(300))])
    exported = tool(EXPORT, f"s3://{s3_bucket}/backup", source, "0.25")
    imported = tool(IMPORT, f"s3://{s3_bucket}/backup", target, "0.25")
    assert (exported.rows, imported.rows) == (301, 301)
    assert tables.items(target) == tables.items(source)


def test_the_files_are_those_of_awss_tool(tool: Tool, tables: Any, s3_bucket: str, listed: Any) -> None:
    source = tables.create("id S", "n N")
    item = {"id": {"S": "x"}, "n": {"N": "1"}, "t": {"SS": ["a"]}, "z": {"NULL": True}, "ok": {"BOOL": True}}
    tables.fill(source, [item])
    tool(EXPORT, f"s3://{s3_bucket}/backup/", source)
    files = listed("backup/")
    document = json.loads(files.pop("manifest"))
    assert files.pop("_SUCCESS") == b""
    [(name, content)] = files.items()
    url = f"s3://{s3_bucket}/backup/{name}"
    assert document == {"name": "DynamoDB-export", "version": 3, "entries": [{"url": url, "mandatory": True}]}
    assert content.endswith(b"}\n")
    written = json.loads(content)
    spelled = {"id": {"s": "x"}, "n": {"n": "1"}, "t": {"sS": ["a"]}, "z": {"nULLValue": True}, "ok": {"bOOL": True}}
    assert written == spelled


@pytest.mark.parametrize(
    "line",
    [
        b'{"id":{"s":"x"},"tags":{"sS":["a"]},"ok":{"bOOL":true},"no":{"nULLValue":true},"n":{"n":"1"}}',
        b'{"id":{"S":"x"},"tags":{"SS":["a"]},"ok":{"BOOL":true},"no":{"NULL":true},"n":{"N":"1"}}',
        b'{"id":{"s":"x"},"tags":{"ss":["a"]},"ok":{"bool":true},"no":{"null":true},"n":{"n":1}}\r',
        b'id\x03{"s":"x"}\x02tags\x03{"sS":["a"]}\x02ok\x03{"bOOL":true}\x02no\x03{"nULLValue":true}\x02n\x03{"n":"1"}',
    ],
    ids=["tool 2.1.0", "capitals", "later tools", "hive"],
)
@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
def test_files_of_each_of_awss_tools_are_read(
    tool: Tool, tables: Any, stored: Any, line: bytes, pack: Callable[[bytes], bytes]
) -> None:
    target = tables.create()
    place = stored("theirs/part" + (".gz" if pack is gzip.compress else ""), pack(line + b"\n\n"))
    stored("theirs/_SUCCESS", b"")
    tool(IMPORT, place.rpartition("/")[0], target, "1.0")
    item = {"id": {"S": "x"}, "tags": {"SS": ["a"]}, "ok": {"BOOL": True}, "no": {"NULL": True}, "n": {"N": "1"}}
    assert tables.items(target) == [item]


def test_an_export_that_is_repeated_leaves_the_files_of_the_last_run_alone(
    tool: Tool, tables: Any, s3_bucket: str, listed: Any, stored: Any
) -> None:
    source, target = tables.create(), tables.create()
    tables.fill(source, [{"id": {"S": "a"}}, {"id": {"S": "b"}}])
    stored("backup/0d3a4c1e-0000-4000-8000-000000000000", b"left by a run that was killed")
    stored("backup/notes.txt", b"somebody's")
    tool(EXPORT, f"s3://{s3_bucket}/backup", source)
    tables.client.delete_item(TableName=source, Key={"id": {"S": "a"}})
    tool(EXPORT, f"s3://{s3_bucket}/backup", source)
    assert b"".join(content for name, content in listed("backup/").items() if "-" in name) == b'{"id":{"s":"b"}}\n'
    assert listed("backup/notes.txt") == {"": b"somebody's"}
    tool(IMPORT, f"s3://{s3_bucket}/backup", target)
    tool(IMPORT, f"s3://{s3_bucket}/backup", target)
    assert tables.items(target) == [{"id": {"S": "b"}}]


def test_an_empty_table_becomes_a_manifest_without_files(tool: Tool, tables: Any, s3_bucket: str, listed: Any) -> None:
    source = tables.create()
    assert tool(EXPORT, f"s3://{s3_bucket}/none", source).rows == 0
    assert sorted(listed("none/")) == ["_SUCCESS", "manifest"]
    assert tool(IMPORT, f"s3://{s3_bucket}/none", source).rows == 0


BAD_LINES = {
    b"sEcret": "the line is not an item",
    b'["sEcret"]': "the line is not an item",
    b'{"id":{"s":"x"': "the line is not an item",
    b'{"id":{"s":"\xff"}}': "the line is not UTF-8",
    b'{"id":"sEcret"}': "the attribute 'id' is not of the form",
    b'{"id":{"q":"sEcret"}}': "the attribute 'id' is of the unknown type 'q'",
    b'{"id":{"s":"x"},"n":{"n":"sEcret"}}': "the attribute 'n' must hold a number",
    b'{"id":{"s":"x"},"n":{"n":"123456789012345678901234567890123456789"}}': "the attribute 'n' holds a number of more",
    b'{"id":{"s":"x"},"b":{"b":"sEcret!"}}': "the attribute 'b' must hold bytes in base64",
    b'{"id":{"s":"x"},"t":{"sS":[]}}': "the attribute 't' must hold a set with at least one member",
    b'{"id":{"n":"1"}}': "'id' is of type N, but the key of the table",
    b'{"name":{"s":"sEcret"}}': "the item has no 'id'",
    b'{"id":{"s":""}}': "'id' is empty",
}


@pytest.mark.parametrize("line", BAD_LINES, ids=repr)
def test_a_line_that_is_no_item_is_named_without_its_content_and_nothing_is_put(
    tool: Tool, tables: Any, stored: Any, line: bytes
) -> None:
    target = tables.create()
    place = stored("bad/part", b'{"id":{"s":"good"}}\n' + line + b"\n")
    with pytest.raises(UnsupportedValue) as caught:
        tool(IMPORT, place.rpartition("/")[0], target)
    assert str(caught.value).startswith(f"{place}, line 2: {BAD_LINES[line]}")
    assert "sEcret" not in str(caught.value)
    assert tables.items(target) == []


def test_what_dynamodb_itself_refuses_is_named_by_file_and_line(tool: Tool, tables: Any, stored: Any) -> None:
    target = tables.create()
    large = json.dumps({"id": {"s": "x"}, "text": {"s": "x" * 410 * 1024}}).encode()
    place = stored("large/part", b'{"id":{"s":"a"}}\n' + large + b"\n")
    with pytest.raises(StoreError, match=f"{place}, line 2: .*[Ss]ize"):
        tool(IMPORT, place.rpartition("/")[0], target)
    assert tables.items(target) == [{"id": {"S": "a"}}]


def test_of_two_lines_with_one_key_the_later_one_stays(tool: Tool, tables: Any, stored: Any) -> None:
    target = tables.create("id N")
    lines = b"".join(b'{"id":{"n":"%d"},"v":{"n":"%d"}}\n' % (n % 10, n) for n in range(500))
    place = stored("twice/part", lines)
    tool(IMPORT, place.rpartition("/")[0], target)
    assert {item["id"]["N"]: item["v"]["N"] for item in tables.items(target)} == {
        str(n): str(490 + n) for n in range(10)
    }


def test_a_file_that_is_cut_off_is_no_end_of_the_data(tool: Tool, tables: Any, stored: Any) -> None:
    place = stored("cut/part.gz", gzip.compress(b'{"id":{"s":"x"}}\n' * 1000)[:-12])
    with pytest.raises(UnsupportedValue, match=r"part\.gz is not a whole gzip file"):
        tool(IMPORT, place.rpartition("/")[0], tables.create())


@pytest.mark.parametrize(
    ("main_class", "arguments", "message"),
    [
        (EXPORT, ("s3://b/x",), "wrong number of arguments; usage: DynamoDbExport"),
        (IMPORT, ("s3://b/x", "t", "0.5", "7"), "wrong number of arguments; usage: DynamoDbImport"),
        (EXPORT, ("hdfs:///x", "t"), "is not an S3 address"),
        (EXPORT, ("s3://b/x", "t", "fast"), "the ratio 'fast' is not a number"),
        (EXPORT, ("s3://b/x", "t", "0.5", "0"), "the number of segments '0'"),
        ("org.example.Other", ("s3://b/x", "t"), "is not a tool for DynamoDB"),
    ],
)
def test_wrong_arguments_are_refused_with_the_usage(
    tool: Tool, main_class: str, arguments: tuple[str, ...], message: str
) -> None:
    with pytest.raises(ParameterError, match=message):
        tool(main_class, *arguments)


def test_missing_tables_directories_and_files_are_named(tool: Tool, tables: Any, stored: Any, s3_bucket: str) -> None:
    target = tables.create()
    with pytest.raises(NotFound, match="there is no DynamoDB table 'nowhere' in us-east-1"):
        tool(EXPORT, f"s3://{s3_bucket}/x", "nowhere")
    with pytest.raises(NotFound, match="there is nothing below"):
        tool(IMPORT, f"s3://{s3_bucket}/x", target)
    gone = json.dumps({"entries": [{"url": f"s3://{s3_bucket}/gone", "mandatory": True}]}).encode()
    stored("listed/manifest", gone)
    with pytest.raises(NotFound, match=f"s3://{s3_bucket}/gone"):
        tool(IMPORT, f"s3://{s3_bucket}/listed", target)
    stored("broken/manifest", b"[]")
    with pytest.raises(StoreError, match="is not a manifest of an export"):
        tool(IMPORT, f"s3://{s3_bucket}/broken", target)
    stored("days/monday/part", b"")
    with pytest.raises(StoreError, match="has the directory 'monday' in it"):
        tool(IMPORT, f"s3://{s3_bucket}/days", target)


def test_the_jars_bucket_tells_the_region_of_the_table(tool: Tool, tables: Any, s3_bucket: str) -> None:
    elsewhere = boto3.client("dynamodb", region_name="eu-west-1")
    key = {"KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}], "BillingMode": "PAY_PER_REQUEST"}
    elsewhere.create_table(
        TableName="there", AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}], **key
    )
    elsewhere.put_item(TableName="there", Item={"id": {"S": "a"}})
    jar = JAR.replace("us-east-1", "eu-west-1")
    assert tool(EXPORT, f"s3://{s3_bucket}/there", "there", "1.0", jar=jar).rows == 1
    with pytest.raises(NotFound):
        tool(EXPORT, f"s3://{s3_bucket}/there", "there", "1.0")


def test_hadoops_own_options_before_the_arguments_are_read(
    tool: Tool, tables: Any, s3_bucket: str, capsys: pytest.CaptureFixture[str]
) -> None:
    source = tables.create()
    tables.fill(source, [{"id": {"S": "a"}}])
    options = ("-Dfs.s3.canned.acl=BucketOwnerFullControl", "-D", "dynamodb.regionid=us-east-1")
    place = f" \n s3://{s3_bucket}/x"
    assert tool(EXPORT, *options, place, f" {source}", "0.90", jar=JAR.replace("us-east-1", "eu-west-1")).rows == 1
    assert "the property fs.s3.canned.acl of" in capsys.readouterr().err
    with pytest.raises(NotFound, match="'nowhere' in eu-west-1"):
        tool(IMPORT, "-Ddynamodb.region=eu-west-1", place, "nowhere")


def test_emrs_scripts_of_hive_for_it_are_done_as_well(
    tables: Any, s3_bucket: str, context: StepContext, listed: Any
) -> None:
    source, target = tables.create(), tables.create()
    tables.fill(source, [EVERYTHING])
    scripts = "s3://elasticmapreduce/libs/hive"
    runner = f"{scripts}/hive-script,--run-hive-script,--hive-versions,latest,--args,-f,{scripts}/dynamodb"
    end = "-d,DYNAMODB_ENDPOINT=dynamodb.us-east-1.amazonaws.com"
    place = f"s3://{s3_bucket}/backup"
    exporting = f"{runner}/exportDynamoDBTableToS3,-d,DYNAMODB_INPUT_TABLE={source},-d,S3_OUTPUT_BUCKET={place},{end}"
    importing = f"{runner}/importDynamoDBTableFromS3,-d,DYNAMODB_OUTPUT_TABLE={target},-d,S3_INPUT_BUCKET={place},{end}"
    for words in (f"{exporting},-d,DYNAMODB_READ_PERCENT=1.0", f"{importing},-d,DYNAMODB_WRITE_PERCENT=1.5"):
        step = own_step("s3://elasticmapreduce/libs/script-runner/script-runner.jar", words.split(","))
        assert step
        step(context)
    assert tables.items(target) == tables.items(source)
    assert b'\x03{"s":"a"}' in b"".join(listed("backup/").values())


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("-d,S3_OUTPUT_BUCKET=s3://b/x", "gives no DYNAMODB_INPUT_TABLE"),
        ("-d,DYNAMODB_INPUT_TABLE=t,-d,S3_OUTPUT_BUCKET=s3://b/x,-d,DYNAMODB_READ_PERCENT=a", "READ_PERCENT is 'a'"),
    ],
)
def test_a_variable_that_such_a_script_needs_is_named(words: str, message: str, context: StepContext) -> None:
    script = "s3://us-west-2.elasticmapreduce/libs/hive/dynamodb/exportDynamoDBTableToS3"
    step = own_step("script-runner.jar", ["-f", script, *words.split(",")])
    assert step
    with pytest.raises(ParameterError, match=message):
        step(context)


def test_the_clusters_own_tools_are_used_where_that_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    assert own_step(JAR, [EXPORT, "s3://b/x", "t"])
    assert not own_step(JAR, ["org.example.Other"])
    monkeypatch.setenv("DUCTRUNNER_DYNAMODB_TOOLS", "cluster")
    assert not own_step(JAR, [EXPORT, "s3://b/x", "t"])


def test_both_spellings_of_the_tools_are_known() -> None:
    package = "org.apache.hadoop.dynamodb.tools"
    for name in ("DynamoDbExport", "DynamoDBExport", "DynamoDbImport", "DynamoDBImport"):
        assert is_dynamodb_tool(f"{package}.{name}")
    assert not is_dynamodb_tool("org.apache.hadoop.examples.WordCount")


def test_an_export_that_fails_leaves_no_file_and_the_former_export(
    tool: Tool, tables: Any, s3_bucket: str, listed: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = tables.create()
    tables.fill(source, [{"id": {"S": str(n)}} for n in range(50)])
    tool(EXPORT, f"s3://{s3_bucket}/backup", source)
    before = listed("backup/")

    def fail(item: dict[str, Any]) -> bytes:
        if item["id"]["S"] == "49":
            raise UnsupportedValue("not this one")
        return b"{}\n"

    monkeypatch.setattr("steps_impl.activities.dynamodb.tool.json_line", fail)
    with pytest.raises(UnsupportedValue, match=f"table {source}: not this one"):
        tool(EXPORT, f"s3://{s3_bucket}/backup", source)
    assert listed("backup/") == before


def test_a_run_whose_files_another_run_has_removed_fails(aws_environment: str, s3_bucket: str) -> None:
    first = OutputDirectory(S3Store(), f"s3://{s3_bucket}/both", sse=True)
    part = first.write("0d3a4c1e-0000-4000-8000-000000000000", [b"{}\n"], lambda size: None)
    assert part
    second = OutputDirectory(S3Store(), f"s3://{s3_bucket}/both", sse=True)
    second.publish([])
    with pytest.raises(StoreError, match="another run has removed 1 files of this one"):
        first.publish([part])


def test_a_cancelled_export_and_a_cancelled_import_end_as_interrupted(
    tables: Any, s3_bucket: str, stored: Any, context: StepContext
) -> None:
    place = stored("many/part", b'{"id":{"s":"x"}}\n')
    cancelled = threading.Event()
    cancelled.set()
    ended = StepContext(context.reporter, cancelled)
    with pytest.raises(InterruptedError):
        run_dynamodb_tool(JAR, IMPORT, [place.rpartition("/")[0], tables.create()], ended)
