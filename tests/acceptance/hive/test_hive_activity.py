"""HiveActivity on a real Hive: the data that comes out."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from typing import Any

import psycopg2
import pymysql
import pytest

from sandbox.parts.database import DatabaseAddress

pytestmark = pytest.mark.usefixtures("engines")

CSV = {"id": "Csv", "type": "CSV", "column": ["name STRING", "remark STRING", "n INT"]}
#: The data format page's regular expression, for a web server's log.
LOG = (
    r'([^ ]*) ([^ ]*) ([^ ]*) (-|\[[^\]]*\]) ([^ "]*|"[^"]*") (-|[0-9]*) (-|[0-9]*)'
    r'(?: ([^ "]*|"[^"]*") ([^ "]*|"[^"]*"))?'
)
LOG_COLUMNS = ["host", "identity", "user", "time", "request", "status", "size", "referer", "agent"]
LOG_LINES = b"""127.0.0.1 - frank [10/Oct/2000:13:55:36 -0700] "GET /a.gif HTTP/1.0" 200 2326
10.0.0.1 - - [10/Oct/2000:13:55:37 -0700] "GET /b.gif HTTP/1.0" 404 0 "ref" "Mozilla; 4"
"""


def s3(id_: str, uri: str, data_format: dict[str, Any] | None = None) -> dict[str, Any]:
    kind = "directoryPath" if uri.endswith("/") else "filePath"
    return {"id": id_, "type": "S3DataNode", kind: uri, **({"dataFormat": data_format} if data_format else {})}


def data(files: dict[str, bytes]) -> bytes:
    """What a reader of the directory reads."""
    return b"".join(content for name, content in sorted(files.items()) if name and not name.startswith(("_", ".")))


def test_tables_of_directories_and_files_variables_and_scripts_around(
    step: Any, stored: Any, listed: Any, s3_bucket: str
) -> None:
    stored("in/1.csv", b'ann,"x;y, ""z""",1\nbob,"\\"",2\n')
    second = stored("one/file.csv", b"cat,q,30\n")
    stored("one/other.csv", b"not,this,0\n")
    script = stored("before.sh", b'#!/bin/sh\necho "before $1" >&2\n')
    query = (
        "INSERT OVERWRITE TABLE ${output1} SELECT name, remark, cast(n AS INT) * ${FACTOR} FROM ${input1} "
        "UNION ALL SELECT name, '${hivevar:MARK}', cast(n AS INT) FROM ${input2}"
    )
    document = {
        "id": "Work",
        "type": "HiveActivity",
        "hiveScript": query,
        "scriptVariable": ["FACTOR=10", 'MARK=a;b="c"'],
        "preActivityTaskConfig": {
            "id": "Pre",
            "type": "ShellScriptConfig",
            "scriptUri": script,
            "scriptArgument": "it",
        },
        "generatedScriptsPath": f"s3://{s3_bucket}/generated",
        "hadoopQueue": "quick",
        "input": [s3("In", f"s3://{s3_bucket}/in/", CSV), s3("File", second, CSV)],
        "output": s3("Out", f"s3://{s3_bucket}/out/", {"type": "TSV", "column": ["a STRING", "b STRING", "n BIGINT"]}),
    }
    stored("out/000000_0", b"of\ta run\t0\n")
    stored("out/older", b"of\ta run\t1\n")
    done = step(document)
    assert done.returncode == 0, done.stderr
    assert "before it" in done.stderr
    rows = sorted(data(listed("out/")).splitlines())
    assert rows == [b'ann\tx;y, "z"\t10', b'bob\t"\t20', b'cat\ta;b="c"\t30']
    [(_, generated)] = listed("generated/").items()
    assert query.encode() in generated


