"""Transactions that are tried again as a whole when the warehouse could not put them in an order."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

import tenacity

from core.errors import TransactionConflict
from core.settings import RedshiftSettings
from stores.redshift.session import Session, connect

T = TypeVar("T")


def run_transaction(
    settings: RedshiftSettings,
    work: Callable[[Session], T],
    *,
    prepare: Callable[[Session], None] | None = None,
    cancelled: threading.Event | None = None,
    query_group: str | None = None,
    connection_retries: int = 2,
    attempts: int = 8,
) -> T:
    """Run ``work`` inside one transaction and return its result once that is committed.

    On a serialization failure or deadlock everything is done again on a new connection (the old snapshot would
    fail again), after a growing, random wait, so that two writers do not meet in step.

    Args:
        settings: the warehouse.
        work: what happens between BEGIN and COMMIT; it may run several times.
        prepare: what happens on the same session before BEGIN (staging that others need not wait for).
        cancelled: stops the running statement and rolls back.
        query_group: queue of the workload manager.
        connection_retries: further attempts to connect.
        attempts: how often the transaction is tried altogether.

    Raises:
        TransactionConflict: still in conflict after the last attempt.
        StoreError, InterruptedError: as ``Session.execute``; nothing is changed then.
    """
    stop = cancelled or threading.Event()

    def once() -> T:
        with connect(settings, cancelled=stop, query_group=query_group, retries=connection_retries) as session:
            if prepare:
                prepare(session)
            with session.transaction():
                return work(session)

    retrying = tenacity.Retrying(
        retry=tenacity.retry_if_exception_type(TransactionConflict),
        stop=tenacity.stop_after_attempt(attempts) | tenacity.stop_when_event_set(stop),
        wait=tenacity.wait_random_exponential(multiplier=0.2, max=20),
        sleep=tenacity.sleep_using_event(stop),
        reraise=True,
    )
    return retrying(once)
