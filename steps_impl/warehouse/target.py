"""What both loading steps do around their transaction: the settings they need, the table they write to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from core.errors import SettingsError, StatementFailed, TransactionConflict
from core.sections.databases import RedshiftSettings
from core.settings import Settings
from steps_impl.tables.catalog import actual_columns, create_statements
from steps_impl.tables.compare import refuse
from steps_impl.tables.drift import REFUSE, DriftPolicy, plan_drift
from steps_impl.tables.model import Table
from steps_impl.warehouse.statements import lock
from stores.redshift import Session, Statement
from stores.s3.location import S3Location, parse_uri


def warehouse_of(settings: Settings) -> RedshiftSettings:
    """Return the configuration's ``redshift`` section.

    Raises:
        SettingsError: there is none.
    """
    if settings.redshift is None:
        raise SettingsError("the configuration has no redshift section; the step needs host, database and user")
    return settings.redshift


def workspace_of(settings: Settings, folder: str = "manifests") -> S3Location | None:
    """Return where passing files of a run may lie; ``None`` when the configuration names no bucket."""
    if not settings.etl.s3_etl_bucket:
        return None
    base = f"s3://{settings.etl.s3_etl_bucket}/{settings.etl.s3_base_path.strip('/')}"
    return parse_uri(f"{base.rstrip('/')}/{folder}/")


@dataclass(frozen=True)
class Settled:
    """How a table was found before a load."""

    exists: bool
    #: What was changed so that it is as defined, in words.
    altered: tuple[str, ...] = ()


def settle(session: Session, table: Table, policy: DriftPolicy = REFUSE) -> Settled:
    """Look at the table before the load's transaction; what differs is mended where the policy says so.

    Raises:
        SchemaMismatch: it is there with other names, types or another order.
        StoreError: the warehouse refuses a change.
    """
    there = actual_columns(session, table.name)
    if not there:
        return Settled(exists=False)
    drift = plan_drift(table, there, policy)
    refuse(table, drift.refused)
    for alteration in drift.alterations:
        _alter(session, table, alteration, policy)
    return Settled(exists=True, altered=tuple(alteration.doing for alteration in drift.alterations))


def _alter(session: Session, table: Table, alteration: Statement, policy: DriftPolicy) -> None:
    """Make a change, unless another load has made it meanwhile."""
    try:
        session.execute(alteration)
    except StatementFailed:
        if alteration in plan_drift(table, actual_columns(session, table.name), policy).alterations:
            raise


def take_hold(
    session: Session, table: Table, settings: Settings, *, exists: bool, policy: DriftPolicy = REFUSE
) -> bool:
    """Lock the table for this transaction, or create it with its grants; return whether it was created.

    Called first in the transaction: what is read afterwards is read behind the lock.

    Raises:
        TransactionConflict: the table went or came since the look before the transaction; everything is tried again.
        SchemaMismatch: it is not as defined.
    """
    [created] = take_hold_of_all(session, {table: exists}, settings, policy)
    return created


def take_hold_of_all(
    session: Session, tables: Mapping[Table, bool], settings: Settings, policy: DriftPolicy = REFUSE
) -> list[bool]:
    """Do what ``take_hold`` does for several tables; each has beside it whether it was there."""
    if there := [table.name for table, exists in tables.items() if exists]:
        session.execute(lock(*there))
    for table, exists in tables.items():
        if not exists:
            for statement in create_statements(table, settings.database):
                session.execute(statement)
        elif not settle(session, table, policy.within).exists:
            raise TransactionConflict(f"table {table.name} was dropped while the step began; run the step again")
    return [not exists for exists in tables.values()]
