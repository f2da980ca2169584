"""One client: its messages go to Postgres as they are, unless a statement in them is Redshift's own."""

from __future__ import annotations

import select
from collections.abc import Callable

from sandbox.redshift import protocol
from sandbox.redshift.catalog import Catalog
from sandbox.redshift.errors import SqlError
from sandbox.redshift.extended import ExtendedProtocol
from sandbox.redshift.plans import Plain, Plan, plan
from sandbox.redshift.protocol import READY, Closed, Wire
from sandbox.redshift.script import Script
from sandbox.redshift.tokens import Statement, split
from sandbox.redshift.translate import edit
from sandbox.redshift.upstream import Upstream


class Session:
    """Relays between a client and its own connection to Postgres until one of them leaves."""

    def __init__(self, client: Wire, upstream: Upstream, catalog: Catalog, database: str) -> None:
        self.client = client
        self.upstream = upstream
        self.catalog = catalog
        self.database = database
        self._logged_in = False
        self._extended = ExtendedProtocol(self)
        self._handlers: dict[int, Callable[[bytes, bytes], None]] = {
            ord("Q"): self._query,
            **{ord(kind): self._extended.handle for kind in "PBDECSH"},
        }

    def run(self) -> None:
        """Relay until one side closes."""
        poller = select.poll()
        poller.register(self.client.socket, select.POLLIN)
        poller.register(self.upstream.socket, select.POLLIN)
        upstream_file = self.upstream.socket.fileno()
        try:
            while True:
                for file, _ in poller.poll():
                    if file == upstream_file:
                        self.relay()
                    else:
                        self._from_client()
        except Closed:
            return

    def relay(self) -> None:
        """Pass on what Postgres has sent."""
        span = self.upstream.read()
        if not self._logged_in and any(mark.kind == READY for mark in span.marks):
            self.catalog.install(self.database)
            self._logged_in = True
        self._extended.note(span)
        self.client.send(edit(span))

    def inform(self, text: str) -> None:
        """Send the client a notice."""
        self.client.send(protocol.info(text))

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
        statements = split(protocol.read_text(payload.rstrip(b"\0")))
        plans = [_plain(statement) for statement in statements]
        texts = [planned.sql for planned in plans if planned is not None]
        if len(texts) < len(plans):
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
