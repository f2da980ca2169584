"""What is sent to Cassandra once more, and what is not."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from cassandra import InvalidRequest, OperationTimedOut, Unauthorized

from core.errors import AccessDenied, LoadRejected, StoreUnreachable
from steps_impl.activities.copying.lines import Place
from steps_impl.load.products import cassandra_writer
from steps_impl.load.products.cassandra_writer import Writer


class Cluster:
    """Answers each row as it is told, from another thread as the driver does."""

    where = "Cassandra"

    def __init__(self, answers: dict[str, list[BaseException]]) -> None:
        self.answers = answers
        self.written: list[str] = []
        self.most = self.now = 0

    def send(self, bound: Any, done: Callable[[], None], failed: Callable[[BaseException], None]) -> None:
        self.now += 1
        self.most = max(self.most, self.now)
        threading.Thread(target=self._answer, args=(bound, done, failed)).start()

    def _answer(self, bound: str, done: Callable[[], None], failed: Callable[[BaseException], None]) -> None:
        self.now -= 1
        if errors := self.answers.get(bound):
            failed(errors.pop(0))
        else:
            self.written.append(bound)
            done()


def write(cluster: Cluster, *rows: str, limit: int = 4) -> Writer:
    writer = Writer(cluster, limit, None, threading.Event())  # type: ignore[arg-type]
    try:
        for number, row in enumerate(rows, 1):
            writer.write(row, lambda number=number: Place("rows.tsv", number, "line"))
        writer.finish()
    finally:
        writer.settle()
    return writer


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cassandra_writer, "_FIRST_WAIT", 0.0)


def test_what_failed_in_passing_is_sent_again_until_it_is_written() -> None:
    cluster = Cluster({"b": [OperationTimedOut(), OperationTimedOut()], "d": [OperationTimedOut()]})
    assert write(cluster, "a", "b", "c", "d").retries == 3
    assert sorted(cluster.written) == ["a", "b", "c", "d"]


def test_nodes_that_do_not_recover_fail_the_load() -> None:
    with pytest.raises(StoreUnreachable, match="operation timed out"):
        write(Cluster({"b": [OperationTimedOut() for _ in range(20)]}), "a", "b")


def test_a_refused_row_is_told_by_its_place_and_not_sent_again() -> None:
    cluster = Cluster({"b": [InvalidRequest("Key may not be empty")]})
    with pytest.raises(LoadRejected, match=r"refused rows\.tsv, line 2: key may not be empty"):
        write(cluster, "a", "b", "c")
    with pytest.raises(AccessDenied):
        write(Cluster({"a": [Unauthorized("User x has no MODIFY permission")]}), "a")


def test_no_more_rows_are_on_their_way_than_allowed() -> None:
    cluster = Cluster({})
    write(cluster, *map(str, range(200)), limit=3)
    assert len(cluster.written) == 200
    assert cluster.most <= 3
