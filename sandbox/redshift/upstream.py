"""A client's own session in the Postgres behind the front."""

from __future__ import annotations

import select
import socket
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from sandbox.redshift import protocol
from sandbox.redshift.protocol import (
    COMMAND_COMPLETE,
    COPY_DATA,
    COPY_IN,
    DATA_ROW,
    ERROR,
    READY,
    ROW_DESCRIPTION,
    Span,
    Wire,
)

_PROBE: Final = "redshift_probe"  # a prepared statement and a savepoint


class UpstreamError(Exception):
    """Postgres refused a statement; ``fields`` are those of its error response."""

    def __init__(self, fields: dict[str, str]) -> None:
        super().__init__(fields.get("M", ""))
        self.fields = fields


@dataclass
class Reply:
    """What a statement of ours brought: its rows as text, and the number of rows in its command tag."""

    rows: list[list[str | None]] = field(default_factory=list)
    count: int = 0


class Described(NamedTuple):
    """A column of a query: its name, the oid of its type, and the type's modifier."""

    name: str
    type: int
    modifier: int


class Upstream(Wire):
    """The connection, and the state of its transaction as Postgres said last: ``I`` none, ``T`` open, ``E`` failed."""

    def __init__(self, connection: socket.socket) -> None:
        super().__init__(connection, from_server=True)
        self.status = "I"

    def read(self) -> Span:
        """Receive once; see :class:`Wire`."""
        span = super().read()
        for mark in span.marks:
            if mark.kind == READY:
                self.status = chr(span.data[mark.start + 5])
        return span

    def run(self, sql: str) -> Reply:
        """Run a statement of ours whose answer the client does not see.

        Raises:
            UpstreamError: it failed.
        """
        self.send(protocol.query(sql))
        return self.answer()

    def sync(self) -> None:
        """Let Postgres end a series of extended messages; ``status`` is true afterwards."""
        self.send(protocol.message(b"S"))
        self.answer()

    def begin_copy(self, sql: str) -> None:
        """Run ``COPY … FROM STDIN`` up to the point where Postgres wants the data."""
        self.send(protocol.query(sql))
        failure: dict[str, str] | None = None
        while True:
            span = self.read()
            for mark in span.marks:
                if mark.kind == COPY_IN:
                    return
                if mark.kind == ERROR:
                    failure = protocol.read_fields(span.payload(mark))
                if mark.kind == READY and failure is not None:
                    raise UpstreamError(failure)

    def copy_data(self, data: bytes) -> None:
        """Send a piece of the data.

        Raises:
            UpstreamError: Postgres has refused what came before.
        """
        self.send(protocol.message(b"d", data))
        if select.select([self.socket], [], [], 0)[0]:
            self.answer()
            raise UpstreamError({"M": "Postgres ended the COPY early", "C": "XX000"})

    def end_copy(self) -> int:
        """Say that the data is complete; return the number of rows loaded."""
        self.send(protocol.message(b"c"))
        return self.answer().count

    def fail_copy(self) -> None:
        """Give the COPY up; the transaction is failed afterwards."""
        self.send(protocol.message(b"f", b"given up\0"))
        try:
            self.answer()
        except UpstreamError:
            return

    def copy_out(self, sql: str) -> Iterator[tuple[bytes, int]]:
        """Run ``COPY … TO STDOUT``; yield its lines as they come, several together, and their number.

        Raises:
            UpstreamError: it failed.
        """
        self.send(protocol.query(sql))
        failure: dict[str, str] | None = None
        while True:
            span = self.read()
            lines = [payload for kind, payload in _messages(span.data) if kind == COPY_DATA]
            if lines:
                yield b"".join(lines), len(lines)
            for mark in span.marks:
                if mark.kind == ERROR:
                    failure = protocol.read_fields(span.payload(mark))
                if mark.kind == READY:
                    if failure is not None:
                        raise UpstreamError(failure)
                    return

    def probe(self, sql: str, types: bytes = b"\0\0") -> dict[str, str] | None:
        """Let Postgres read a statement without running it; return its error, after which all is as before.

        ``types`` are the parameters' types as in a Parse message.
        """
        inside = self.status == "T"
        if inside:
            self.run(f"SAVEPOINT {_PROBE}")
        named = _PROBE.encode() + b"\0"
        parse = protocol.message(b"P", named + protocol.write_text(sql) + b"\0" + types)
        self.send(parse + protocol.message(b"C", b"S" + named) + protocol.message(b"S"))
        try:
            self.answer()
        except UpstreamError as error:
            return error.fields
        finally:
            if inside:
                self.run(f"ROLLBACK TO SAVEPOINT {_PROBE}; RELEASE SAVEPOINT {_PROBE}")
        return None

    def describe(self, query: str) -> list[Described]:
        """Return the columns of a query, which is planned and not run.

        Raises:
            UpstreamError: it is wrong.
        """
        self.send(protocol.query(f"SELECT * FROM ({query}\n) AS described LIMIT 0"))
        columns: list[Described] = []
        failure: dict[str, str] | None = None
        while True:
            span = self.read()
            for mark in span.marks:
                if mark.kind == ROW_DESCRIPTION:
                    columns = _described(span.payload(mark))
                if mark.kind == ERROR:
                    failure = protocol.read_fields(span.payload(mark))
                if mark.kind == READY:
                    if failure is not None:
                        raise UpstreamError(failure)
                    return columns

    def answer(self) -> Reply:
        """Read until Postgres is ready for the next query.

        Raises:
            UpstreamError: there was an error in the answer.
        """
        reply, failure = Reply(), None
        while True:
            span = self.read()
            for kind, payload in _messages(span.data):
                if kind == DATA_ROW:
                    reply.rows.append(_columns(payload))
                elif kind == COMMAND_COMPLETE:
                    last = payload.rstrip(b"\0").split(b" ")[-1]
                    reply.count = int(last) if last.isdigit() else 0
                elif kind == ERROR:
                    failure = protocol.read_fields(payload)
                elif kind == READY:
                    if failure is not None:
                        raise UpstreamError(failure)
                    return reply


def _messages(data: bytes) -> Iterator[tuple[int, bytes]]:
    position = 0
    while position < len(data):
        end = position + 1 + int.from_bytes(data[position + 1 : position + 5], "big")
        yield data[position], data[position + 5 : end]
        position = end


def _columns(payload: bytes) -> list[str | None]:
    count, position = int.from_bytes(payload[:2], "big"), 2
    columns: list[str | None] = []
    for _ in range(count):
        size = int.from_bytes(payload[position : position + 4], "big", signed=True)
        position += 4
        columns.append(None if size < 0 else payload[position : position + size].decode())
        position += max(size, 0)
    return columns


def _described(payload: bytes) -> list[Described]:
    """Read a RowDescription: of each column its name, and 18 bytes with the type at the seventh."""
    columns, position = [], 2
    for _ in range(int.from_bytes(payload[:2], "big")):
        end = payload.index(b"\0", position)
        kind = int.from_bytes(payload[end + 7 : end + 11], "big")
        modifier = int.from_bytes(payload[end + 13 : end + 17], "big", signed=True)
        columns.append(Described(payload[position:end].decode(), kind, modifier))
        position = end + 19
    return columns
