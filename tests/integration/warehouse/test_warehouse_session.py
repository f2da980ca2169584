from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg2
import pytest

from core.errors import AccessDenied, NotFound, StatementFailed, StoreUnreachable, TransactionConflict
from core.redaction import REDACTOR
from core.sections.databases import RedshiftSettings
from sandbox.parts.database import DatabaseAddress
from stores.redshift import Session, Statement, connect, run_session, run_transaction


def settings_of(address: DatabaseAddress, **other: Any) -> RedshiftSettings:
    values = {"host": address.host, "port": address.port, "database_name": address.database}
    login = {"username": address.username, "password": f"file:{address.password_file}"}
    return RedshiftSettings.model_validate({**values, **login, **other})


@pytest.fixture
def settings(postgres_database: DatabaseAddress) -> RedshiftSettings:
    return settings_of(postgres_database)


@pytest.fixture
def observe(postgres_database: DatabaseAddress) -> Any:
    """A connection that sees what others see."""
    a = postgres_database
    connection = psycopg2.connect(**a.postgres_login)
    connection.autocommit = True
    yield connection.cursor()
    connection.close()


def wait_for(observe: Any, sql: str, condition: Callable[[Any], bool]) -> None:
    """Ask until the answer is right; the test's own time-out ends a wait in vain."""
    while True:
        observe.execute(sql)
        if condition(observe.fetchone()[0]):
            return


RUNNING = (
    "SELECT COUNT(*) FROM pg_stat_activity WHERE query LIKE '%{}%' AND state = 'active' AND pid <> pg_backend_pid()"
)


def fault(state: str, message: str = "") -> str:
    """A statement that the server refuses in this way."""
    return f"DO $$ BEGIN RAISE SQLSTATE '{state}' USING MESSAGE='{message}'; END $$"


def run(session: Session, sql: str) -> int:
    return session.execute(Statement(sql, "test"))


def test_a_refused_password_is_said_at_once_and_not_tried_again(
    postgres_database: DatabaseAddress, monkeypatch: pytest.MonkeyPatch
) -> None:
    attempts: list[str] = []
    real = psycopg2.connect
    monkeypatch.setattr(psycopg2, "connect", lambda **options: attempts.append("once") or real(**options))
    with pytest.raises(AccessDenied) as caught:
        connect(settings_of(postgres_database, password="wrong-password"), retries=5)
    assert attempts == ["once"]
    assert postgres_database.username in str(caught.value)
    assert "wrong-password" not in str(caught.value)


def test_the_password_is_registered_as_a_secret(postgres_database: DatabaseAddress, settings: RedshiftSettings) -> None:
    connect(settings).close()
    assert postgres_database.password in REDACTOR.secrets()


def test_a_warehouse_that_is_not_there_is_unreachable(settings: RedshiftSettings) -> None:
    with pytest.raises(StoreUnreachable, match=r"cannot connect to Redshift 127\.0\.0\.1:1/"):
        connect(settings.model_copy(update={"host": "127.0.0.1", "port": 1}), retries=1)


def test_an_unknown_database_is_not_found(settings: RedshiftSettings) -> None:
    with pytest.raises((NotFound, AccessDenied)):
        connect(settings.model_copy(update={"database_name": "nowhere"}))


@pytest.mark.parametrize(
    ("sql", "kind"),
    [
        ("SELECT 1 FROM nowhere", NotFound),
        ("SELEC 1", StatementFailed),
        ("SELECT 'secret-value'::int", StatementFailed),
        ("SELECT pg_read_file('/etc/passwd')", AccessDenied),
        (fault("40001"), TransactionConflict),
        (fault("40P01"), TransactionConflict),
        (fault("XX000", "1023 DETAIL: Serializable isolation violation on table - 7"), TransactionConflict),
        (fault("XX000", "could not open relation with OID 5"), TransactionConflict),
        (fault("XX000", "Invalid digit, Value ''secret-value'', Pos 0, Type: Integer"), StatementFailed),
        (fault("57P01"), StoreUnreachable),
    ],
)
def test_a_refused_statement_has_its_own_error_without_values(
    settings: RedshiftSettings, sql: str, kind: type[Exception]
) -> None:
    with connect(settings) as session, pytest.raises(kind) as caught:
        session.execute(Statement(sql, "try it"))
    assert type(caught.value) is kind
    assert "could not try it" in str(caught.value)
    assert "secret-value" not in str(caught.value)


def test_a_row_that_breaks_a_constraint_is_not_in_the_message(settings: RedshiftSettings) -> None:
    with connect(settings) as session:
        run(session, "CREATE TABLE t (a TEXT PRIMARY KEY)")
        run(session, "INSERT INTO t VALUES ('secret-value')")
        with pytest.raises(StatementFailed) as caught:
            run(session, "INSERT INTO t VALUES ('secret-value')")
    assert "secret-value" not in str(caught.value)


