"""The step ``exists``: whether a data node is there.

Source: Developer Guide, *Exists*. AWS does not say what that means for each type; here: the object in S3, anything
below the directory in S3, the table. A table is there when it can be read; one that may not be read is an error.
"""

from __future__ import annotations

import sys
from typing import Literal

from pydantic import Field

from core.errors import CheckFailed, NotFound, ParameterError
from steps_impl.activities.objects.base import ActivityParameters
from steps_impl.activities.objects.nodes import AnySqlNode, DataNode, DynamoDBDataNode, RedshiftDataNode, S3DataNode
from steps_impl.activities.servers.resolve import resolve, resolve_node
from steps_impl.activities.servers.session import open_session
from steps_impl.activities.servers.tables import full_name, table_exists
from steps_impl.contract import StepContext, StepResult
from steps_impl.registry import Step


class ExistsParameters(ActivityParameters):
    """Parameters of ``exists``: the fields of an Exists, and the data node that it belongs to."""

    type: Literal["Exists"] = Field(default="Exists", description="the type of the precondition")
    node: DataNode = Field(description="what is looked for")


def run(parameters: ExistsParameters, context: StepContext) -> StepResult:
    """Look for the data node.

    Raises:
        CheckFailed: it is not there.
    """
    what, found = _look(parameters.node, context)
    if not found:
        raise CheckFailed(f"{what} is not there")
    sys.stdout.write(f"{what} is there\n")
    return StepResult()


def _look(node: DataNode, context: StepContext) -> tuple[str, bool]:
    """Return what is looked for, in words, and whether it is there."""
    if isinstance(node, S3DataNode):
        return node.uri, _in_s3(node, context)
    if isinstance(node, DynamoDBDataNode):
        return f"the DynamoDB table {node.table_name}", _in_dynamodb(node)
    return _in_database(node, context)


def _in_s3(node: S3DataNode, context: StepContext) -> bool:
    from stores.s3 import S3Store

    return S3Store().holds(node.uri, directory=node.directory_path is not None, cancelled=context.cancelled)


def _in_dynamodb(node: DynamoDBDataNode) -> bool:
    from stores.dynamodb import DynamoDB

    with DynamoDB(node.region) as database:
        try:
            database.describe(node.table_name)
        except NotFound:
            return False
    return True


def _in_database(node: AnySqlNode | RedshiftDataNode, context: StepContext) -> tuple[str, bool]:
    if isinstance(node, RedshiftDataNode):
        server, table = resolve(node.database), node.table_name
    elif node.table:
        server, table = resolve_node(node), node.table
    else:
        raise ParameterError(f"{node.label} names no table; Exists looks for one")
    name = full_name(table, node.schema_name)
    with open_session(server, context.cancelled) as session:
        return f"the table {name} of {server.title}", table_exists(session, name)


STEP = Step(
    name="exists",
    summary="Look for a data node, as the precondition Exists does.",
    parameters=ExistsParameters,
    run=run,
)
