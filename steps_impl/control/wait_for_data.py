"""``wait-for-data``: waits until objects are in S3, or until a query of a database finds a row."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Self

from pydantic import Field, model_validator

from core.errors import DataNotThere, StoreUnreachable
from core.settings import Settings, load_settings
from steps_impl.contract import StepContext, StepResult
from steps_impl.quality.engines.end import bare_for, check_name, open_end, text_of
from steps_impl.registry import Parameters, Step
from stores.s3 import S3Store, parse_uri

#: False as the engines print it; MySQL a BIT.
_FALSE = frozenset({"", "f", "false", "\0"})


class WaitParameters(Parameters):
    """What is waited for; every part of it must be there."""

    s3_uri: tuple[str, ...] = Field(
        default=(), description="objects in S3; one that ends with `/` is a folder with anything in it"
    )
    sql: str | None = Field(default=None, description="a query: it waits for a row whose first value is not false or 0")
    host_name: str | None = Field(
        default=None, description="where the query runs: `redshift`, `postgres` or a name under `mysql`"
    )
    database: str | None = Field(default=None, description="of the host; default: the configuration's")
    refresh_rate: float = Field(default=60.0, gt=0, le=3600, description="seconds between two looks")
    timeout: float | None = Field(default=None, gt=0, description="seconds until it gives up; default: never")

    @model_validator(mode="after")
    def _something(self) -> Self:
        if not (self.s3_uri or self.sql):
            raise ValueError("give --s3-uri or --sql: there is nothing to wait for")
        if bool(self.sql) != bool(self.host_name):
            raise ValueError("--sql and --host-name go together")
        return self


def run(parameters: WaitParameters, context: StepContext) -> StepResult:
    """Look at intervals until everything is there; what was there once is not looked for again.

    Raises:
        DataNotThere: the time is over.
        NotFound: a bucket or a database is not there.
        StoreError: S3 or the database refuses, or cannot be reached at the first look; later that counts as "not yet".
    """
    settings = load_settings(environment=context.environment)
    missing = _conditions(parameters, settings, context.cancelled)
    began, looks = time.monotonic(), 0
    while True:
        missing = {what: there for what, there in missing.items() if not _look(there, first=not looks)}
        looks += 1
        if looks == 1:
            _check_buckets(S3Store(region=settings.etl.region), [uri for uri in parameters.s3_uri if uri in missing])
        if not missing:
            return StepResult(details={"looks": looks, "waited": round(time.monotonic() - began, 1)})
        context.reporter.progress(f"waits for {', '.join(missing)}")
        if parameters.timeout is not None and time.monotonic() - began >= parameters.timeout:
            raise DataNotThere(f"not there after {parameters.timeout:g} s: {', '.join(missing)}")
        if context.cancelled.wait(_pause(parameters, began)):
            raise InterruptedError("cancelled while waiting for data")


def _look(there: Callable[[], bool], *, first: bool) -> bool:
    try:
        return there()
    except StoreUnreachable as error:
        if first:
            raise
        sys.stderr.write(f"ductrunner: {error}; this counts as not there yet\n")
        return False


def _pause(parameters: WaitParameters, began: float) -> float:
    """Return the seconds until the next look, which the end of the time does not make later."""
    if parameters.timeout is None:
        return parameters.refresh_rate
    return max(min(parameters.refresh_rate, began + parameters.timeout - time.monotonic()), 0.01)


def _conditions(
    parameters: WaitParameters, settings: Settings, cancelled: threading.Event
) -> dict[str, Callable[[], bool]]:
    store = S3Store(region=settings.etl.region)
    conditions: dict[str, Callable[[], bool]] = {uri: partial(_in_s3, store, uri) for uri in parameters.s3_uri}
    if parameters.sql and parameters.host_name:
        check_name(parameters.host_name, settings)
        look = partial(_in_database, parameters.sql, parameters.host_name, parameters.database, settings, cancelled)
        conditions[f"a row on {parameters.host_name}"] = look
    return conditions


def _check_buckets(store: S3Store, uris: Sequence[str]) -> None:
    """Refuse to wait for a bucket that is not there: of a single key S3 does not tell which of the two is missing.

    Raises:
        NotFound: names the bucket.
    """
    for uri in uris:
        next(iter(store.list(uri)), None)


def _in_s3(store: S3Store, uri: str) -> bool:
    if parse_uri(uri).name:
        return store.exists(uri)
    return next(iter(store.list(uri)), None) is not None


def _in_database(sql: str, host: str, database: str | None, settings: Settings, cancelled: threading.Event) -> bool:
    with open_end(host, database, settings, cancelled) as end:
        rows = end.rows(f"SELECT * FROM (\n{bare_for(end, sql)}\n) AS awaited LIMIT 1")
    return bool(rows) and _is_true(text_of(rows[0][0]))


def _is_true(text: str | None) -> bool:
    """Tell whether a value is neither NULL, false nor 0, however many digits that has."""
    try:
        return text is not None and float(text) != 0
    except ValueError:
        return str(text).lower() not in _FALSE


STEP = Step(
    name="wait-for-data",
    summary="Wait until objects are in S3, or until a query of a database finds a row.",
    parameters=WaitParameters,
    run=run,
)
