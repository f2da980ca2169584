"""Paces, throttling and lost batches: time is the test's own, the tables are real."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from core.errors import RequestRefused, StoreUnreachable, Throttled, UnsupportedValue
from core.sections.activities import DynamoDbSettings
from steps_impl.activities.dynamodb.shares import scan_of, write_pace
from stores.dynamodb import BatchWriter, DynamoDB, Pace, Table

PROVISIONED = {
    "BillingMode": "PROVISIONED",
    "ProvisionedThroughput": {"ReadCapacityUnits": 10, "WriteCapacityUnits": 20},
}


class Time:
    """A clock that only sleeping moves, for all threads."""

    def __init__(self) -> None:
        self.now = 1000.0
        self._lock = threading.Lock()

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        with self._lock:
            self.now += seconds


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def database(aws_environment: str, time: Time, monkeypatch: pytest.MonkeyPatch) -> Iterator[DynamoDB]:
    with DynamoDB(monotonic=time.monotonic) as made:
        monkeypatch.setattr(made, "sleep", time.sleep)
        yield made


@pytest.fixture
def answers(database: DynamoDB, monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[dict[str, Any]]]:
    """Puts ``change`` between the product and DynamoDB; returns what was asked."""

    def install(change: Callable[[str, dict[str, Any], Callable[[], Any]], Any]) -> list[dict[str, Any]]:
        calls: list[dict[str, Any]] = []
        real = database._client.call

        def call(operation: str, arguments: dict[str, Any]) -> Any:
            calls.append({"operation": operation, **arguments})
            return change(operation, arguments, lambda: real(operation, arguments))

        monkeypatch.setattr(database._client, "call", call)
        return calls

    return install


def costing(units: float) -> Callable[..., Any]:
    """Answers that say that the call has cost so much."""

    def change(operation: str, arguments: dict[str, Any], real: Callable[[], Any]) -> Any:
        capacity = {"CapacityUnits": units}
        return {**real(), "ConsumedCapacity": capacity if operation == "Scan" else [capacity]}

    return change


def test_a_scan_keeps_to_its_share_of_the_read_capacity(
    database: DynamoDB, tables: Any, time: Time, answers: Any
) -> None:
    name = tables.create("id S", **PROVISIONED)
    tables.fill(name, [{"id": {"S": str(n)}} for n in range(1000)])
    table = database.describe(name)
    calls = answers(costing(5))
    scan = scan_of(database, table, 0.5, DynamoDbSettings(), segments=1)
    assert sum(map(len, scan.pages(0))) == 1000
    # 5 units a second; a page of one second's units is 5 x 4096 bytes, at 100 bytes an item.
    assert {call["Limit"] for call in calls} == {204}
    assert all(call["ConsistentRead"] for call in calls)
    assert time.now - 1000.0 == pytest.approx(len(calls) - 1)


def test_a_scan_that_need_not_be_consistent_reads_twice_as_much_for_a_unit(database: DynamoDB, tables: Any) -> None:
    table = database.describe(tables.create("id S", **PROVISIONED))
    scan = scan_of(database, table, 0.5, DynamoDbSettings(consistent_read=False))
    assert (scan.consistent, scan._limit()) == (False, {"Limit": 409})


def test_a_large_table_at_full_speed_is_read_in_whole_pages_and_many_segments(database: DynamoDB) -> None:
    table = Table("t", (), read_capacity=None, write_capacity=None, items=10**8, bytes=10**12)
    scan = scan_of(database, table, 0.5, DynamoDbSettings())
    assert (scan.pace.rate, scan.segments, scan._limit()) == (20_000.0, 3726, {})


def test_puts_keep_to_their_share_of_the_write_capacity(
    database: DynamoDB, tables: Any, time: Time, answers: Any
) -> None:
    name = tables.create("id S", **PROVISIONED)
    table = database.describe(name)
    calls = answers(costing(10))
    with BatchWriter(database, table, write_pace(database, table, 0.5, DynamoDbSettings()), threads=1) as writer:
        for number in range(50):
            writer.put({"id": {"S": str(number)}}, "here")
    assert {len(call["RequestItems"][name]) for call in calls} == {10}
    assert (len(calls), time.now - 1000.0) == (5, pytest.approx(4.0))
    assert len(tables.items(name)) == 50


def test_items_that_dynamodb_does_not_take_at_once_are_put_again_until_it_does(
    database: DynamoDB, tables: Any, answers: Any, time: Time
) -> None:
    name = tables.create()
    table = database.describe(name)

    def take_one(operation: str, arguments: dict[str, Any], real: Callable[[], Any]) -> Any:
        requests = arguments["RequestItems"][name]
        left = requests[1:]
        del requests[1:]
        return {**real(), "UnprocessedItems": {name: left} if left else {}}

    answers(take_one)
    with BatchWriter(database, table, Pace(1000, time.monotonic), threads=3) as writer:
        for number in range(60):
            writer.put({"id": {"S": str(number)}}, "here")
    assert writer.written == len(tables.items(name)) == 60


def test_a_table_that_never_takes_anything_is_given_up_after_ten_minutes(
    database: DynamoDB, tables: Any, answers: Any, time: Time
) -> None:
    name = tables.create()
    table = database.describe(name)
    answers(lambda operation, arguments, real: {"UnprocessedItems": {name: arguments["RequestItems"][name]}})
    writer = BatchWriter(database, table, Pace(1000, time.monotonic))
    with pytest.raises(Throttled, match=f"the table {name} took no item for 600 s"), writer:
        writer.put({"id": {"S": "a"}}, "here")
    assert 600 < time.now - 1000.0 < 630


@pytest.mark.parametrize(("error", "patience"), [(Throttled, 600), (StoreUnreachable, 60)])
def test_a_call_that_fails_for_a_while_is_made_again_and_one_that_always_fails_is_given_up(
    database: DynamoDB, tables: Any, answers: Any, time: Time, error: type[Exception], patience: int
) -> None:
    name = tables.create()

    def fail(operation: str, arguments: dict[str, Any], real: Callable[[], Any]) -> Any:
        if time.now < until:
            raise error("not now")
        return real()

    answers(fail)
    until = time.now + patience / 2
    assert database.describe(name).name == name
    until = time.now + 10_000
    with pytest.raises(error, match=rf"not now \(for {patience} s\)"):
        database.describe(name)


def test_the_first_failure_ends_a_writer_that_is_being_filled(database: DynamoDB, tables: Any, time: Time) -> None:
    table = database.describe(tables.create())

    def fill() -> None:
        with BatchWriter(database, table, Pace(10_000, time.monotonic)) as writer:
            for number in range(100_000):
                writer.put({"id": {"S": str(number)}, "n": {"N": "sEcret"}}, f"file, line {number}")

    with pytest.raises(RequestRefused, match=r"file, line \d+: .*numeric") as caught:
        fill()
    assert "sEcret" not in str(caught.value)
    assert threading.active_count() < 50


def test_an_error_of_the_one_who_fills_it_comes_out_of_a_writer_unchanged(
    database: DynamoDB, tables: Any, time: Time
) -> None:
    table = database.describe(tables.create())

    def fill() -> None:
        with BatchWriter(database, table, Pace(10_000, time.monotonic)) as writer:
            writer.put({"id": {"S": "a"}}, "file, line 1")
            writer.put({"no": {"S": "a"}}, "file, line 2")

    with pytest.raises(UnsupportedValue, match="file, line 2: the item has no 'id'"):
        fill()
