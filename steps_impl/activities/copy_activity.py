r"""The step ``copy-activity``: rows or files from one data node to another.

Source: Developer Guide, *CopyActivity*. S3 to S3 with one data format copies objects inside S3, or their bytes; all
other ways take records. What is written to a database is one transaction, what is written to S3 appears when all of it
is there: a run that fails leaves nothing. Each run adds its rows to the table, as AWS's does; that a run which is done
twice adds them once is up to ``insertQuery`` (``ON DUPLICATE KEY UPDATE``, ``ON CONFLICT``).
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from core.errors import ParameterError
from core.settings import load_settings
from steps_impl.activities.copying.ends import Ends
from steps_impl.activities.copying.s3_files import FileCopy
from steps_impl.activities.objects.base import ActivityParameters
from steps_impl.activities.objects.nodes import AnySqlNode, DataNode, MySqlDataNode, S3DataNode, SqlDataNode
from steps_impl.activities.servers.resolve import resolve_node
from steps_impl.contract import StepContext, StepResult
from steps_impl.registry import Step


class CopyActivityParameters(ActivityParameters):
    """Parameters of ``copy-activity``: the fields of a CopyActivity."""

    type: Literal["CopyActivity"] = Field(default="CopyActivity", description="the type of the activity")
    input: DataNode = Field(description="S3DataNode, SqlDataNode or MySqlDataNode to read")
    output: DataNode = Field(description="S3DataNode, SqlDataNode or MySqlDataNode to write")


def run(parameters: CopyActivityParameters, context: StepContext) -> StepResult:
    """Copy, and return rows and bytes.

    Raises:
        ParameterError: a node that CopyActivity has no use for, or a field of one.
        DataError, LoadRejected: data that cannot be carried over; names file, line and column.
        StoreError: S3 or a database.
        InterruptedError: the step was cancelled; nothing was written.
    """
    source, target = _known(parameters.input, "input"), _known(parameters.output, "output")
    settings = load_settings()
    if isinstance(target, S3DataNode) and not (target.file_path or target.directory_path):
        raise ParameterError(
            f"the output {target.label} needs filePath or directoryPath; a manifest is read, not written"
        )
    if isinstance(source, S3DataNode) and isinstance(target, S3DataNode):
        return FileCopy(source, target, settings.copy_activity, context).run()
    ends = Ends(parameters.label, settings.copy_activity, settings.etl.connection_retries, context)
    if isinstance(target, S3DataNode):
        with ends.rows(source, None) as rows:
            return ends.into_file(rows, target)
    server = resolve_node(target)
    with ends.rows(source, server.engine) as rows:
        return ends.into_database(rows, target, server)


def _known(node: object, role: str) -> S3DataNode | AnySqlNode:
    if isinstance(node, S3DataNode | SqlDataNode | MySqlDataNode):
        return node
    kind = getattr(node, "type", type(node).__name__)
    raise ParameterError(
        f"CopyActivity takes S3DataNode, SqlDataNode and MySqlDataNode as {role}, not {kind}; "
        "RedshiftCopyActivity and HiveCopyActivity are for the others"
    )


STEP = Step(
    name="copy-activity",
    summary="Copy files or rows between S3 and SQL databases: what a CopyActivity does.",
    parameters=CopyActivityParameters,
    run=run,
)
