"""``hive-copy-activity``: HiveCopyActivity, items between tables of DynamoDB and directories in S3, some or all.

Source: Developer Guide, *HiveCopyActivity*. Whole items are moved without Hive: from and to a DynamoDBDataNode, and an
S3DataNode with a DynamoDBExportDataFormat or none. ``filterSql`` is evaluated by the machine's own ``hive``, over the
columns of the input's format. An S3DataNode of another format (CSV …) makes it a script of Hive, column by column.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from core.errors import ParameterError
from core.settings import load_settings
from steps_impl.activities.cluster import Cluster, ShellScriptConfig, open_cluster, run_config
from steps_impl.activities.dynamodb.copying import ItemCopy
from steps_impl.activities.dynamodb.rows import HiveColumn, RowForm
from steps_impl.activities.hive.formats import column_list
from steps_impl.activities.hive.handler import ROW_FORMAT
from steps_impl.activities.hive.nodes import stage
from steps_impl.activities.hive.quoting import literal, name
from steps_impl.activities.hive.reserved import quote_columns
from steps_impl.activities.hive.running import HiveRun, job_settings
from steps_impl.activities.hive.script import assemble
from steps_impl.activities.hive.staging import read_rows
from steps_impl.activities.hive.statements import split
from steps_impl.activities.hive.tables import variables
from steps_impl.activities.objects.base import ActivityParameters, Switch
from steps_impl.activities.objects.formats import Column, DynamoDBExportFormat, DynamoDBFormat
from steps_impl.activities.objects.nodes import DataNode, DynamoDBDataNode, S3DataNode
from steps_impl.contract import StepContext, StepResult
from steps_impl.registry import Step

#: The column that holds a whole item, beside those that a filter uses.
_ITEM = HiveColumn("ductrunner_item", "map<string,string>", None)


class HiveCopyActivityParameters(ActivityParameters):
    """The fields of HiveCopyActivity."""

    type: Literal["HiveCopyActivity"] = Field(default="HiveCopyActivity", description="always `HiveCopyActivity`")
    input: DataNode = Field(description="S3DataNode or DynamoDBDataNode")
    output: DataNode = Field(description="S3DataNode or DynamoDBDataNode")
    filter_sql: str | None = Field(default=None, description="which items are copied: a predicate without WHERE")
    pre_activity_task_config: ShellScriptConfig | None = Field(default=None, description="script before the copy")
    post_activity_task_config: ShellScriptConfig | None = Field(default=None, description="script after the copy")
    generated_scripts_path: str | None = Field(default=None, description="`s3://…` folder for a copy of what was run")
    resize_cluster_before_running: Switch = Field(default=False, description="only for managed clusters; not used here")
    resize_cluster_max_instances: int | None = Field(default=None, description="only for managed clusters")


def run(parameters: HiveCopyActivityParameters, context: StepContext) -> StepResult:
    """Run the script before, copy, run the script after.

    Raises:
        ParameterError: a node is of another type, or the filter is more than a predicate.
        ProgramMissing: the filter or a format needs Hive, which is not here.
        NotFound, StoreError, UnsupportedValue, CommandFailed: the message says what and where.
    """
    source, target = _node(parameters.input, "input"), _node(parameters.output, "output")
    _check_filter(parameters)
    whole = _holds_items(source) and _holds_items(target)
    if not whole:
        _check_columns(source, target)
    needs = None if whole and not parameters.filter_sql else "hive"
    with open_cluster(parameters.label, context, job_settings(None, [target]), needs=needs) as cluster:
        run_config(cluster, parameters.pre_activity_task_config, "preActivityTaskConfig")
        if whole:
            copy = ItemCopy(source, target, load_settings().dynamodb, context)
            result = _filtered(parameters, copy, cluster) if parameters.filter_sql else copy.straight().result()
        else:
            result = _by_columns(parameters, source, target, cluster)
        run_config(cluster, parameters.post_activity_task_config, "postActivityTaskConfig")
    return result


def _node(node: DataNode, side: str) -> DynamoDBDataNode | S3DataNode:
    if isinstance(node, DynamoDBDataNode | S3DataNode):
        return node
    raise ParameterError(f"the {side} {node.label} is a {node.type}; it must be an S3DataNode or a DynamoDBDataNode")


def _holds_items(node: DynamoDBDataNode | S3DataNode) -> bool:
    """Say whether whole items are read and written there, not columns of them."""
    if isinstance(node, S3DataNode):
        return node.data_format is None or isinstance(node.data_format, DynamoDBExportFormat)
    return not isinstance(node.data_format, DynamoDBFormat)


def _check_columns(*nodes: DynamoDBDataNode | S3DataNode) -> None:
    """Refuse files of whole items beside columns (the guide asks for a DynamoDBExportDataFormat on the table)."""
    for node in nodes:
        if isinstance(node, S3DataNode) and _holds_items(node):
            raise ParameterError(
                f"{node.label} has no format with columns, and the other side no DynamoDBExportDataFormat; give one"
            )


def _check_filter(parameters: HiveCopyActivityParameters) -> None:
    if parameters.filter_sql and len(split(parameters.filter_sql)) > 1:
        raise ParameterError(f"the filterSql of {parameters.label} holds a semicolon; it must be one predicate")


def _filtered(parameters: HiveCopyActivityParameters, copy: ItemCopy, cluster: Cluster) -> StepResult:
    """Let Hive choose among the items, which lie beside it as files for that."""
    columns = copy.source.data_format.columns if copy.source.data_format else ()
    chosen = [_ITEM, *(HiveColumn(column.name, column.type or "STRING", column.name) for column in columns)]
    form, folder = RowForm(chosen), cluster.new_file("items")
    before, after = folder / "in", folder / "out"
    for directory in (before, after):
        directory.mkdir(parents=True)
    copy.spill(form, before)
    script = filter_script(str(parameters.filter_sql), columns, str(before), str(after))
    HiveRun(cluster, parameters.generated_scripts_path).run(script, {}, "the filter")
    rows = RowForm([_ITEM]), after, f"of the filtered {copy.source.label}", cluster.context.cancelled
    return copy.deliver(lambda: read_rows(*rows)).result()


def filter_script(filter_sql: str, columns: tuple[Column, ...], source: str, target: str) -> str:
    """Return the script that writes the items that a filter takes from one local directory to another."""
    declared = column_list((Column(f"{_ITEM.name} {_ITEM.type}"), *columns), "the input")
    table, item = name("ductrunner_items"), name(_ITEM.name)
    chosen = f"SELECT {item} FROM {table} WHERE (\n{filter_sql}\n)"
    insert = f"INSERT OVERWRITE LOCAL DIRECTORY {literal(target)}\n{ROW_FORMAT}\n{chosen}"
    create = f"CREATE TEMPORARY TABLE {table} {declared}\n{ROW_FORMAT}\nSTORED AS TEXTFILE"
    load = f"LOAD DATA LOCAL INPATH {literal(source)} INTO TABLE {table}"
    return assemble([create, load], quote_columns(insert, [column.name for column in columns]), [])


def _by_columns(
    parameters: HiveCopyActivityParameters,
    source: DynamoDBDataNode | S3DataNode,
    target: DynamoDBDataNode | S3DataNode,
    cluster: Cluster,
) -> StepResult:
    """Let Hive copy the columns, in the order of the formats."""
    where = f" WHERE (\n{parameters.filter_sql}\n)" if parameters.filter_sql else ""
    script = f"INSERT OVERWRITE TABLE ${{output1}} SELECT * FROM ${{input1}}{where}"
    staged = stage(script, [_with_columns(source, target)], [_with_columns(target, source)], cluster)
    statements = [*staged.before, *variables(staged.variables)]
    whole = assemble(statements, quote_columns(script, staged.columns), staged.after)
    rows = HiveRun(cluster, parameters.generated_scripts_path).run(whole, staged.variables, "the copy")
    return StepResult(rows=rows or None)


def _with_columns(
    node: DynamoDBDataNode | S3DataNode, other: DynamoDBDataNode | S3DataNode
) -> DynamoDBDataNode | S3DataNode:
    """Return a table of DynamoDB with the columns of the other side, where it has none itself."""
    own = node.data_format.columns if node.data_format else ()
    if isinstance(node, S3DataNode) or own or not other.data_format:
        return node
    return node.model_copy(update={"data_format": DynamoDBFormat(column=other.data_format.column)})


STEP = Step(
    name="hive-copy-activity",
    summary="Copy items between DynamoDB and S3, as a HiveCopyActivity does.",
    parameters=HiveCopyActivityParameters,
    run=run,
)
