"""PigActivity: the guide's example and what it leaves open, on the real Pig, S3 and MySQL."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pymysql
import pytest

from sandbox.parts.database import DatabaseAddress
from tests.acceptance.cluster.conftest import Bucket, Steps

NAMES = ["First", "Second", "Third", "Fourth", "Fifth", "Sixth", "Seventh", "Eighth", "Ninth", "Tenth"]
COLUMNS = [f"{name} STRING" for name in NAMES]
LOG = "".join(f"a{n} b{n} c{n} d{n} e{n} f{n} g{n} h{n} i{n} j{n}\n" for n in range(1, 6))


def node(path: str, data_format: dict[str, Any] | None = None, **fields: Any) -> dict[str, Any]:
    form = {"dataFormat": data_format} if data_format else {}
    return {"id": "Node", "type": "S3DataNode", "directoryPath": path, **form, **fields}


def pig(script: str | None, **fields: Any) -> dict[str, Any]:
    given = {"script": script} if script is not None else {}
    return {"type": "PigActivity", "stage": "true", **given, **fields}


@pytest.fixture
def table(mysql_database: DatabaseAddress) -> dict[str, Any]:
    """The guide's MySqlDataNode."""
    a = mysql_database
    return {
        "id": "MyOutputData3",
        "type": "MySqlDataNode",
        "connectionString": f"jdbc:mysql://{a.host}:{a.port}/{a.database}",
        "username": a.username,
        "*password": a.password,
        "table": "example",
        "selectQuery": "select * from example order by one",
        "insertQuery": "insert into example (one) values (?)",
    }


def sql(address: DatabaseAddress, statement: str) -> list[tuple[Any, ...]]:
    a = address
    link = pymysql.connect(**a.mysql_login)
    link.autocommit(True)
    with link, link.cursor() as cursor:
        cursor.execute(statement)
        return list(cursor.fetchall())


def test_one_script_reads_and_writes_files_and_a_database(
    steps: Steps, bucket: Bucket, table: dict[str, Any], mysql_database: DatabaseAddress
) -> None:
    sql(mysql_database, "create table example (one varchar(20))")
    sql(mysql_database, "insert into example values ('10'), (null), ('it''s \\\\ ☃')")
    bucket.put("pigTestInput/log", LOG)
    body = "B = LIMIT ${input1} $three; ${output1} = FOREACH B GENERATE $column1, $column2, Third; "
    rows = "${output2} = FOREACH ${INPUT2} GENERATE CONCAT(one, '!');"
    script = bucket.put("script/pigTestScipt.q", body + rows)
    regex = {"type": "RegEx", "column": COLUMNS, "inputRegEx": " ".join(["^(\\S+)"] + ["(\\S+)"] * 9)}
    custom = {"type": "Custom", "column": COLUMNS[:3], "columnSeparator": "*"}
    out = steps.finish(
        pig(
            None,
            scriptUri=script,
            scriptVariable=["column1=First", "column2=Second", "three=3"],
            input=[node(f"{bucket}/pigTestInput", regex), table],
            output=[node(f"{bucket}/PigActivityOutput1", custom), table],
        )
    )
    assert bucket.lines("PigActivityOutput1/") == [f"a{n}*b{n}*c{n}" for n in (1, 2, 3)]
    added = [("10!",), (None,), ("it's \\ ☃!",)]
    assert sorted(sql(mysql_database, "select one from example"), key=str) == sorted(
        [("10",), (None,), ("it's \\ ☃",), *added], key=str
    )
    assert mysql_database.password not in out


