"""HiveCopyActivity: items between tables and files, checked by their data."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.integration.agent.conftest import eventually
from tests.integration.dynamodb.test_export_and_import import EVERYTHING

EXPORT_FORMAT = {"id": "Format", "type": "DynamoDBExportDataFormat"}


def table(name: str, *columns: str, **fields: Any) -> dict[str, Any]:
    data_format = {**EXPORT_FORMAT, "column": list(columns)} if columns else EXPORT_FORMAT
    return {"id": "Table", "type": "DynamoDBDataNode", "tableName": name, "dataFormat": data_format, **fields}


def files(bucket: str, prefix: str, data_format: dict[str, Any] | None = EXPORT_FORMAT) -> dict[str, Any]:
    node = {"id": "Files", "type": "S3DataNode", "directoryPath": f"s3://{bucket}/{prefix}"}
    return {**node, "dataFormat": data_format} if data_format else node


def copy(source: dict[str, Any], target: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {"id": "Copy", "type": "HiveCopyActivity", "input": source, "output": target, **fields}


def succeed(step: Callable[[dict[str, Any]], Any], document: dict[str, Any]) -> None:
    done = step(document)
    assert done.returncode == 0, done.stderr


def test_a_table_is_backed_up_as_the_cloudformation_example_does_it_and_restored(
    step: Any, tables: Any, s3_bucket: str, listed: Any, stored: Any
) -> None:
    source, target = tables.create(), tables.create()
    tables.fill(source, [EVERYTHING, *({"id": {"S": f"k{n}"}} for n in range(100))])
    stored("backup/of-a-former-run", b'id\x03{"s":"gone"}\n')
    stored("backup/_keep", b"hidden")
    for _ in range(2):
        succeed(step, copy(table(source, readThroughputPercent="0.2"), files(s3_bucket, "backup")))
    content = listed("backup/")
    assert content.pop("_keep") == b"hidden"
    assert b"".join(content.values()).count(b"\n") == 101
    assert b'id\x03{"s":"k7"}\n' in b"".join(content.values())
    for _ in range(2):
        succeed(step, copy(files(s3_bucket, "backup"), table(target, writeThroughputPercent="0.2")))
    assert tables.items(target) == tables.items(source)


def test_a_table_is_copied_to_another_and_files_are_to_other_files(
    step: Any, tables: Any, s3_bucket: str, stored: Any, listed: Any
) -> None:
    source, target = tables.create(), tables.create()
    tables.fill(source, [EVERYTHING])
    succeed(step, copy(table(source), table(target, region="us_east_1")))
    assert tables.items(target) == tables.items(source)
    stored("exported/part", b'{"id":{"s":"x"}}\n')
    succeed(step, copy(files(s3_bucket, "exported", None), files(s3_bucket, "copied", None)))
    assert b"".join(listed("copied/").values()) == b'id\x03{"s":"x"}\n'


@pytest.mark.usefixtures("engines")
def test_the_guides_filter_takes_some_of_the_items_whole(step: Any, tables: Any, s3_bucket: str, listed: Any) -> None:
    source, target = tables.create(), tables.create()
    old = {"id": {"S": "old"}, "timeStamp": {"N": "1370304000"}}
    new = {"id": {"S": "new"}, "timeStamp": {"N": "1370307601"}, "deep": {"M": {"a": {"L": [{"NULL": True}]}}}}
    tables.fill(source, [old, new, {"id": {"S": "without"}}])
    filter_sql = '`timeStamp` > unix_timestamp("2013-06-04T01:00:00", "yyyy-MM-dd\'T\'HH:mm:ss")'
    chosen = {"filterSql": filter_sql, "generatedScriptsPath": f"s3://{s3_bucket}/scripts"}
    succeed(step, copy(table(source, "timeStamp BIGINT"), table(target), **chosen))
    assert tables.items(target) == [new]
    assert filter_sql.encode() in next(iter(listed("scripts/").values()))


@pytest.mark.usefixtures("engines")
def test_columns_of_a_csv_become_attributes_and_attributes_columns(
    step: Any, tables: Any, s3_bucket: str, stored: Any, listed: Any
) -> None:
    target = tables.create()
    stored("in/a.csv", b'a,"x, y",1\nb,z,2\n')
    csv = {"id": "Csv", "type": "CSV", "column": ["id STRING", "remark STRING", "n STRING"]}
    succeed(step, copy(files(s3_bucket, "in", csv), table(target), filterSql="n > 1"))
    assert tables.items(target) == [{"id": {"S": "b"}, "n": {"S": "2"}, "remark": {"S": "z"}}]
    tsv = {"id": "Tsv", "type": "TSV", "column": ["id STRING", "n STRING"]}
    succeed(step, copy(table(target), files(s3_bucket, "out", tsv)))
    assert b"".join(content for name, content in listed("out/").items() if name) == b"b\t2\n"


@pytest.mark.parametrize(
    ("source", "target", "fields", "message"),
    [
        (table("nowhere"), files("BUCKET", "x"), {}, "there is no DynamoDB table 'nowhere'"),
        (files("BUCKET", "nothing"), files("BUCKET", "x"), {}, "there is nothing below s3://"),
        (table("t"), table("u"), {"filterSql": "a = 1; DROP TABLE x"}, "holds a semicolon"),
        ({"id": "R", "type": "RedshiftDataNode"}, table("u"), {}, "--input.RedshiftDataNode.database: is required"),
        (table("t"), {**table("u"), "tableNam": "x"}, {}, "has the field 'tableNam', which is not known here"),
        (
            {**table("t"), "dataFormat": {"type": "DynamoDBDataFormat", "column": "a STRING"}},
            files("BUCKET", "x"),
            {},
            "Files has no format with columns, and the other side no DynamoDBExportDataFormat",
        ),
        (table("t", readThroughputPercent="2"), table("u"), {}, "less than or equal to 1"),
    ],
)
def test_a_mistake_is_told(
    step: Any, s3_bucket: str, source: dict[str, Any], target: dict[str, Any], fields: dict[str, str], message: str
) -> None:
    document = json.loads(json.dumps(copy(source, target, **fields)).replace("BUCKET", s3_bucket))
    done = step(document)
    assert done.returncode in (1, 2)
    assert message in done.stderr


def test_a_filter_without_hive_names_the_program(step: Any, tables: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    name = tables.create()
    done = step(copy(table(name, "a BIGINT"), table(name), filterSql="a = 1"))
    assert done.returncode == 1
    assert "Copy needs the program 'hive', which is not on PATH here" in done.stderr


def end_in_the_middle(document: dict[str, Any], folder: Path, number: signal.Signals) -> None:
    """Start the step, and end it when it has moved something."""
    path, result = folder / "p.json", folder / "result.json"
    path.write_text(json.dumps(document))
    environment = {**os.environ, "DUCTRUNNER_RESULT": str(result)}
    command = [sys.executable, "-m", "ductrunner", "step", "hive-copy-activity", "--params", str(path)]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    moved = re.compile(r'"rows": [1-9].*"phase": "(write|copy)')
    eventually(lambda: result.exists() and moved.search(result.read_text()), "items on their way")
    process.send_signal(number)
    assert process.wait(60) == (-9 if number == signal.SIGKILL else 143)


def capacity(units: int) -> dict[str, Any]:
    return {"ProvisionedThroughput": {"ReadCapacityUnits": units, "WriteCapacityUnits": units}}


ENDS = pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])


@ENDS
def test_a_backup_that_is_ended_in_the_middle_leaves_the_former_files_and_the_next_one_all(
    step: Any, tables: Any, s3_bucket: str, stored: Any, listed: Any, tmp_path: Path, number: signal.Signals
) -> None:
    # A fifth of a unit a second, of which each page costs a half: this table takes minutes.
    source = tables.create("id S", BillingMode="PROVISIONED", **capacity(2))
    tables.fill(source, [{"id": {"S": f"k{n}"}, "text": {"S": "x" * 1000}} for n in range(300)])
    stored("out/older", b'id\x03{"s":"older"}\n')
    document = copy(table(source, readThroughputPercent="0.1"), files(s3_bucket, "out"))
    end_in_the_middle(document, tmp_path, number)
    assert listed("out/") == {"older": b'id\x03{"s":"older"}\n'}
    tables.client.update_table(TableName=source, **capacity(5000))
    succeed(step, document)
    assert b"".join(listed("out/").values()).count(b"\n") == 300
    assert "older" not in listed("out/")


@ENDS
def test_a_restore_that_is_ended_in_the_middle_is_whole_after_the_next_one(
    step: Any, tables: Any, s3_bucket: str, stored: Any, tmp_path: Path, number: signal.Signals
) -> None:
    target = tables.create("id S", BillingMode="PROVISIONED", **capacity(20))
    stored("in/part", b"".join(b'{"id":{"s":"k%d"}}\n' % number for number in range(300)))
    document = copy(files(s3_bucket, "in"), table(target, writeThroughputPercent="0.1"))
    end_in_the_middle(document, tmp_path, number)
    assert len(tables.items(target)) < 300
    tables.client.update_table(TableName=target, **capacity(5000))
    succeed(step, document)
    assert tables.items(target) == sorted(({"id": {"S": f"k{n}"}} for n in range(300)), key=repr)
