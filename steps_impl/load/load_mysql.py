"""The step ``load-mysql``: files into a MySQL table, with LOAD DATA LOCAL, visible at once or not at all."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from difflib import get_close_matches
from functools import partial
from typing import Any, Literal

from pydantic import Field

from core.cancelling import on_cancel
from core.errors import ParameterError
from core.sections.databases import MySqlHost
from core.settings import Settings, load_settings
from steps_impl.activities.copying.mysql_bulk import keep_zeros
from steps_impl.activities.copying.rows import Rows
from steps_impl.contract import StepContext, StepResult
from steps_impl.load.products.append import append
from steps_impl.load.products.files import Files
from steps_impl.load.products.mysql_load import MySqlLoad
from steps_impl.load.products.mysql_merge import merge
from steps_impl.load.products.mysql_records import MySqlRecords
from steps_impl.load.products.mysql_replace import replace
from steps_impl.load.products.mysql_table import documents_of, look
from steps_impl.load.products.parameters import DatabaseLoadParameters
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
    files = Files.find(parameters, context, settings.etl.region)
    reconnect = partial(connect, host, settings.etl.connection_retries)
    with reconnect() as target, on_cancel(context.cancelled, target.cancel):
        _prepare(target, parameters)
        table = look(target, parameters.table)
        columns = files.columns(table, target.where)
        rows = Rows(files.chunks(columns, partial(documents_of, target, table)), columns)
        feed = files.feed(rows, table, nul=None)
        load = MySqlLoad(parameters, table, columns, rows, feed, context, target)
        ways: dict[str, Callable[[], Mapping[str, Any]]] = {
            "append": lambda: append(load, MySqlRecords(load), files.name(table)),
            "replace": lambda: replace(load, reconnect, parameters.replace_by),
        }
        counts = ways.get(parameters.mode, lambda: merge(load))()
    return files.result(table, feed, counts)


def _prepare(target: Target, parameters: LoadMySqlParameters) -> None:
    target.execute(f"SET SESSION lock_wait_timeout = {parameters.lock_timeout}")
    target.execute(f"SET SESSION innodb_lock_wait_timeout = {parameters.lock_timeout}")
    target.execute("SET SESSION sql_notes = 1")  # they tell of decimals and dates that would lose digits
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