def test_lines_of_a_log_are_read_by_a_regular_expression_and_lines_without_a_format_are_copied(
    step: Any, stored: Any, listed: Any, s3_bucket: str
) -> None:
    stored("logs/access.log", LOG_LINES)
    columns = [f"{name} STRING" for name in LOG_COLUMNS]
    regex = {"type": "RegEx", "inputRegEx": LOG, "outputFormat": "%1$s", "column": columns}
    query = (
        "INSERT OVERWRITE TABLE ${output1} SELECT * FROM ${input2};\n"
        "INSERT OVERWRITE TABLE ${output2} SELECT host,user,time,request,status,size,agent FROM ${input1}"
    )
    tsv = {"type": "TSV", "column": ["host", "user", "time", "request", "status", "size", "agent"]}
    done = step(
        {
            "id": "Logs",
            "type": "HiveActivity",
            "hiveScript": query,
            "input": [s3("Parsed", f"s3://{s3_bucket}/logs/", regex), s3("Plain", f"s3://{s3_bucket}/logs/")],
            "output": [s3("Copy", f"s3://{s3_bucket}/copy/"), s3("Out", f"s3://{s3_bucket}/parsed/", tsv)],
        }
    )
    assert done.returncode == 0, done.stderr
    assert data(listed("copy/")) == LOG_LINES
    assert data(listed("parsed/")).decode().splitlines() == [
        '127.0.0.1\tfrank\t[10/Oct/2000:13:55:36 -0700]\t"GET /a.gif HTTP/1.0"\t200\t2326\t\\N',
        '10.0.0.1\t-\t[10/Oct/2000:13:55:37 -0700]\t"GET /b.gif HTTP/1.0"\t404\t0\t"Mozilla; 4"',
    ]


ITEMS = [
    {
        "id": {"S": "a\nb\\\x01"},
        "n": {"N": "7"},
        "tags": {"SS": ["x", "y\\,"]},
        "m": {"M": {"k": {"S": "v"}}},
        "b": {"B": b"\0\xff"},
    },
    {"id": {"S": "c"}, "n": {"N": "1.5"}, "empty": {"S": ""}, "deep": {"L": [{"NULL": True}]}},
]


def test_items_of_a_table_go_through_a_script_into_another_with_a_schema_and_whole(
    step: Any, tables: Any, s3_bucket: str, stored: Any, listed: Any
) -> None:
    exported = stored("exported/part", b'{"id":{"s":"old"},"n":{"n":"5"}}\n').rpartition("/")[0]
    source, some, whole = tables.create(), tables.create(), tables.create()
    tables.fill(source, ITEMS)
    columns = ["id STRING", "n BIGINT", "tags ARRAY<STRING>", "m MAP<STRING,STRING>", "b BINARY", "empty STRING"]
    schema = {"id": "Schema", "type": "DynamoDBDataFormat", "column": columns}
    script = f"""
        SET dynamodb.throughput.read.percent = 1.0;
        CREATE EXTERNAL TABLE everything (item map<string,string>)
        STORED BY 'org.apache.hadoop.hive.dynamodb.DynamoDBStorageHandler'
        TBLPROPERTIES ("dynamodb.table.name" = "{source}");
        CREATE EXTERNAL TABLE target (item map<string,string>)
        STORED BY 'org.apache.hadoop.hive.dynamodb.DynamoDBStorageHandler'
        TBLPROPERTIES ("dynamodb.table.name" = "{whole}");
        CREATE EXTERNAL TABLE backup (id string, n bigint)
        ROW FORMAT SERDE 'org.apache.hadoop.hive.dynamodb.DynamoDBExportSerDe' LOCATION "{exported}";
        INSERT OVERWRITE TABLE ${{output2}} SELECT id, n FROM backup;
        insert overwrite table ${{output1}} select * from ${{input1}} ;
        INSERT OVERWRITE TABLE target SELECT * FROM everything
    """
    done = step(
        {
            "id": "Work",
            "type": "HiveActivity",
            "hiveScript": script,
            "input": {"id": "In", "type": "DynamoDBDataNode", "tableName": source, "dataFormat": schema},
            "output": [
                {"id": "Out", "type": "DynamoDBDataNode", "tableName": some, "dataFormat": schema},
                s3("Csv", f"s3://{s3_bucket}/csv/", {"type": "CSV", "column": ["id", "n"]}),
            ],
        }
    )
    assert done.returncode == 0, done.stderr
    assert tables.items(whole) == tables.items(source)
    assert tables.items(some) == sorted([ITEMS[0], {"id": {"S": "c"}, "empty": {"S": ""}}], key=repr)
    assert data(listed("csv/")) == b'"old","5"\n'
    assert '"rows": 4' in done.stdout


