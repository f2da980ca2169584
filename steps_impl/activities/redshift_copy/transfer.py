"""Rows of a table in another cluster: UNLOAD to a folder of the worker's own, COPY from it, and the folder is gone."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from core.errors import SettingsError
from steps_impl.activities.objects.nodes import RedshiftDataNode
from steps_impl.activities.redshift_copy import statements
from steps_impl.activities.redshift_copy.authorization import authorization, region_clause, region_of
from steps_impl.activities.redshift_copy.command_options import CommandOptions
from steps_impl.activities.redshift_copy.names import table_of
from steps_impl.activities.redshift_copy.staging import Arrived, Fill, load, shared_columns
from steps_impl.activities.redshift_copy.target import Target, demand_source
from steps_impl.activities.redshift_copy.warehouse import Warehouse, server_of
from steps_impl.tables.catalog import actual_columns
from steps_impl.tables.render import type_ddl
from stores.redshift import Session
from stores.s3 import S3Store
from stores.s3.location import S3Location

#: Says NULL between the two clusters: no text that anybody has.
_NULL = f"NULL AS 'ductrunner {uuid.uuid4().hex}'"


@contextmanager
def from_other_cluster(
    node: RedshiftDataNode,
    options: CommandOptions,
    warehouse: Warehouse,
    store: S3Store,
    workspace: S3Location | None,
    *,
    transformed: bool,
) -> Iterator[Fill]:
    """Hand out what brings the rows of a table of another cluster.

    Raises:
        SettingsError: the configuration names no bucket for them.
    """
    if workspace is None:
        raise SettingsError(
            f"{node.label} is in another cluster than the output; its rows pass through S3: set etl.s3_etl_bucket"
        )
    folder = workspace.child(f"between-clusters/{uuid.uuid4().hex}/")
    other = replace(warehouse, server=server_of(node), region=node.database.region, queue=None)

    def fill(session: Session, target: Target) -> Arrived:
        with other.open() as source_session:
            columns = _unload(source_session, node, target, folder, options, other, store, transformed=transformed)
            _create_staging(session, source_session, node, target, transformed=transformed)
        who = authorization(options, warehouse.role, warehouse.identity)
        region = region_clause(CommandOptions(), store.region(folder.bucket), _region(warehouse))
        parameters = ["MANIFEST GZIP ESCAPE", _NULL, region]
        return load(session, statements.copy(f"{folder}manifest", who, parameters, columns), warehouse)

    try:
        yield fill
    finally:
        store.delete([item.uri for item in store.list(str(folder))])


def _unload(
    session: Session,
    node: RedshiftDataNode,
    target: Target,
    folder: S3Location,
    options: CommandOptions,
    other: Warehouse,
    store: S3Store,
    *,
    transformed: bool,
) -> tuple[str, ...]:
    """Write the rows; return their columns."""
    source = demand_source(session, table_of(node))
    columns = source.columns if transformed else shared_columns(source, target)
    who = authorization(options, other.role, other.identity)
    region = region_clause(CommandOptions(), store.region(folder.bucket), _region(other))
    parameters = ["MANIFEST GZIP ESCAPE ALLOWOVERWRITE", _NULL, region]
    session.execute(statements.unload(statements.everything(source, columns), str(folder), who, parameters))
    return columns


def _create_staging(
    session: Session, source_session: Session, node: RedshiftDataNode, target: Target, *, transformed: bool
) -> None:
    if not transformed:
        for statement in statements.create_staging(target):
            session.execute(statement)
        return
    source = demand_source(source_session, table_of(node))
    typed = [(column.name, type_ddl(column.type)) for column in actual_columns(source_session, source.name)]
    session.execute(statements.create_staging_of(typed, source))


def _region(warehouse: Warehouse) -> str:
    return region_of(warehouse.server.host, warehouse.region, warehouse.identity.region)
