"""One client: its messages go to Postgres as they are, unless a statement in them is Redshift's own."""

from __future__ import annotations

import select
from collections.abc import Callable
from typing import Final

from sandbox.redshift import protocol
from sandbox.redshift.catalog import Catalog
from sandbox.redshift.errors import SqlError
from sandbox.redshift.extended import ExtendedProtocol
from sandbox.redshift.plans import Finish, Plain, Plan, plan, query_of, with_query
from sandbox.redshift.protocol import BACKEND_KEY, ERROR, READY, Closed, Span, Wire
from sandbox.redshift.query_log import Running, asks_for_log
from sandbox.redshift.resolve.excluded import rewrite_excluded
from sandbox.redshift.resolve.pivot import rewrite_pivot
from sandbox.redshift.resolve.resolver import is_clear, resolve
from sandbox.redshift.scram import log_in
from sandbox.redshift.script import Script
from sandbox.redshift.tokens import Statement, split
from sandbox.redshift.translate import edit, shorten_mechanisms
from sandbox.redshift.upstream import Upstream

#: Redshift's driver for Python takes every piece of the list of authentication mechanisms, the empty last one too.
_PYTHON_DRIVER: Final = "Redshift Python Driver"
_WITHOUT_SCRAM: Final = ("Redshift JDBC Driver", "Redshift ODBC Driver")


class Session:
    """Relays between a client and its own connection to Postgres until one of them leaves."""

    def __init__(self, client: Wire, upstream: Upstream, catalog: Catalog, parameters: dict[str, str]) -> None:
        self.client = client
        self.upstream = upstream
        self.catalog = catalog
        self.database = parameters.get("database") or parameters.get("user", "")
        driver = parameters.get("driver_version", "")
        self._reads_to_the_end = driver.startswith(_PYTHON_DRIVER)
        self._knows_no_scram = driver.startswith(_WITHOUT_SCRAM)
        self.running = Running(catalog.log(self.database), parameters.get("user", ""))
        self._logged_in = False
        self._extended = ExtendedProtocol(self)
        self._handlers: dict[int, Callable[[bytes, bytes], None]] = {
            ord("Q"): self._query,
            **{ord(kind): self._extended.handle for kind in "PBDECSH"},
        }

    def run(self) -> None:
        """Relay until one side closes."""
        try:
            if self._knows_no_scram:
                self._pass_on(log_in(self.client, self.upstream))
            self._serve()
        except Closed:
            return

    def _serve(self) -> None:
        poller = select.poll()
        poller.register(self.client.socket, select.POLLIN)
        poller.register(self.upstream.socket, select.POLLIN)
        upstream_file = self.upstream.socket.fileno()
        while True:
            for file, _ in poller.poll():
                if file == upstream_file:
                    self.relay()
                else:
                    self._from_client()

    def relay(self) -> None:
        """Pass on what Postgres has sent."""
        self._pass_on(self.upstream.read())

    def _pass_on(self, span: Span) -> None:
        if not self._logged_in and self._reads_to_the_end:
            span = shorten_mechanisms(span)
        if not self._logged_in:
            self._log_in(span)
        if span.marks:
            self._extended.note(span)
            self._note_outcome(span)
        self.client.send(edit(span))

    def _log_in(self, span: Span) -> None:
        for mark in span.marks:
            if mark.kind == BACKEND_KEY:
                self.running.pid = int.from_bytes(span.payload(mark)[:4], "big")
            elif mark.kind == READY:
                self.catalog.install(self.database)
                self._logged_in = True

    def _note_outcome(self, span: Span) -> None:
        for mark in span.marks:
            if mark.kind == ERROR:
                self.running.fail()
            elif mark.kind == READY:
                self.running.end()

    def inform(self, text: str) -> None:
        """Send the client a notice."""
        self.client.send(protocol.info(text))

    def note(self, text: str) -> None:
        """Note that a statement begins; one that reads what ran before finds it in the catalog."""
        if asks_for_log(text):
            self.catalog.write_log(self.database)
        self.running.begin(text)

    def must_fail(self, planned: Plan | None) -> bool:
        """Say whether this is a COMMIT that a test wants to fail."""
        return isinstance(planned, Finish) and planned.commits and self.catalog.faults.armed(self.database)

    def understood(self, planned: Plan, statement: Statement, types: bytes = b"\0\0") -> Plan:
        """Return the plan in which Postgres finds every name; ``types`` are those of its parameters.

        Raises:
            SqlError, UpstreamError: the statement is wrong.
        """
        if not self.is_unclear(planned, statement):
            return planned
        return with_query(planned, lambda sql: self._resolved(split(sql)[0], types))

    def _resolved(self, statement: Statement, types: bytes) -> str:
        def describe(query: str) -> list[str]:
            return [column.name for column in self.upstream.describe(query)]

        written = rewrite_excluded(rewrite_pivot(statement, describe), describe)
        return resolve(written, lambda text: self.upstream.probe(text, types))

    @staticmethod
    def is_unclear(planned: Plan | None, statement: Statement) -> bool:
        """Say whether only Postgres can tell what the names in a statement are."""
        query = None if planned is None else query_of(planned, statement)
        return query is not None and not is_clear(query)

    def _from_client(self) -> None:
        span = self.client.read()
        for mark in span.marks:
            raw = span.data[mark.start : mark.end]
            handler = self._handlers.get(mark.kind, self._pass) if self._logged_in else self._pass
            handler(raw, span.payload(mark))

    def _pass(self, raw: bytes, _payload: bytes) -> None:
        self.upstream.send(raw)

    def _query(self, raw: bytes, payload: bytes) -> None:
        """Run a simple query."""
        self._extended.drain()
        text = protocol.read_text(payload.rstrip(b"\0"))
        self.note(text)
        statements = split(text)
        plans = [_plain(statement) for statement in statements]
        texts = [planned.sql for planned in plans if planned is not None]
        unclear = any(map(self.is_unclear, plans, statements))
        if len(texts) < len(plans) or unclear or any(self.must_fail(planned) for planned in plans):
            Script(self, statements).run()
            return
        changed = any(planned is not None and planned.changed for planned in plans)
        self.upstream.send(protocol.query(";".join(texts)) if changed else raw)
        self._extended.expect_ready()


def _plain(statement: Statement) -> Plain | None:
    """Return the plan of a statement if it is only a text for Postgres."""
    try:
        planned: Plan = plan(statement)
    except SqlError:
        return None
    return planned if isinstance(planned, Plain) else None
