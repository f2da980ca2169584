"""The step ``redshift-copy-activity``: rows from S3, DynamoDB or a warehouse into a table of a warehouse, or to S3.

Source: Developer Guide, *RedshiftCopyActivity*, *RedshiftDataNode*. What AWS leaves open is settled in the section
``redshift_copy_activity`` of the configuration.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from core.errors import ParameterError
from core.settings import Settings, load_settings
from steps_impl.activities.objects.base import ActivityParameters, Several
from steps_impl.activities.objects.nodes import DataNode, DynamoDBDataNode, RedshiftDataNode, S3DataNode
from steps_impl.activities.redshift_copy.command_options import CommandOptions, read_options
from steps_impl.activities.redshift_copy.exchange import InsertMode
from steps_impl.activities.redshift_copy.loading import Load
from steps_impl.activities.redshift_copy.names import columns_of, table_of
from steps_impl.activities.redshift_copy.records import attempt_of, service_status
from steps_impl.activities.redshift_copy.staging import Fill, from_dynamodb, from_s3, from_table
from steps_impl.activities.redshift_copy.transfer import from_other_cluster
from steps_impl.activities.redshift_copy.unloading import Unload
from steps_impl.activities.redshift_copy.warehouse import Warehouse, server_of
from steps_impl.contract import StepContext, StepResult
from steps_impl.registry import Step
from steps_impl.warehouse.target import workspace_of
from stores.identity import Identity
from stores.s3 import S3Store


def _in_capitals(value: Any) -> Any:
    return value.strip().upper() if isinstance(value, str) else value


class RedshiftCopyParameters(ActivityParameters):
    """Parameters of ``redshift-copy-activity``: the fields of a RedshiftCopyActivity."""

    type: Literal["RedshiftCopyActivity"] = Field(default="RedshiftCopyActivity", description="type of the activity")
    insert_mode: Annotated[InsertMode, BeforeValidator(_in_capitals)] = Field(
        description="what becomes of rows of the target: `KEEP_EXISTING`, `OVERWRITE_EXISTING`, `TRUNCATE`, `APPEND`"
    )
    input: DataNode = Field(description="S3DataNode, DynamoDBDataNode or RedshiftDataNode")
    output: DataNode = Field(description="RedshiftDataNode, or S3DataNode for a RedshiftDataNode as input")
    transform_sql: str | None = Field(
        default=None, description="SELECT from the table `staging`, in the target's columns"
    )
    command_options: Several[str] = Field(default=(), description="parameters of COPY and UNLOAD")
    queue: str | None = Field(default=None, description="query group of Redshift")


def run(parameters: RedshiftCopyParameters, context: StepContext) -> StepResult:
    """Load or unload, and return what was done, in rows."""
    settings = load_settings(environment=context.environment)
    options = read_options(parameters.command_options, parameters.label)
    store = S3Store(region=settings.etl.region)
    source, target = parameters.input, parameters.output
    if isinstance(target, RedshiftDataNode):
        warehouse = _warehouse(target, parameters, settings, context)
        with _filling(parameters, options, warehouse, settings, store) as fill:
            details = _load(parameters, target, fill, warehouse).run()
        return StepResult(rows=details["inserted"], details=details)
    if isinstance(source, RedshiftDataNode) and isinstance(target, S3DataNode):
        warehouse = _warehouse(source, parameters, settings, context)
        mode, transform = parameters.insert_mode, parameters.transform_sql
        details = Unload(source, target, mode, transform, options, warehouse, store).run()
        return StepResult(rows=details["unloaded"], details=details)
    raise ParameterError(f"{parameters.label} cannot go from {source.type} to {target.type}; {_ROUTES}")


_ROUTES = (
    "it goes from S3DataNode, DynamoDBDataNode or RedshiftDataNode to RedshiftDataNode, and from that to S3DataNode"
)


def _load(parameters: RedshiftCopyParameters, target: RedshiftDataNode, fill: Fill, warehouse: Warehouse) -> Load:
    attempt = attempt_of(warehouse.context.environment)
    return Load(
        name=table_of(target),
        mode=parameters.insert_mode,
        fill=fill,
        warehouse=warehouse,
        keys=columns_of(target.primary_keys),
        transform_sql=parameters.transform_sql,
        create_table_sql=target.create_table_sql,
        attempt=attempt,
        status=service_status(attempt) if attempt else None,
    )


@contextmanager
def _filling(
    parameters: RedshiftCopyParameters,
    options: CommandOptions,
    warehouse: Warehouse,
    settings: Settings,
    store: S3Store,
) -> Iterator[Fill]:
    """Hand out what fills the staging table from the input."""
    source, transformed = parameters.input, bool(parameters.transform_sql)
    workspace = workspace_of(settings)
    if isinstance(source, S3DataNode):
        with from_s3(source, options, warehouse, store, workspace) as fill:
            yield fill
    elif isinstance(source, DynamoDBDataNode):
        yield from_dynamodb(source, options, warehouse)
    elif not isinstance(source, RedshiftDataNode):
        raise ParameterError(f"{parameters.label} cannot read a {source.type}; {_ROUTES}")
    elif warehouse.is_of(source):
        _check_other_table(parameters, source)
        yield from_table(source, transformed=transformed)
    else:
        other = from_other_cluster(source, options, warehouse, store, workspace, transformed=transformed)
        with other as fill:
            yield fill


def _check_other_table(parameters: RedshiftCopyParameters, source: RedshiftDataNode) -> None:
    if isinstance(parameters.output, RedshiftDataNode) and table_of(source) == table_of(parameters.output):
        raise ParameterError(f"{parameters.label}: input and output are the same table")


def _warehouse(
    node: RedshiftDataNode, parameters: RedshiftCopyParameters, settings: Settings, context: StepContext
) -> Warehouse:
    chosen = settings.redshift_copy_activity
    return Warehouse(
        server=server_of(node),
        region=node.database.region,
        queue=parameters.queue,
        role=chosen.iam_role or (settings.redshift.iam_role if settings.redshift else None),
        settings=chosen,
        context=context,
        identity=Identity(),
    )


STEP = Step(
    name="redshift-copy-activity",
    summary="Load S3, DynamoDB or another table into a Redshift table, or unload a table to S3 (RedshiftCopyActivity).",
    parameters=RedshiftCopyParameters,
    run=run,
)
