"""Transactions that are tried again as a whole when the warehouse could not put them in an order."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypedDict, TypeVar, Unpack

import tenacity

from core.errors import TransactionConflict
from core.sections.databases import RedshiftSettings
from stores.redshift.session import Session, connect

T = TypeVar("T")


class SessionOptions(TypedDict, total=False):
    """The options of ``run_session``."""

    cancelled: threading.Event | None
    query_group: str | None
    connection_retries: int
    attempts: int


def run_session(
    settings: RedshiftSettings,
    work: Callable[[Session], T],
    *,
    cancelled: threading.Event | None = None,
    query_group: str | None = None,
    connection_retries: int = 2,
    attempts: int = 8,
) -> T:
    """Run ``work`` on a session of its own and return its result.

    On a serialization failure or deadlock everything is done again on a new connection (the old snapshot would
    fail again), after a growing, random wait, so that two writers do not meet in step.

    Args:
        settings: the warehouse.
        work: what is done; it may run several times.
        cancelled: stops the running statement and rolls back.
        query_group: queue of the workload manager.
        connection_retries: further attempts to connect.
        attempts: how often the work is tried altogether.

    Raises:
        TransactionConflict: still in conflict after the last attempt.
        StoreError, InterruptedError: as ``Session.execute``.
    """
    stop = cancelled or threading.Event()

    def once() -> T:
        with connect(settings, cancelled=stop, query_group=query_group, retries=connection_retries) as session:
            return work(session)

    return retry_conflicts(once, stop, attempts)


def retry_conflicts(once: Callable[[], T], stop: threading.Event, attempts: int = 8) -> T:
    """Do something on a new connection each time, until no other writer is in its way; return its result.

    Raises:
        TransactionConflict: still in conflict after the last of the ``attempts``.
    """
    retrying = tenacity.Retrying(
        retry=tenacity.retry_if_exception_type(TransactionConflict),
        stop=tenacity.stop_after_attempt(attempts) | tenacity.stop_when_event_set(stop),
        wait=tenacity.wait_random_exponential(multiplier=0.2, max=20),
        sleep=tenacity.sleep_using_event(stop),
        reraise=True,
    )
    return retrying(once)


def run_transaction(settings: RedshiftSettings, work: Callable[[Session], T], **options: Unpack[SessionOptions]) -> T:
    """Run ``work`` as one transaction; return its result once that is committed. Arguments as for ``run_session``."""

    def inside(session: Session) -> T:
        with session.transaction():
            return work(session)

    return run_session(settings, inside, **options)