def test_a_transaction_is_undone_by_an_error_and_the_session_lives_on(settings: RedshiftSettings) -> None:
    with connect(settings) as session:
        run(session, "CREATE TABLE t (a INT)")
        with contextlib.suppress(StatementFailed), session.transaction():
            run(session, "INSERT INTO t VALUES (1)")
            run(session, "SELECT 1/0")
        assert session.rows(Statement("SELECT a FROM t", "look")) == []


def test_parameters_are_values_and_a_percent_sign_without_them_is_a_percent_sign(settings: RedshiftSettings) -> None:
    with connect(settings) as session:
        assert session.row(Statement("SELECT %s", "look", ("a'b%",))) == ("a'b%",)
        assert session.row(Statement("SELECT 'a%s'", "look")) == ("a%s",)


def test_the_queue_is_chosen_for_the_session(settings: RedshiftSettings) -> None:
    with pytest.raises(StatementFailed, match="choose the queue"):  # plain Postgres has no query_group; Redshift does
        connect(settings, query_group="etl")


def test_a_conflict_is_tried_again_as_a_whole_on_a_new_session(settings: RedshiftSettings) -> None:
    with connect(settings) as session:
        run(session, "CREATE TABLE t (a INT)")
    sessions: list[int] = []

    def work(session: Session) -> int:
        sessions.append(session.process_id)
        run(session, "INSERT INTO t VALUES (1)")
        if len(sessions) < 3:
            run(session, fault("40001"))
        return len(sessions)

    assert run_transaction(settings, work) == 3
    assert len(set(sessions)) == 3
    with connect(settings) as session:
        assert session.row(Statement("SELECT COUNT(*) FROM t", "count")) == (1,)


def test_a_conflict_that_stays_is_reported_after_the_last_attempt(settings: RedshiftSettings) -> None:
    attempts: list[int] = []

    def work(session: Session) -> None:
        attempts.append(1)
        run(session, fault("40001"))

    with pytest.raises(TransactionConflict):
        run_session(settings, work, attempts=2)
    assert len(attempts) == 2


def test_a_cancelled_step_cancels_the_statement_and_undoes_the_transaction(
    settings: RedshiftSettings, observe: Any
) -> None:
    cancelled = threading.Event()
    with connect(settings) as session:
        run(session, "CREATE TABLE t (a INT)")
    watcher = threading.Thread(
        target=lambda: (wait_for(observe, RUNNING.format("pg_sleep"), bool), cancelled.set()), name="watcher"
    )
    watcher.start()

    def work(session: Session) -> None:
        run(session, "INSERT INTO t VALUES (1)")
        run(session, "SELECT pg_sleep(600)")

    with pytest.raises(InterruptedError):
        run_transaction(settings, work, cancelled=cancelled)
    watcher.join()
    wait_for(observe, RUNNING.format("pg_sleep"), lambda count: count == 0)
    wait_for(observe, "SELECT COUNT(*) FROM t", lambda count: count == 0)


STEP_IN_A_PROCESS = """
import sys, threading
from core.sections.databases import RedshiftSettings
from steps_impl.signals import cancel_on_signal
from stores.redshift import Statement, connect
settings = RedshiftSettings.model_validate_json(sys.argv[1])
stop = threading.Event()
with cancel_on_signal(stop):
    try:
        with connect(settings, cancelled=stop) as session:
            session.execute(Statement("SELECT pg_sleep(600)", "sleep"))
    except InterruptedError:
        sys.exit(143)
"""


def test_sigterm_stops_a_long_statement_here_and_on_the_server(
    postgres_database: DatabaseAddress, observe: Any
) -> None:
    a = postgres_database
    login = f'{{"host": "{a.host}", "port": {a.port}, "database_name": "{a.database}", "username": "{a.username}", "password": "file:{a.password_file}"}}'  # noqa: E501
    process = subprocess.Popen([sys.executable, "-c", STEP_IN_A_PROCESS, login], cwd=Path.cwd())
    try:
        wait_for(observe, RUNNING.format("pg_sleep"), bool)
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=60) == 143
    finally:
        process.kill()
        process.wait()
    wait_for(observe, RUNNING.format("pg_sleep"), lambda count: count == 0)


def test_a_connection_that_breaks_is_unreachable_and_not_a_conflict(settings: RedshiftSettings, observe: Any) -> None:
    with connect(settings) as session:
        observe.execute("SELECT pg_terminate_backend(%s)", (session.process_id,))
        with pytest.raises(StoreUnreachable):
            run(session, "SELECT 1")
