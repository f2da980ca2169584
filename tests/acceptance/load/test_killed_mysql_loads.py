"""``load-mysql`` killed, cancelled, and left over: at each moment where it waits for a lock of somebody else."""

from __future__ import annotations

import secrets
import signal
import subprocess
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial

import pytest

from core.settings import load_settings
from steps_impl.load.products.mysql_load import digest
from steps_impl.load.products.mysql_table import look
from stores.mysql.target import connect as open_target
from tests.acceptance.load.conftest import Product, connect, ended
from tests.integration.agent.conftest import eventually

OLD = [(1, "one"), (2, "two")]
NEW = [(2, "zwei"), (3, "drei")]
AFTER = {"replace": NEW, "upsert": [OLD[0], *NEW], "append": [*OLD, (4, "vier")]}


def left(mysql: Product) -> list[str]:
    found = mysql.sql("SHOW TABLES")
    return [name for (name,) in found if name.startswith(("ductrunner_new", "ductrunner_old"))]


def waits(mysql: Product, what: str) -> Callable[[], bool]:
    """Return what tells whether a connection of the product's user is at a statement."""
    return lambda: any(what in str(row[7]) for row in mysql.sql("SHOW FULL PROCESSLIST") if row[5] != 0 or row[7])


def behind_metadata_lock(mysql: Product) -> int:
    """How many statements wait for a table's definition."""
    return sum(row[6] == "Waiting for table metadata lock" for row in mysql.sql("SHOW FULL PROCESSLIST"))


def queue(mysql: Product, lock: str, length: int) -> bool:
    """Tell whether so many connections wait for a lock."""
    waiting = [row for row in mysql.sql("SHOW FULL PROCESSLIST") if f"GET_LOCK('{lock}'" in str(row[7])]
    return len(waiting) == length


@pytest.mark.parametrize(
    ("mode", "lock", "at"),
    [
        ("replace", "SELECT * FROM {}", "RENAME TABLE"),
        ("upsert", "SELECT * FROM {} FOR UPDATE", "ON DUPLICATE KEY"),
        ("append", "INSERT INTO {} VALUES (4, 'held')", "LOAD DATA"),
    ],
)
@pytest.mark.parametrize("signal_number", [signal.SIGKILL, signal.SIGTERM])
def test_a_load_that_ends_at_its_last_moment_changes_nothing_and_a_rerun_does_it(
    mysql: Product, mode: str, lock: str, at: str, signal_number: signal.Signals
) -> None:
    table = mysql.make("id INT PRIMARY KEY, name VARCHAR(20)", *OLD)
    source = mysql.values((4, "vier")) if mode == "append" else mysql.values(*NEW)
    with mysql.blocked(lock.format(table)):
        process = mysql.start(table, source, mode=mode)
        eventually(waits(mysql, at), at)
        process.send_signal(signal_number)
        assert ended(process) == (143 if signal_number == signal.SIGTERM else -signal.SIGKILL)
    eventually(lambda: not waits(mysql, at)(), "the killed statement ends")
    if mode == "replace" and signal_number == signal.SIGKILL:  # the server had the RENAME already
        assert mysql.rows(table) in (OLD, NEW)
    else:
        assert mysql.rows(table) == OLD
        assert left(mysql) == []
    done = mysql.load(table, source, mode=mode).details
    assert mysql.rows(table) == AFTER[mode]
    assert left(mysql) == []
    if mode == "replace" and signal_number == signal.SIGKILL:
        assert done["leftovers_removed"] == 1


@pytest.mark.parametrize("filled", [False, True])
def test_a_swap_that_is_done_after_its_client_is_gone_never_undoes_the_next_load(mysql: Product, filled: bool) -> None:
    """The client is frozen: to the server it is one whose machine has vanished, of which it hears nothing."""
    table = mysql.make("id INT PRIMARY KEY, name VARCHAR(20)", *OLD)
    gone = [(9, "gone")]
    with open_target(load_settings().mysql["product"]) as target, ExitStack() as processes:

        def start(rows: list[tuple[int, str]]) -> subprocess.Popen[str]:
            process = mysql.start(table, mysql.values(*rows), mode="replace")
            processes.callback(ended, process)
            processes.callback(process.kill)
            return process

        lock = f"ductrunner_{digest(look(target, table))}"
        target.rows(f"SELECT GET_LOCK('{lock}', 0)")
        first = start(gone)
        eventually(partial(queue, mysql, lock, 1), "the first load is about to swap")
        if filled:  # the second one has filled its table before the first one swaps
            second = start(NEW)
            eventually(partial(queue, mysql, lock, 2), "and the second one too")
        with mysql.blocked(f"SELECT * FROM {table}"):
            target.rows(f"SELECT RELEASE_LOCK('{lock}')")
            eventually(waits(mysql, "RENAME TABLE"), "the first one swaps")
            first.send_signal(signal.SIGSTOP)
            if not filled:
                second = start(NEW)
                eventually(lambda: behind_metadata_lock(mysql) == 2, "the second one waits behind the swap")
        eventually(lambda: mysql.rows(table) == gone, "the swap is done")
        eventually(partial(queue, mysql, lock, 1), "the second one waits until the first one's connection ends")
        first.kill()
        assert second.wait(60) == 0
        assert mysql.rows(table) == NEW
        assert left(mysql) == []


def test_what_a_killed_load_left_behind_its_swap_is_removed_and_what_a_living_one_has_is_not(mysql: Product) -> None:
    table = mysql.make("id INT PRIMARY KEY, name VARCHAR(20)", *OLD)
    with open_target(load_settings().mysql["product"]) as target:
        mark = digest(look(target, table))
    dead, living, foreign = (secrets.token_hex(6) for _ in range(3))
    names = {
        dead: f"ductrunner_old_{mark}_{dead}",
        living: f"ductrunner_new_{mark}_{living}",
        foreign: f"ductrunner_{mark}",
    }
    for name in names.values():
        mysql.sql(f"CREATE TABLE {name} (id INT)")
    other = connect("mysql", mysql.address)
    with other, other.cursor() as cursor:
        cursor.execute(f"SELECT GET_LOCK('ductrunner_{living}', 0)")
        assert mysql.load(table, mysql.values(*NEW), mode="replace").details["leftovers_removed"] == 1
        there = {name for (name,) in mysql.sql("SHOW TABLES")}
        assert there & set(names.values()) == {names[living], names[foreign]}
    mysql.sql(*(f"DROP TABLE IF EXISTS {name}" for name in names.values()))


def test_attempts_side_by_side_append_once(mysql: Product) -> None:
    table = mysql.make("id INT PRIMARY KEY, name VARCHAR(20)", *OLD)
    source = mysql.values((4, "vier"))
    with mysql.blocked(f"INSERT INTO {table} VALUES (4, 'held')"):
        processes = [mysql.start(table, source, load_id="one") for _ in range(2)]
        eventually(waits(mysql, "LOAD DATA"), "one loads")
        eventually(waits(mysql, "INSERT INTO `products`.`ductrunner_loads`"), "the other waits for it")
    assert [ended(process) for process in processes] == [0, 0]
    assert mysql.rows(table) == [*OLD, (4, "vier")]
