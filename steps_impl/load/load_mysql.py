"""The step ``load-mysql``: files into a MySQL table, with LOAD DATA LOCAL, visible at once or not at all."""

from __future__ import annotations

from difflib import get_close_matches
from functools import cache, partial
from typing import Any, Literal

from pydantic import Field

from core.cancelling import on_cancel
from core.errors import ParameterError
from core.sections.databases import MySqlHost
from core.settings import Settings, load_settings
from steps_impl.activities.copying.feed import Feed
from steps_impl.activities.copying.mysql_bulk import keep_zeros
from steps_impl.activities.copying.rows import Rows
from steps_impl.contract import StepContext, StepResult
from steps_impl.load.manifest import LoadInput
from steps_impl.load.products.columns import chosen
from steps_impl.load.products.identity import name_of
from steps_impl.load.products.inputs import addresses_of, find_files, s3_store
from steps_impl.load.products.mysql_append import append
from steps_impl.load.products.mysql_load import MySqlLoad
from steps_impl.load.products.mysql_replace import replace
from steps_impl.load.products.mysql_staged import merge
from steps_impl.load.products.mysql_table import look
from steps_impl.load.products.parameters import DatabaseLoadParameters
from steps_impl.load.products.rows import file_format, read_ahead, read_rows
from steps_impl.registry import Step
from stores.mysql.target import Target, connect

_ZERO_DATES = "SET SESSION sql_mode = REPLACE(REPLACE(@@SESSION.sql_mode, 'NO_ZERO_IN_DATE', ''), 'NO_ZERO_DATE', '')"


class LoadMySqlParameters(DatabaseLoadParameters):
    """Parameters of ``load-mysql``."""

    host_name: str = Field(description="alias of the server in the configuration's mysql section")
    database: str | None = Field(default=None, description="database; default: the one of the configuration")
    replace_by: Literal["auto", "swap", "delete"] = Field(
        default="auto",
        description="replace: swap: load another table and exchange the names in one step; delete: delete and load in "
        "one transaction; auto: swap, unless triggers, foreign keys or row history would be lost",
    )
    zero_dates: Literal["server", "keep"] = Field(
        default="server", description="0000-00-00 in the files: taken or refused as the server is set up, or taken"
    )


def run(parameters: LoadMySqlParameters, context: StepContext) -> StepResult:
    """Load the files.

    Raises:
        ParameterError: the host, the table, a column or the mode does not fit.
        LoadRejected, DataError, CheckFailed: the files; the table is as before.
        StoreError: the server; the table is as before (or, where the answer to a COMMIT was lost, loaded as a whole).
        InterruptedError: the step was cancelled; the table is as before.
    """
    settings = load_settings(environment=context.environment)
    host = _host(settings, parameters)
    s3 = cache(partial(s3_store, settings.etl.region))
    source = find_files(addresses_of(parameters.input, context.environment), s3)
    reconnect = partial(connect, host, settings.etl.connection_retries)
    with reconnect() as target, on_cancel(context.cancelled, target.cancel):
        _prepare(target, parameters)
        table = look(target, parameters.table)
        where = f"{target.where}, table {table}"
        made = [column.name for column in table.columns.values() if column.generated]
        writable = [column.name for column in table.columns.values() if not column.generated]
        columns = chosen(parameters.columns or source.columns, writable, made, where)
        form = file_format(parameters, source, columns)
        rows = Rows(read_ahead(read_rows(source.files, form, s3)), columns)
        feed = Feed(rows, context, nul=None)
        feed.require_width(len(columns), f"the table {table}")
        load = MySqlLoad(parameters, target, table, columns, rows, feed, context)
        counts = _load(load, reconnect, parameters, source)
    details = {"table": str(table), "mode": parameters.mode, "files": len(source.files), "read": feed.count, **counts}
    return StepResult(rows=feed.count, bytes=feed.bytes, details=details)


def _load(load: MySqlLoad, reconnect: Any, parameters: LoadMySqlParameters, source: LoadInput) -> dict[str, Any]:
    if parameters.mode == "replace":
        return dict(replace(load, reconnect, parameters.replace_by))
    if parameters.mode == "append":
        name = name_of(parameters.load_id, load.context.environment, source, str(load.table))
        return dict(append(load, name))
    return dict(merge(load))


def _prepare(target: Target, parameters: LoadMySqlParameters) -> None:
    target.execute(f"SET SESSION lock_wait_timeout = {parameters.lock_timeout}")
    target.execute(f"SET SESSION innodb_lock_wait_timeout = {parameters.lock_timeout}")
    keep_zeros(target)
    if parameters.zero_dates == "keep":
        target.execute(_ZERO_DATES)


def _host(settings: Settings, parameters: LoadMySqlParameters) -> MySqlHost:
    alias = parameters.host_name
    if alias not in settings.mysql:
        close = get_close_matches(alias, settings.mysql, n=1, cutoff=0.5)
        hint = f", did you mean {close[0]!r}?" if close else ""
        raise ParameterError(f"--host-name: the configuration's mysql section has no {alias!r}{hint}")
    host = settings.mysql[alias]
    return host.model_copy(update={"database": parameters.database}) if parameters.database else host


STEP = Step(
    name="load-mysql",
    summary="Load files into a MySQL table: append, insert-ignore, upsert, delete-insert, or replace by a swap.",
    parameters=LoadMySqlParameters,
    run=run,
)
