"""What the service itself looks at for a precondition: does a key, a prefix, a table, an item exist?

Source: AWS Data Pipeline Developer Guide, *S3KeyExists*, *S3PrefixNotEmpty*, *DynamoDBDataExists*,
*DynamoDBTableExists* ("system-managed preconditions"). A bucket or table that is not there is no error: what is asked
for does not exist, yet.
"""

from __future__ import annotations

from collections.abc import Callable

from core.errors import NotFound, TaskMalformed
from sandbox.datapipeline.model import AttemptContent
from sandbox.datapipeline.outside import Outside
from stores import aws

#: A table in one of these states cannot be read (DynamoDB API Reference, *TableDescription*).
_NO_TABLE = frozenset({"CREATING", "DELETING"})


def holds(outside: Outside, kind: str, content: AttemptContent) -> bool:
    """Tell whether a precondition is fulfilled now, by asking the store; blocks as long as that takes.

    Args:
        outside: the stores.
        kind: the precondition's type.
        content: the precondition's fields, evaluated.

    Raises:
        StoreError: the store cannot be asked, or refuses to answer.
        TaskMalformed: a field is missing.
        ParameterError: an S3 address cannot be read.
        SettingsError: no endpoint is configured for the store.
    """
    return CONDITIONS[kind](outside, content)


def _key_exists(outside: Outside, content: AttemptContent) -> bool:
    return outside.s3().exists(_required(content, "s3Key"))


def _prefix_not_empty(outside: Outside, content: AttemptContent) -> bool:
    try:
        return next(outside.s3().list(_required(content, "s3Prefix")), None) is not None
    except NotFound:
        return False


def _table_exists(outside: Outside, content: AttemptContent) -> bool:
    table = _required(content, "tableName")
    try:
        with aws.calling(f"describe the DynamoDB table {table}"):
            client = outside.dynamodb(content.text("region"))
            status = client.describe_table(TableName=table)["Table"]["TableStatus"]
    except NotFound:
        return False
    return status not in _NO_TABLE


def _data_exists(outside: Outside, content: AttemptContent) -> bool:
    table = _required(content, "tableName")
    try:
        with aws.calling(f"read the DynamoDB table {table}"):
            client = outside.dynamodb(content.text("region"))
            return bool(client.scan(TableName=table, Limit=1, Select="COUNT")["Count"])
    except NotFound:
        return False


def _required(content: AttemptContent, key: str) -> str:
    value = content.text(key)
    if not value:
        raise TaskMalformed(f"The precondition has no {key}; name what is to exist")
    return value


#: How each precondition of the service is evaluated; the others are given to workers.
CONDITIONS: dict[str, Callable[[Outside, AttemptContent], bool]] = {
    "DynamoDBDataExists": _data_exists,
    "DynamoDBTableExists": _table_exists,
    "S3KeyExists": _key_exists,
    "S3PrefixNotEmpty": _prefix_not_empty,
}
