"""A query in which a statement is Redshift's own, run statement by statement.

The simple protocol makes one transaction of a query with several statements unless they say otherwise; so does this.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from sandbox.redshift import protocol
from sandbox.redshift.copy.loader import CopyJob
from sandbox.redshift.cursor import quote_text
from sandbox.redshift.errors import SqlError, aborted
from sandbox.redshift.faults import violation
from sandbox.redshift.plans import Alone, Begin, Copy, Finish, Inject, Plain, Plan, Truncate, Unload, plan
from sandbox.redshift.protocol import ERROR, READY, Mark
from sandbox.redshift.rewrite.definition import Build, Checked, LateView
from sandbox.redshift.tokens import Statement
from sandbox.redshift.translate import edit, translate_error
from sandbox.redshift.unload.job import UnloadJob
from sandbox.redshift.upstream import UpstreamError

if TYPE_CHECKING:
    from sandbox.redshift.session import Session


class Failed(Exception):
    """A statement failed and the client has been told."""


class Script:
    """Some statements of one query."""

    def __init__(self, session: Session, statements: list[Statement]) -> None:
        self._session = session
        self._upstream = session.upstream
        self._client = session.client
        self._statements = statements
        self._implicit = False  # the transaction is ours: it ends with the query

    def run(self) -> None:
        """Run all statements and tell the client that the next query may come."""
        self.execute()
        self._session.running.end()
        self._client.send(protocol.ready(self._upstream.status))

    def execute(self) -> bool:
        """Run all statements; say whether they went well. The client has every answer but the last."""
        try:
            for statement in self._statements:
                self._step(statement)
            if self._implicit:
                self._commit("COMMIT", self._quietly)
        except Failed:
            self._session.running.fail()
            if self._implicit:
                self._upstream.run("ROLLBACK")
            return False
        return True

    def _step(self, statement: Statement) -> None:
        try:
            planned = plan(statement)
            if self._upstream.status == "E" and not isinstance(planned, Finish):
                raise aborted()
            self._perform(self._session.understood(planned, statement), statement)
        except SqlError as error:
            self._tell(protocol.error_fields(error))
            self._abort(error)
            raise Failed from error
        except UpstreamError as error:
            self._tell(translate_error(error.fields, shift=-1))
            raise Failed from error

    def _perform(self, planned: Plan, statement: Statement) -> None:
        if isinstance(planned, Begin):
            self._begin(planned)
        elif isinstance(planned, Finish):
            self._implicit = False
            self._finish(planned)
        elif isinstance(planned, Inject):
            self._session.catalog.faults.arm(self._session.database, planned.commits)
            self._client.send(protocol.command_complete("CALL"))
        elif isinstance(planned, Alone):
            self._alone(planned, statement)
        elif isinstance(planned, Truncate):
            self._truncate(planned)
        else:
            self._in_transaction(planned, statement)

    def _finish(self, planned: Finish) -> None:
        if planned.commits and self._upstream.status == "T":
            self._commit(planned.sql, self._relay)
        else:
            self._relay(planned.sql)

    def _commit(self, sql: str, run: Callable[[str], None]) -> None:
        """Commit, unless a test wants a serialization failure instead."""
        if not self._session.catalog.faults.take(self._session.database):
            run(sql)
            return
        self._upstream.run("ROLLBACK")
        self._implicit = False
        self._tell(protocol.error_fields(violation()))
        raise Failed

    def _alone(self, planned: Alone, statement: Statement) -> None:
        if len(self._statements) > 1:
            raise SqlError(f"{planned.name} cannot run inside a multiple commands statement", "25001")
        if self._upstream.status != "I":
            raise SqlError(f"{planned.name} cannot run inside a transaction block", "25001")
        self._in_transaction(planned.plan, statement)

    def _begin(self, planned: Begin) -> None:
        """Open a block; a transaction that was ours becomes the client's."""
        if not self._implicit:
            self._relay(planned.sql)
            return
        self._implicit = False
        if planned.modes:
            self._quietly(f"SET TRANSACTION {planned.modes}")
        self._client.send(protocol.command_complete("BEGIN"))

    def _truncate(self, planned: Truncate) -> None:
        """TRUNCATE commits the transaction that it runs in, and cannot be rolled back."""
        self._relay(planned.sql)
        if self._upstream.status == "T":
            self._quietly("COMMIT")
        self._implicit = False

    def _in_transaction(self, planned: Plan, statement: Statement) -> None:
        alone = isinstance(planned, Plain) and len(self._statements) == 1
        if self._upstream.status == "I" and not alone:
            self._quietly("BEGIN")
            self._implicit = True
        if isinstance(planned, Copy):
            rows = self._copy(planned)
            self._client.send(_copy_answer(planned.command.table[-1], rows))
        elif isinstance(planned, Unload):
            rows = self._unload(planned)
            self._client.send(_unload_answer(rows))
        elif isinstance(planned, Build):
            self._build(planned)
        elif isinstance(planned, LateView):
            self._checked(planned.checked)
        elif isinstance(planned, Checked):
            self._checked(planned)
        elif isinstance(planned, Plain):
            self._relay(planned.sql, shift=-1 if planned.changed else statement.offset)

    def _copy(self, planned: Copy) -> int:
        try:
            return CopyJob(self._session, planned.command).run()
        except UpstreamError as error:
            self._tell(translate_error(error.fields, shift=-1))
            raise Failed from error

    def _unload(self, planned: Unload) -> int:
        try:
            return UnloadJob(self._session, planned.command, planned.sql).run()
        except UpstreamError as error:
            self._tell(translate_error(error.fields, shift=-1))
            raise Failed from error

    def _build(self, planned: Build) -> None:
        was_there = planned.unless_exists is not None and self._upstream.run(planned.unless_exists).rows == [["t"]]
        self._relay(planned.main, shift=-1)
        for sql in () if was_there else planned.after:
            self._quietly(sql)

    def _checked(self, planned: Checked) -> None:
        for sql in planned.before:
            self._quietly(sql)
        if planned.main:
            self._relay(planned.main, shift=-1)
        else:
            self._client.send(protocol.command_complete(planned.tag))

    def _relay(self, sql: str, shift: int = 0) -> None:
        """Run a statement whose answer the client sees."""
        self._upstream.send(protocol.query(sql))
        failed = done = False
        while not done:
            span = self._upstream.read()
            failed = failed or any(mark.kind == ERROR for mark in span.marks)
            done = any(mark.kind == READY for mark in span.marks)
            self._client.send(edit(span, hide=_is_ready, shift=shift))
        if failed:
            raise Failed

    def _quietly(self, sql: str) -> None:
        """Run a statement whose answer the client sees only when it is an error."""
        try:
            self._upstream.run(sql)
        except UpstreamError as error:
            self._tell(translate_error(error.fields, shift=-1))
            raise Failed from error

    def _tell(self, fields: dict[str, str]) -> None:
        self._client.send(protocol.error_response(fields))

    def _abort(self, error: SqlError) -> None:
        """Make a transaction block of the client fail, as an error inside Postgres would."""
        if self._upstream.status != "T" or self._implicit:
            return
        body = f"BEGIN RAISE EXCEPTION USING MESSAGE = {quote_text(error.message)}; END"
        try:
            self._upstream.run(f"DO {quote_text(body)}")
        except UpstreamError:
            return  # that was the aim


def _is_ready(mark: Mark) -> bool:
    return mark.kind == READY


def _copy_answer(table: str, rows: int) -> bytes:
    """Return Redshift's answer to COPY: a notice with the number of rows, then the tag without one."""
    text = f"Load into table '{table}' completed, {rows} record(s) loaded successfully."
    return protocol.info(text) + protocol.command_complete("COPY")


def _unload_answer(rows: int) -> bytes:
    """Return Redshift's answer to UNLOAD."""
    return protocol.info(f"UNLOAD completed, {rows} record(s) unloaded successfully.") + protocol.command_complete(
        "UNLOAD"
    )
