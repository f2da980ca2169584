"""The segments of a scan, several at a time."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from typing import TypeVar

from stores.dynamodb import Scan

Result = TypeVar("Result")
_LOOK = 0.5  # seconds between two reports of progress


def for_each_segment(
    scan: Scan, work: Callable[[int], Result], progress: Callable[[], None], concurrency: int
) -> list[Result]:
    """Call ``work`` for every segment on ``concurrency`` threads and return the results in order.

    The first failure ends all of them and is raised. ``progress`` is called now and then, by this thread.
    """
    with ThreadPoolExecutor(concurrency, thread_name_prefix="segment") as pool:
        futures = [pool.submit(work, number) for number in range(scan.segments)]
        pending = set(futures)
        while pending and not any(_failed(future) for future in futures):
            _, pending = wait(pending, timeout=_LOOK, return_when=FIRST_EXCEPTION)
            progress()
        if pending:
            scan.database.cancel()
            pool.shutdown(cancel_futures=True)
    _raise_first(futures)
    return [future.result() for future in futures]


def _raise_first(futures: list[Future[Result]]) -> None:
    """Raise what failed; the others were only interrupted by that."""
    errors = [error for future in futures if not future.cancelled() and (error := future.exception())]
    for error in sorted(errors, key=lambda error: isinstance(error, InterruptedError)):
        raise error


def _failed(future: Future[Result]) -> bool:
    return future.done() and not future.cancelled() and future.exception() is not None
