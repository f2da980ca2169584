"""The step ``sql-activity``: a script run on a database.

Source: Developer Guide, *SqlActivity*. Results of queries are not kept; ``output`` serves for references and for the
``createTableSql`` of its table. Scripts in S3 are run as they are: expressions in them are not evaluated.
"""

from __future__ import annotations

import sys
from contextlib import nullcontext
from typing import Literal, Self

from pydantic import Field, model_validator

from core.errors import ParameterError
from steps_impl.activities.objects.base import ActivityParameters, Several
from steps_impl.activities.objects.databases import Database
from steps_impl.activities.objects.nodes import DataNode, RedshiftDataNode, SqlDataNode
from steps_impl.activities.servers.resolve import resolve, resolve_node
from steps_impl.activities.servers.server import TITLES
from steps_impl.activities.servers.session import open_session
from steps_impl.activities.servers.tables import create_if_missing, full_name
from steps_impl.activities.sql.execution import doing, execute_all
from steps_impl.activities.sql.script import bind, split_script
from steps_impl.activities.sql.source import read_script
from steps_impl.activities.sql.transactions import runs_as_one
from steps_impl.contract import StepContext, StepResult
from steps_impl.registry import Step
from stores.s3 import S3Store
from stores.sql import Statement


class SqlActivityParameters(ActivityParameters):
    """Parameters of ``sql-activity``: the fields of a SqlActivity."""

    type: Literal["SqlActivity"] = Field(default="SqlActivity", description="the type of the activity")
    database: Database = Field(description="where the script runs")
    script: str | None = Field(default=None, description="the script; or `scriptUri`")
    script_uri: str | None = Field(default=None, description="`s3://…` of the script")
    script_argument: Several[str] = Field(default=(), description="values of the script's `?`, in their order")
    queue: str | None = Field(default=None, description="query group, on Redshift alone")
    input: Several[DataNode] = Field(default=(), description="not used: the service waits for it")
    output: Several[DataNode] = Field(default=(), description="its `createTableSql` is run if its table is missing")

    @model_validator(mode="after")
    def _one_script(self) -> Self:
        self.demand_one_of(script=self.script, scriptUri=self.script_uri)
        return self


def run(parameters: SqlActivityParameters, context: StepContext) -> StepResult:
    """Run the statements of the script one after the other, as one transaction where the server allows it."""
    server = resolve(parameters.database)
    pieces = split_script(_script(parameters), server.engine)
    if not pieces:
        raise ParameterError(f"the script of {parameters.label} holds no statement")
    statements = _numbered(bind(pieces, parameters.script_argument))
    _create_tables(parameters, context)
    if parameters.queue and server.engine != "redshift":
        sys.stderr.write(f"ductrunner: queue is for Redshift; {TITLES[server.engine]} has none\n")
    together = runs_as_one(pieces, server.engine)
    with (
        open_session(server, context.cancelled, parameters.queue) as session,
        session.transaction() if together else nullcontext(),
    ):
        rows = execute_all(session, statements, context)
    return StepResult(rows=rows, details={"statements": len(statements), "one_transaction": together})


def _script(parameters: SqlActivityParameters) -> str:
    return parameters.script if parameters.script is not None else read_script(str(parameters.script_uri), S3Store())


def _numbered(bound: list[tuple[str, tuple[str, ...]]]) -> list[Statement]:
    return [
        Statement(text, doing(text, number, len(bound)), arguments)
        for number, (text, arguments) in enumerate(bound, start=1)
    ]


def _create_tables(parameters: SqlActivityParameters, context: StepContext) -> None:
    for node in parameters.output:
        if isinstance(node, SqlDataNode) and node.table:
            server, name = resolve_node(node), full_name(node.table, node.schema_name)
        elif isinstance(node, RedshiftDataNode):
            server, name = resolve(node.database), full_name(node.table_name, node.schema_name)
        else:
            continue
        if node.create_table_sql:
            with open_session(server, context.cancelled) as session:
                create_if_missing(session, name, node.create_table_sql)


STEP = Step(
    name="sql-activity",
    summary="Run an SQL script on a database, as a SqlActivity does.",
    parameters=SqlActivityParameters,
    run=run,
)
