"""The extended protocol (Parse, Bind, Describe, Execute, Close, Sync).

Statements that Postgres runs are passed on. One that is Redshift's own never reaches Postgres as a prepared
statement: the front answers for it and runs it at Execute. Answers must come in the order of the messages, so the
front keeps a list of those that Postgres owes.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from sandbox.redshift import protocol
from sandbox.redshift.errors import SqlError
from sandbox.redshift.plans import Plain, Plan, plan
from sandbox.redshift.protocol import ERROR, READY, Span
from sandbox.redshift.script import Script
from sandbox.redshift.tokens import Statement, split
from sandbox.redshift.translate import translate_error
from sandbox.redshift.upstream import UpstreamError

if TYPE_CHECKING:
    from sandbox.redshift.session import Session

#: The kinds of message that answer a message of the client.
_ANSWERS: Final = {
    ord("P"): b"1",
    ord("B"): b"2",
    ord("D"): b"Tn",
    ord("E"): b"CsI",
    ord("C"): b"3",
    ord("S"): b"Z",
}
_READY: Final = b"Z"


class ExtendedProtocol:
    """Prepared statements and portals of one session that are the front's own, and the answers that are due."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._statements: dict[bytes, Statement] = {}
        self._portals: dict[bytes, Statement] = {}
        self._texts: dict[bytes, str] = {}  # of what Postgres has prepared, for the log
        self._bound: dict[bytes, str] = {}
        self._due: deque[bytes] = deque()
        self._unfinished = False  # Postgres has not said what has become of the transaction
        self._skipping = False  # after an error, until the client's Sync
        self._own: dict[int, Callable[[bytes], bool]] = {
            ord("P"): self._parse,
            ord("B"): self._bind,
            ord("D"): self._describe,
            ord("E"): self._execute,
            ord("C"): self._close,
        }

    def handle(self, raw: bytes, payload: bytes) -> None:
        """Take one message of the client."""
        kind = raw[0]
        if self._skipping and kind != ord("S"):
            return
        if kind in self._own and self._own[kind](payload):
            return
        self._forward(raw)

    def _forward(self, raw: bytes) -> None:
        if raw[0] in _ANSWERS:
            self._due.append(_ANSWERS[raw[0]])
            self._unfinished = raw[0] != ord("S")
        self._session.upstream.send(raw)

    def expect_ready(self) -> None:
        """Note that a simple query is on its way to Postgres."""
        self._due.append(_READY)

    def note(self, span: Span) -> None:
        """Cross off what Postgres has answered."""
        for mark in span.marks:
            if mark.kind == ERROR:
                self._note_error()
            elif self._due and mark.kind in self._due[0]:
                self._due.popleft()
            if mark.kind == READY:
                self._skipping = False

    def _note_error(self) -> None:
        """After an error Postgres answers nothing before the next Sync."""
        if self._due and self._due[0] == _READY:
            return
        while self._due and self._due[0] != _READY:
            self._due.popleft()
        self._skipping = not self._due

    def drain(self) -> None:
        """Wait until Postgres has answered everything, so that the front may speak and knows of the transaction.

        Some drivers send BEGIN and the first statement together, without a Sync between them.
        """
        if self._due:
            self._session.upstream.send(protocol.message(b"H"))
        while self._due:
            self._session.relay()
        if self._unfinished:
            self._session.upstream.sync()
            self._unfinished = False

    def _answer(self, data: bytes) -> bool:
        self._session.client.send(data)
        return True

    def _parse(self, payload: bytes) -> bool:
        name, text, types = payload.split(b"\0", 2)
        self._statements.pop(name, None)
        statements = split(protocol.read_text(text))
        try:
            plans = [plan(statement) for statement in statements]
        except SqlError:
            return self._run(statements)  # it fails there, in the client's transaction
        if len(plans) == 1 and not isinstance(plans[0], Plain):
            return self._keep(name, statements[0])
        self._texts[name] = protocol.read_text(text)
        if plans and self._session.must_fail(plans[0]):
            return self._keep(name, statements[0])
        if len(plans) != 1:
            return False  # Postgres refuses several statements itself
        try:
            planned = self._understood(plans[0], statements[0], types)
        except SqlError:
            return self._run(statements)
        except UpstreamError as error:
            return self._refuse(translate_error(error.fields, shift=-1))
        if not planned.changed:
            return False
        self._forward(protocol.message(b"P", b"\0".join([name, protocol.write_text(planned.sql), types])))
        return True

    def _understood(self, planned: Plan, statement: Statement, types: bytes) -> Plain:
        if self._session.is_unclear(planned, statement):
            self.drain()
            planned = self._session.understood(planned, statement, types)
        assert isinstance(planned, Plain)  # others are kept
        return planned

    def _keep(self, name: bytes, statement: Statement) -> bool:
        """Keep a prepared statement that Postgres does not get."""
        self.drain()
        self._statements[name] = statement
        return self._answer(protocol.message(b"1"))

    def _bind(self, payload: bytes) -> bool:
        portal, name, rest = payload.split(b"\0", 2)
        self._portals.pop(portal, None)
        if name not in self._statements:
            self._bound[portal] = self._texts.get(name, "")
            return False
        self.drain()
        formats = int.from_bytes(rest[:2], "big")
        if int.from_bytes(rest[2 + 2 * formats : 4 + 2 * formats], "big"):
            error = SqlError("bind parameters are not possible in this statement", "08P01")
            return self._refuse(protocol.error_fields(error))
        self._portals[portal] = self._statements[name]
        return self._answer(protocol.message(b"2"))

    def _refuse(self, fields: dict[str, str]) -> bool:
        """Answer with an error; what follows up to the client's Sync is skipped."""
        self._skipping = True
        return self._answer(protocol.error_response(fields))

    def _describe(self, payload: bytes) -> bool:
        owned = self._owned(payload)
        if payload[1:-1] not in owned:
            return False
        self.drain()
        no_parameters = protocol.message(b"t", b"\0\0") if owned is self._statements else b""
        return self._answer(no_parameters + protocol.message(b"n"))

    def _execute(self, payload: bytes) -> bool:
        portal = payload.split(b"\0", 1)[0]
        statement = self._portals.get(portal)
        self._session.note(self._bound.get(portal, "") if statement is None else statement.text)
        return statement is not None and self._run([statement])

    def _run(self, statements: list[Statement]) -> bool:
        self.drain()
        self._skipping = not Script(self._session, statements).execute()
        self._session.running.end()
        return True

    def _close(self, payload: bytes) -> bool:
        owned = self._owned(payload)
        (self._texts if payload[:1] == b"S" else self._bound).pop(payload[1:-1], None)
        if payload[1:-1] not in owned:
            return False
        self.drain()
        del owned[payload[1:-1]]
        return self._answer(protocol.message(b"3"))

    def _owned(self, payload: bytes) -> dict[bytes, Statement]:
        return self._statements if payload[:1] == b"S" else self._portals
