"""COPY from a DynamoDB table: attributes find their columns, whatever has no place fails by name."""

from __future__ import annotations

import secrets
from decimal import Decimal

import psycopg2
import pytest

ROLE = "IAM_ROLE 'arn:aws:iam::123456789012:role/loader'"
LONG = "1234567890" * 10


@pytest.fixture
def dynamodb(aws_environment):
    """A new DynamoDB table whose items have a numeric id."""
    import boto3

    client = boto3.client("dynamodb")
    name = f"t-{secrets.token_hex(4)}"
    client.create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "Id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "Id", "AttributeType": "N"}],
        BillingMode="PAY_PER_REQUEST",
    )
    yield name, lambda **item: client.put_item(TableName=name, Item=item)
    client.delete_table(TableName=name)


def test_attributes_find_their_columns_in_any_case(run, dynamodb):
    name, put = dynamodb
    put(Id={"N": "1"}, Title={"S": 'q"|\\\n€😀'}, Price={"N": "2.50"}, ignored={"L": []})
    put(Id={"N": "2"}, title={"NULL": True}, price={"S": "3"})
    put(Id={"N": "3"}, title={"S": LONG})
    run("CREATE TABLE t (id int, title varchar(200), price decimal(5,2), other varchar(9))")
    run(f"COPY t FROM 'dynamodb://{name}' {ROLE} READRATIO 50")
    assert run("SELECT * FROM t ORDER BY id") == [
        (1, 'q"|\\\n€😀', Decimal("2.50"), ""),
        (2, None, Decimal("3.00"), ""),
        (3, LONG, None, ""),
    ]
    assert run("SELECT pg_last_copy_count()") == [(3,)]


def test_many_items_arrive_and_emptyasnull_holds(run, dynamodb):
    name, put = dynamodb
    for number in range(250):
        put(Id={"N": str(number)}, pad={"S": "x" * 6000})
    run("CREATE TABLE t (id int, pad varchar(max), title varchar(9))")
    run(f"COPY t FROM 'dynamodb://{name}' {ROLE} EMPTYASNULL REGION 'us-east-1'")
    assert run("SELECT count(*), sum(length(pad)), count(title) FROM t") == [(250, 1_500_000, 0)]


@pytest.mark.parametrize(
    ("value", "complaint"), [({"SS": ["a"]}, "type SS"), ({"B": b"a"}, "type B"), ({"BOOL": True}, "type BOOL")]
)
def test_a_type_that_copy_does_not_take_is_named(run, dynamodb, value, complaint):
    name, put = dynamodb
    put(Id={"N": "1"}, title=value)
    run("CREATE TABLE t (id int, title varchar(9))")
    with pytest.raises(psycopg2.Error, match=complaint):
        run(f"COPY t FROM 'dynamodb://{name}' {ROLE} READRATIO '50'")


def test_attributes_that_differ_in_case_alone_are_refused(run, dynamodb):
    name, put = dynamodb
    put(Id={"N": "1"}, title={"S": "a"}, Title={"S": "b"})
    run("CREATE TABLE t (id int, title varchar(9))")
    with pytest.raises(psycopg2.Error, match="called 'title'"):
        run(f"COPY t FROM 'dynamodb://{name}' {ROLE}")


def test_a_value_that_cannot_be_loaded_names_the_table_and_the_column_without_the_value(run, dynamodb):
    name, put = dynamodb
    put(Id={"N": "1"}, price={"S": "secret"})
    run("CREATE TABLE t (id int, price decimal(5,2))")
    with pytest.raises(psycopg2.Error, match="sys_load_error_detail"):
        run(f"COPY t FROM 'dynamodb://{name}' {ROLE}")
    ((file, line, column, message),) = run(
        "SELECT rtrim(file_name), line_number, rtrim(column_name), error_message FROM sys_load_error_detail"
        " WHERE session_id = pg_backend_pid()"
    )
    assert (file, line, column) == (f"dynamodb://{name}", 1, "price")
    assert "secret" not in message


@pytest.mark.parametrize("options", ["CSV", "GZIP", "MANIFEST", "DELIMITER ','", "JSON 'auto'", "READRATIO 0"])
def test_options_of_files_are_refused(run, dynamodb, options):
    run("CREATE TABLE t (id int)")
    with pytest.raises(psycopg2.Error):
        run(f"COPY t FROM 'dynamodb://{dynamodb[0]}' {ROLE} {options}")


def test_a_table_that_is_not_there_is_named(run, aws_environment):
    run("CREATE TABLE t (id int)")
    with pytest.raises(psycopg2.Error, match="ResourceNotFound"):
        run(f"COPY t FROM 'dynamodb://nowhere' {ROLE}")
