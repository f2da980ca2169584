"""What the definitions expect to find: AWS's public samples, and the buckets, tables and topics of their authors."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
import psycopg2
import pymysql

from core.settings import Settings
from stores.secrets import resolve
from tests.acceptance.definitions import dataduct_seeds as dataduct

CSV = "0,ab,2012-01-01\n1,cd,2012-01-02\n"
LOG_LINES = "".join(" ".join(f"{row}{column}" for column in range(10)) + "\n" for row in range(5))
SPLITTER = """#!/usr/bin/env python3
import sys
for line in sys.stdin:
    for word in line.split():
        print("LongValueSum:" + word + "\\t1")
"""
HIVE_ROWS = "h1,u1,t1,GET /,200,5\nh2,u2,t2,GET /x,404,0\n"
#: Bucket → key → content.
OBJECTS: dict[str, dict[str, str | bytes]] = {
    "example-bucket": {
        "source/inputfile.csv": CSV,
        "InputData/2013-08-18-12:00.csv": CSV,
        "pigTestInput/part-0": LOG_LINES,
        "script/pigTestScipt.q": (
            "B = LIMIT ${input1} $three; ${output1} = FOREACH B GENERATE $column1, $column2, "
            "Third, Fourth, Fifth, Sixth, Seventh, Eighth;"
        ),
        "ddb-import/part-0": '{"id":{"s":"a"},"count":{"n":"1"}}\n{"id":{"s":"b"},"count":{"n":"2"}}\n',
        "tsv/2015-10-27": "1\tone\n2\ttwo\n",
        "billing/1-aws-billing-2026.csv.gz": gzip.compress(b"invoice_id,payer,cost\ni-1,p-1,1.5\ni-2,p-1,2.5\n"),
        "scripts/words.sh": 'echo "words of $1"\n',
        "src/run.sh": 'printf "%s\\n" "$@"\n',
        "app-logs/2015/12/a.log": "line\n",
        **{f"dataduct/src/{name}": content for name, content in dataduct.FILES.items()},
    },
    "elasticmapreduce": {
        "samples/wordcount/input/a.txt": "hello world\nhello again\n",
        "samples/wordcount/wordSplitter.py": SPLITTER,
    },
    "datapipeline": {"echo.sh": 'echo "got $1"\n'},
    "datapipeline-us-east-1": {"samples/hive-ads-samples.csv": "t1,t2,h1,2012-01-01\nt3,t4,h2,2012-01-02\n"},
    "scriptbucket": {"query.sql": "insert into table_of_runs values (?, ?);\n"},
    "test-bucket": {
        "scripts/preTaskScript.sh": 'echo "before $1 $2"\n',
        "scripts/postTaskScript.sh": 'echo "after $1 $2"\n',
    },
    "test-hive": {"input/part-0": HIVE_ROWS},
    "us-east-1.elasticmapreduce.samples": {"pig-apache-logs/data/access.log": 'a "GET /"\nb "PUT /"\nc "GET /x"\n'},
    "my-bucket": {"source/2013-08-18_000000/items/part-0": "one\n", "source/2013-08-18_000000/items/part-1": "two\n"},
    "datapipeline-samples": {"JsonToDynamoDb/json_to_ddb.q": "SHOW TABLES;\n"},
    **{
        name: {}
        for name in ("myawsbucket", "eu-west-1-bucket", "mylogsbucket", "mydploguri", "myloguri", "some-bucket")
    },
}
TABLES = {
    "MyDDBTable": [{"id": {"S": "a"}, "count": {"N": "1"}}, {"id": {"S": "b"}, "count": {"N": "2"}}],
    "CopiedTable": [],
    "RestoredTable": [],
    "item_mapped_table_restore_temp": [
        {"id": {"S": "old"}, "timeStamp": {"N": "1000000000"}},
        {"id": {"S": "new"}, "timeStamp": {"N": "1900000000"}},
    ],
    "restore_table": [],
}
TOPIC = "example-topic"


def fill_aws() -> None:
    """Make buckets, objects, tables and the topic in the AWS of the environment."""
    s3 = boto3.client("s3")
    for bucket, objects in OBJECTS.items():
        s3.create_bucket(Bucket=bucket)
        for key, content in objects.items():
            s3.put_object(Bucket=bucket, Key=key, Body=content.encode() if isinstance(content, str) else content)
    for region in ("us-east-1", "us-west-1"):
        _fill_tables(boto3.client("dynamodb", region_name=region))
    boto3.client("sns").create_topic(Name=TOPIC)
    boto3.client("rds").create_db_instance(**dataduct.RDS_INSTANCE)


def _fill_tables(dynamodb: Any) -> None:
    for name, items in TABLES.items():
        dynamodb.create_table(
            TableName=name,
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            ProvisionedThroughput={"ReadCapacityUnits": 1000, "WriteCapacityUnits": 1000},
        )
        for item in items:
            dynamodb.put_item(TableName=name, Item=item)


def fill_databases(settings: Settings) -> None:
    """Make the tables that definitions read from and write to."""
    with mysql(settings) as cursor:
        cursor.execute("create table table_name (id int, name varchar(20))")
        cursor.execute("create table songs (id int, name varchar(20))")
        cursor.execute("create table pig_table (one varchar(20))")
        cursor.execute("create table table_of_runs (one varchar(20), two varchar(20))")
        for table in ("table_name", "songs"):
            cursor.execute(f"insert into {table} values (1, 'one'), (2, 'two')")
        dataduct.run_all(cursor, dataduct.SOURCE)
    with warehouse(settings) as cursor:
        cursor.execute("create table redshift_source (col1 varchar(255), col2 integer)")
        cursor.execute("insert into redshift_source values ('a', 1), ('b', 2)")
        cursor.execute("create table tsv_target (id integer primary key, name varchar(20))")
        cursor.execute("insert into tsv_target values (1, 'former')")
        dataduct.run_all(cursor, dataduct.WAREHOUSE)
    with postgres() as cursor:
        dataduct.run_all(cursor, dataduct.POSTGRES)


@contextmanager
def mysql(settings: Settings) -> Iterator[Any]:
    """A cursor of the sandbox's MySQL; what is done is committed."""
    host = settings.mysql["source"]
    with pymysql.connect(
        host=host.host, port=host.port, user=host.username, password=resolve(host.password), database=host.database
    ) as connection:
        with connection.cursor() as cursor:
            yield cursor
        connection.commit()