def test_a_repeated_run_leaves_the_same_data_and_a_failed_one_the_data_of_before(steps: Steps, bucket: Bucket) -> None:
    form = {"type": "CSV", "column": ["a STRING", "n INT"]}
    bucket.put("numbers/x.csv", "one,1\ntwo,2\n")
    bucket.put("out/stale.csv", "of another run\n")
    activity = pig(
        "${OUTPUT1} = FOREACH ${INPUT1} GENERATE a, n * 2;",
        input=node(f"{bucket}/numbers/", form),
        output=node(f"{bucket}/out", form),
    )
    steps.finish(activity)
    steps.finish(activity)
    assert bucket.lines("out/") == ["one,2", "two,4"]
    assert sorted(bucket.keys("out")) == ["out/_SUCCESS", "out/part-m-00000"]
    document = steps.fail({**activity, "script": "${output1} = FOREACH ${input1} GENERATE no_such;"})
    assert (document["errorId"], "the Pig script ended with" in document["errorMessage"]) == ("CommandFailed", True)
    assert bucket.lines("out/") == ["one,2", "two,4"]
    assert sorted(bucket.keys("out")) == ["out/_SUCCESS", "out/part-m-00000"]


def test_escapes_regular_expressions_and_odd_values_survive(steps: Steps, bucket: Bucket) -> None:
    escaped = {"type": "CSV", "column": ["a STRING", "b STRING", "n BIGINT"], "escapeChar": "\\"}
    lines = ["a\\,b,\\\\,1", ",☃ it's $x,", "short,row"]
    bucket.put("in/x.csv", "")
    bucket.put("escaped/x.csv", "\n".join(lines) + "\n")
    output = {"type": "RegEx", "column": ["a STRING", "b STRING"], "outputFormat": "<%1$s|%2$s>"}
    steps.finish(
        pig(
            "${output1} = ${input1}; ${output2} = FOREACH ${input1} GENERATE a, '$v';",
            scriptVariable="v=it has blanks",
            input=node(f"{bucket}/escaped", escaped),
            output=[node(f"{bucket}/same", escaped), node(f"{bucket}/lines", output, id="Second")],
            generatedScriptsPath=f"{bucket}/scripts",
        )
    )
    assert bucket.lines("same/") == sorted(["a\\,b,\\\\,1", ",☃ it's $x,", "short,row,"])
    assert "<a,b|it has blanks>" in bucket.lines("lines/")
    [kept] = bucket.keys("scripts/")
    assert kept == "scripts/@Work_2026-11-01T00_00_00_Attempt=1.pig"


def test_without_stage_the_script_is_run_as_it_is(steps: Steps, bucket: Bucket) -> None:
    text = f"A = LOAD '{bucket}/in' AS (line); STORE A INTO '{bucket}/out'; -- a remark at the end"
    steps.finish(pig(text, stage="FALSE", input=node(f"{bucket}/in")))
    assert bucket.lines("out/") == ["hello again", "hello world"]


@pytest.mark.parametrize(
    ("fields", "error_id", "words"),
    [
        ({"input": node("BUCKET/in", {"type": "CSV", "column": "a UUID"})}, "InvalidParameters", "the type 'UUID'"),
        (
            {"output": {"id": "F", "type": "S3DataNode", "filePath": "s3://b/f"}},
            "InvalidParameters",
            "without directoryPath",
        ),
        (
            {"input": {"id": "D", "type": "DynamoDBDataNode", "tableName": "t"}},
            "InvalidParameters",
            "cannot be a relation",
        ),
        ({"input": node("BUCKET/nothing", {"type": "CSV"})}, "NotFound", "there is nothing at"),
        ({"scriptVariable": "no value"}, "InvalidParameters", "is not name=value"),
        ({"scriptUri": "s3://b/x"}, "InvalidParameters", "it has both"),
    ],
)
def test_what_cannot_be_done_is_told_before_pig_runs(
    steps: Steps, bucket: Bucket, fields: dict[str, Any], error_id: str, words: str
) -> None:
    given = {"input": node("BUCKET/in"), "output": node("BUCKET/out"), **fields}
    activity = json.loads(json.dumps(pig("${output1} = ${input1};", **given)).replace("BUCKET", str(bucket)))
    document = steps.fail(activity)
    assert document["errorId"] == error_id
    assert words in document["errorMessage"]


def test_without_pig_the_error_names_it(steps: Steps, tmp_path: Path) -> None:
    document = steps.fail(pig("A = LOAD 'x';", stage="false"), PATH="/usr/bin:/bin")
    assert document["errorId"] == "ProgramMissing"
    assert "Work needs the program 'pig'" in document["errorMessage"]
