"""The step ``create-view``: views of the warehouse become what a definition says, all of them in one transaction.

A view that has the columns of the new definition is replaced, so that its grants stay. One with other columns cannot be
(Redshift refuses it): it is dropped and made anew with the grants that it had and the configured ones, and so are those
of the same definition that read from it. Other views that read from it are not the step's business: they are named, and
nothing is changed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from pydantic import Field

from core.errors import SchemaMismatch
from core.sections.creation import DatabaseSettings, Permission
from core.settings import load_settings
from steps_impl.contract import StepContext, StepResult
from steps_impl.registry import Parameters, Step
from steps_impl.tables.definition import read_views
from steps_impl.tables.grants import access_statements
from steps_impl.tables.model import TableName, View
from steps_impl.tables.render import view_ddl
from steps_impl.tables.view_order import in_order
from steps_impl.warehouse.present_views import dependents, grants, has_columns_of, kind_of
from steps_impl.warehouse.target import warehouse_of
from stores.redshift import Session, Statement, run_transaction
from stores.s3 import S3Store

_OUTCOMES = ("created", "replaced", "recreated", "kept")


class CreateViewParameters(Parameters):
    """Parameters of ``create-view``."""

    view_definition: str = Field(
        description="one or several CREATE VIEW, in any order: a file, s3://bucket/key, or the text itself"
    )
    if_exists: Literal["replace", "keep"] = Field(
        default="replace", description="a view that is there becomes what the definition says, or stays as it is"
    )
    queue: str | None = Field(default=None, description="query group, which chooses the queue of the warehouse")


@dataclass
class _Making:
    """One attempt to make the views; made anew when the transaction is tried again."""

    views: Sequence[View]
    database: DatabaseSettings
    keep: bool
    done: dict[str, list[str]] = field(
        default_factory=lambda: {"created": [], "replaced": [], "recreated": [], "kept": []}
    )
    #: What was dropped, with its grants.
    _dropped: dict[TableName, list[Permission]] = field(default_factory=dict)

    def run(self, session: Session) -> dict[str, list[str]]:
        """Make them, those first that others read from; return the names by what was done.

        Raises:
            SchemaMismatch: a table has the name of a view, or a view outside reads from one that has to be dropped.
            StoreError: the warehouse refuses; nothing is changed.
        """
        for view in self.views:
            self._settle(session, view)
        return self.done

    def _settle(self, session: Session, view: View) -> None:
        there = kind_of(session, view.name)
        if there and self.keep:
            self._note("kept", view)
        elif there and self._is_replaceable(session, view, there):
            session.execute(Statement(view_ddl(view, or_replace=True), f"replace view {view.name}"))
            self._note("replaced", view)
        else:
            if there:
                self._drop(session, view.name)
            session.execute(Statement(view_ddl(view, or_replace=False), f"create view {view.name}"))
            for statement in access_statements(view.name, self.database, self._dropped.get(view.name, ())):
                session.execute(statement)
            self._note("recreated" if view.name in self._dropped else "created", view)

    def _is_replaceable(self, session: Session, view: View, there: str) -> bool:
        if view.late_binding:
            return there == "late binding"  # its columns are looked up when it is read
        return there == "bound" and has_columns_of(session, view)

    def _drop(self, session: Session, name: TableName) -> None:
        """Drop a view, before it those of the definition that read from it: they are made again when it is their turn.

        Raises:
            SchemaMismatch: a view that the definition does not have reads from it.
        """
        for reader in dependents(session, name):
            mine = next((view.name for view in self.views if _is_same(view.name, reader)), None)
            if mine is None:
                raise SchemaMismatch(
                    f"view {name} gets other columns and has to be dropped, and {reader} reads from it; put {reader} "
                    "into the definition, or drop it first"
                )
            self._drop(session, mine)
        self._dropped.setdefault(name, grants(session, name))
        session.execute(Statement(f"DROP VIEW IF EXISTS {name.sql}", f"drop view {name}"))

    def _note(self, what: str, view: View) -> None:
        self.done[what].append(str(view.name))


def _is_same(defined: TableName, there: TableName) -> bool:
    return defined.name == there.name and defined.schema in (None, there.schema)


def run(parameters: CreateViewParameters, context: StepContext) -> StepResult:
    """Make the views and return their names by what was done."""
    settings = load_settings(environment=context.environment)
    views = in_order(read_views(parameters.view_definition, S3Store(region=settings.etl.region)))
    context.reporter.progress("create views")
    done = run_transaction(
        warehouse_of(settings),
        lambda session: _Making(views, settings.database, parameters.if_exists == "keep").run(session),
        cancelled=context.cancelled,
        query_group=parameters.queue,
        connection_retries=settings.etl.connection_retries,
    )
    return StepResult(details=done)


STEP = Step(
    name="create-view",
    summary="Create views of the warehouse, or make those that are there what the definition says.",
    parameters=CreateViewParameters,
    run=run,
)