@contextmanager
def warehouse(settings: Settings) -> Iterator[Any]:
    """A cursor of the sandbox's Redshift; what is done is committed."""
    place = settings.redshift
    yield from _cursor(place.host, place.port, place.database_name, place.username, resolve(place.password))


@contextmanager
def postgres() -> Iterator[Any]:
    """A cursor of the RDS instance that Dataduct's examples name; what is done is committed."""
    instance = dataduct.RDS_INSTANCE
    listed = boto3.client("rds").describe_db_instances(DBInstanceIdentifier=instance["DBInstanceIdentifier"])
    place = listed["DBInstances"][0]["Endpoint"]
    login = (instance["DBName"], instance["MasterUsername"], instance["MasterUserPassword"])
    yield from _cursor(place["Address"], place["Port"], *login)


def _cursor(host: str, port: int, database: str, user: str, password: str) -> Iterator[Any]:
    connection = psycopg2.connect(host=host, port=port, dbname=database, user=user, password=password)
    try:
        with connection, connection.cursor() as cursor:
            yield cursor
    finally:
        connection.close()


def replacements(settings: Settings) -> dict[str, str]:
    """What a user writes in place of the guide's placeholders: addresses, names and passwords of databases."""
    source, house = settings.mysql["source"], settings.redshift
    redshift = f"jdbc:postgresql://{house.host}:{house.port}/{house.database_name}"
    return {
        "your-sql-instance-name.id.region-name.rds.amazonaws.com:3306/database-name": (
            f"{source.host}:{source.port}/{source.database}"
        ),
        "table-name": "table_name",
        "my-username": str(source.username),
        "my-password": resolve(source.password),
        '"clusterId": "redshiftclusterId"': f'"connectionString": "{redshift}"',
        "jdbc:postgresql://redshift-endpoint/dbname": redshift,
        '"dbname"': f'"{house.database_name}"',
        '"user"': f'"{house.username}"',
        '"password"': f'"{resolve(house.password)}"',
    }


def filled(path: Path, settings: Settings) -> str:
    """Return a definition with its placeholders replaced."""
    text = path.read_text(encoding="utf-8")
    for placeholder, value in replacements(settings).items():
        text = text.replace(placeholder, value)
    return text