def test_rows_without_the_tables_key_change_nothing_and_name_the_row(
    step: Any, tables: Any, stored: Any, s3_bucket: str
) -> None:
    target = tables.create()
    stored("in/a.csv", b"a,x,1\n,x,2\n")
    done = step(
        {
            "id": "Work",
            "type": "HiveActivity",
            "hiveScript": "INSERT OVERWRITE TABLE ${output1} SELECT name, remark FROM ${input1}",
            "input": s3("In", f"s3://{s3_bucket}/in/", CSV),
            "output": {
                "id": "Out",
                "type": "DynamoDBDataNode",
                "tableName": target,
                "dataFormat": {"type": "DynamoDBDataFormat", "column": ["id STRING", "remark STRING"]},
            },
        }
    )
    assert done.returncode == 1
    assert f"'id' is empty, but is in the key of the table {target}" in done.stderr
    assert "row 2 inserted into" in done.stderr
    assert tables.items(target) == []


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"hiveScript": "SELECT * FROM ${input2}"}, "uses ${input2}, but the activity has 1 input"),
        ({"hiveScript": "SELECT 1", "scriptUri": "s3://b/x"}, "must have either 'hiveScript' or 'scriptUri'"),
        ({"hiveScript": "SELECT 1", "scriptVariable": "NAME"}, "the scriptVariable 'NAME' has no value"),
        ({"hiveScript": "SELECT * FROM ${input1}"}, "there is nothing at s3://"),
        ({"scriptUri": "s3://BUCKET/none.q"}, "the script 's3://BUCKET/none.q' is not there"),
        ({"hiveScript": "SELECT 1", "hiveScrpt": "x"}, "has the field 'hiveScrpt', which is not known here"),
    ],
)
def test_a_mistake_is_told_before_anything_runs(
    step: Any, s3_bucket: str, fields: dict[str, str], message: str
) -> None:
    given = {key: value.replace("BUCKET", s3_bucket) for key, value in fields.items()}
    done = step({"id": "W", "type": "HiveActivity", "input": s3("In", f"s3://{s3_bucket}/none/", CSV), **given})
    assert done.returncode in (1, 2)
    assert message.replace("BUCKET", s3_bucket) in done.stderr


def test_a_statement_that_fails_fails_the_activity(step: Any) -> None:
    done = step({"id": "Work", "type": "HiveActivity", "hiveScript": "SELECT * FROM nowhere"})
    assert done.returncode == 1
    assert '"errorId": "CommandFailed"' in done.stdout
    assert "Work: the Hive script ended with exit status " in done.stdout
    assert "SemanticException [Error 10001]: Line 1:14 Table not found 'nowhere'" in done.stdout


def connected(connect: Callable[..., Any], place: DatabaseAddress) -> Any:
    login = {"user": place.username, "password": place.password, "database": place.database}
    return connect(host=place.host, port=place.port, **login)


def test_rows_of_mysql_are_a_table_and_a_table_becomes_rows_of_postgres(
    step: Any, mysql_database: Any, postgres_database: Any
) -> None:
    awkward = "tab\t, back\\slash, line\nfeed, return\r, \\N, ä🦆"
    with closing(connected(pymysql.connect, mysql_database)) as link, link.cursor() as cursor:
        cursor.execute("CREATE TABLE source (id INT, user TEXT, n DECIMAL(40,2)) CHARACTER SET utf8mb4")
        rows = [(1, awkward, "12345678901234567890123456789012345678.50"), (2, None, None), (3, "", "1.00")]
        cursor.executemany("INSERT INTO source VALUES (%s, %s, %s)", rows)
        link.commit()
    login = {"username": mysql_database.username, "*password": mysql_database.password}
    source = {
        "id": "In",
        "type": "MySqlDataNode",
        "table": "source",
        "connectionString": f"jdbc:mysql://{mysql_database.host}:{mysql_database.port}/{mysql_database.database}",
        "selectQuery": "select id, user, n from source",
        **login,
    }
    database = {
        "id": "Db",
        "type": "JdbcDatabase",
        "connectionString": f"jdbc:postgresql://{postgres_database.host}:{postgres_database.port}/{postgres_database.database}",
        "jdbcDriverClass": "org.postgresql.Driver",
        "username": postgres_database.username,
        "*password": postgres_database.password,
    }
    target = {
        "id": "Out",
        "type": "SqlDataNode",
        "database": database,
        "table": "target",
        "createTableSql": 'CREATE TABLE target (id INT PRIMARY KEY, "user" TEXT, n NUMERIC)',
    }
    done = step(
        {
            "id": "Work",
            "type": "HiveActivity",
            "hiveScript": "INSERT OVERWRITE TABLE ${output1} SELECT id, user, n FROM ${input1} WHERE id < 4",
            "input": source,
            "output": target,
        }
    )
    assert done.returncode == 0, done.stderr
    with closing(connected(psycopg2.connect, postgres_database)) as connection, connection.cursor() as cursor:
        cursor.execute('SELECT id, "user", n::text FROM target ORDER BY id')
        assert cursor.fetchall() == rows
    assert '"rows": 3' in done.stdout
