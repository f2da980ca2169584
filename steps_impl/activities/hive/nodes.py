"""From the nodes of an activity to tables that its script can use as ``${input1}`` and ``${output1}``."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from core.errors import NotFound, ParameterError
from steps_impl.activities.cluster import Cluster
from steps_impl.activities.hive.sql_nodes import SqlOutput, SqlTables
from steps_impl.activities.hive.tables import Reference, drop, dynamodb_table, file_table, references, s3_table
from steps_impl.activities.objects.nodes import DataNode, DynamoDBDataNode, RedshiftDataNode, S3DataNode
from stores.s3 import S3Store

_ITEMS = re.compile(r"\bmap\s*<\s*string\s*,\s*string\s*>", re.IGNORECASE)


@dataclass
class StagedTables:
    """Statements before and after a script, variables that name its tables, what is loaded in the end, columns."""

    before: list[str] = field(default_factory=list)
    after: list[str] = field(default_factory=list)
    variables: dict[str, str] = field(default_factory=dict)
    outputs: list[SqlOutput] = field(default_factory=list)
    columns: set[str] = field(default_factory=set)
    #: Whether an output without a format gets DynamoDB's items, and not lines.
    items: bool = False


def stage(script: str, inputs: Sequence[DataNode], outputs: Sequence[DataNode], cluster: Cluster) -> StagedTables:
    """Return the tables of the nodes that a script refers to; others need none.

    Raises:
        ParameterError: it refers to a node that the activity does not have, or that cannot be a table.
        NotFound: there is nothing where an input is.
    """
    staged = StagedTables(items=_copies_items(script, inputs))
    made: set[str] = set()
    for reference in references(script):
        nodes = inputs if reference.side == "input" else outputs
        table = f"{cluster.tag.replace('-', '_')}_{reference.side}{reference.number}"
        staged.variables[reference.variable] = table
        if table not in made:
            made.add(table)
            _stage_node(staged, _node(reference, nodes, cluster.label), table, reference.side == "output", cluster)
    return staged


def _copies_items(script: str, inputs: Sequence[DataNode]) -> bool:
    """Tell whether a script makes a table of whole items itself (the guide: *Staging-Unsupported Data Nodes*)."""
    tables = any(isinstance(node, DynamoDBDataNode) and not node.data_format for node in inputs)
    return tables and _ITEMS.search(script) is not None


def _node(reference: Reference, nodes: Sequence[DataNode], label: str) -> DataNode:
    if reference.number > len(nodes):
        found = f"{len(nodes)} {reference.side}{'' if len(nodes) == 1 else 's'}"
        raise ParameterError(f"the script of {label} uses ${{{reference.variable}}}, but the activity has {found}")
    return nodes[reference.number - 1]


def _stage_node(staged: StagedTables, node: DataNode, table: str, written: bool, cluster: Cluster) -> None:
    if isinstance(node, S3DataNode | DynamoDBDataNode) and node.data_format:
        staged.columns |= {column.name for column in node.data_format.columns}
    if isinstance(node, DynamoDBDataNode):
        staged.before += [*drop([table]), dynamodb_table(table, node)]
        staged.after += drop([table])
    elif isinstance(node, S3DataNode) and not written and node.file_path:
        _check_there(node)
        listing = cluster.new_file("files.txt")
        listing.write_text(f"{node.file_path}\n", encoding="utf-8")
        staged.before += file_table(table, node, str(listing))
    elif isinstance(node, S3DataNode):
        if not written:
            _check_there(node)
        staged.before.append(s3_table(table, node, written, written and staged.items))
    elif isinstance(node, RedshiftDataNode):
        raise ParameterError(f"{node.label} is a RedshiftDataNode, which cannot be a table of Hive; unload it to S3")
    elif written:
        output = SqlTables(cluster).written(table, node)
        staged.before.append(output.create())
        staged.after.append(output.unload())
        staged.outputs.append(output)
        staged.columns |= set(output.columns)
    else:
        statements, columns = SqlTables(cluster).read(table, node)
        staged.before += statements
        staged.columns |= set(columns)


def _check_there(node: S3DataNode) -> None:
    """Refuse an input that is not there: Hive would make an empty directory of it, and go on."""
    if next(S3Store().list(node.uri), None) is None:
        raise NotFound(f"there is nothing at {node.uri}, the input {node.label}; check the path")
