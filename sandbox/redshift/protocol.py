"""Messages of the Postgres wire protocol, version 3 (Postgres manual, "Frontend/Backend Protocol").

A message is one byte for its kind, four bytes for its length (which counts itself), then the payload. Rows of a
result are never taken apart: only the five bytes before each are looked at, to find where the next message begins.
"""

from __future__ import annotations

import select
import socket
import ssl
import struct
from dataclasses import dataclass

from sandbox.redshift.errors import SqlError

CANCEL_REQUEST = 80877102
SSL_REQUEST = 80877103
GSS_REQUEST = 80877104

READY, ERROR, NOTICE, DATA_ROW, COMMAND_COMPLETE = b"ZENDC"
ROW_DESCRIPTION, COPY_IN, COPY_DATA, BACKEND_KEY, AUTHENTICATION = b"TGdKR"

_LENGTH = struct.Struct("!I")
_RECEIVE = 256 * 1024  # bytes
_GONE = select.POLLRDHUP | select.POLLHUP | select.POLLERR


@dataclass(frozen=True, slots=True)
class Mark:
    """Where a message other than a row lies in a span: its kind, and its first and past-the-end byte."""

    kind: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Span:
    """Some whole messages, one after the other."""

    data: bytes
    marks: list[Mark]

    def payload(self, mark: Mark) -> bytes:
        """Return what a message carries."""
        return self.data[mark.start + 5 : mark.end]

    def behind_first(self) -> Span:
        """Return the messages without the first one, which is not a row."""
        start = self.marks[0].end
        marks = [Mark(mark.kind, mark.start - start, mark.end - start) for mark in self.marks[1:]]
        return Span(self.data[start:], marks)


class Closed(Exception):
    """The other side has closed the connection."""


class Wire:
    """One socket, read in spans of whole messages."""

    def __init__(self, connection: socket.socket, *, from_server: bool) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket = connection
        self._rest = bytearray()
        self._unmarked = (DATA_ROW, COPY_DATA) if from_server else ()  # a client's of these kinds are no rows

    def send(self, data: bytes) -> None:
        """Send all of ``data``.

        Raises:
            Closed: nobody is there to read it.
        """
        try:
            self.socket.sendall(data)
        except OSError as error:
            raise Closed from error

    def read(self) -> Span:
        """Receive once and return the messages that are complete by now (perhaps none).

        Raises:
            Closed: the connection has ended.
        """
        try:
            self._rest += self._receive()
        except OSError as error:
            raise Closed from error
        return self._cut()

    def _receive(self) -> bytes:
        """Return what has come; with TLS all of it that is decrypted, of which ``poll`` would say nothing."""
        received = self.socket.recv(_RECEIVE)
        if not received:
            raise Closed
        if isinstance(self.socket, ssl.SSLSocket) and (more := self.socket.pending()):
            received += self.socket.recv(more)
        return received

    def encrypt(self, context: ssl.SSLContext) -> None:
        """Grant the client TLS and begin with it.

        Raises:
            Closed: the two did not agree, or the client sent more before it had the answer (CVE-2021-23214).
        """
        self.send(b"S")
        if self._rest:
            raise Closed
        try:
            self.socket = context.wrap_socket(self.socket, server_side=True)
        except OSError as error:
            raise Closed from error

    def read_exactly(self, count: int) -> bytes:
        """Return exactly ``count`` bytes (the start-up, where messages have no kind)."""
        while len(self._rest) < count:
            received = self.socket.recv(count - len(self._rest))
            if not received:
                raise Closed
            self._rest += received
        taken = bytes(self._rest[:count])
        del self._rest[:count]
        return taken

    def _cut(self) -> Span:
        rest, marks, position, size = self._rest, [], 0, len(self._rest)
        read_length, unmarked = _LENGTH.unpack_from, self._unmarked
        while position + 5 <= size:
            end = position + 1 + read_length(rest, position + 1)[0]
            if end > size:
                break
            if rest[position] not in unmarked:
                marks.append(Mark(rest[position], position, end))
            position = end
        data = bytes(rest[:position])
        del rest[:position]
        return Span(data, marks)

    def check_open(self) -> None:
        """Look whether the other side is still there; nothing is read.

        Raises:
            Closed: it has closed the connection.
        """
        poller = select.poll()
        poller.register(self.socket, _GONE)
        if poller.poll(0):
            raise Closed

    def close(self) -> None:
        """Close the socket; closing twice is harmless."""
        self.socket.close()


def message(kind: bytes, payload: bytes = b"") -> bytes:
    """Return one message."""
    return kind + _LENGTH.pack(len(payload) + 4) + payload


def query(sql: str) -> bytes:
    """Return the message that runs ``sql`` in the simple protocol."""
    return message(b"Q", write_text(sql) + b"\0")


def read_text(data: bytes) -> str:
    """Return SQL as text; bytes of a client encoding other than UTF-8 come through :func:`write_text` unchanged."""
    return data.decode("utf-8", "surrogateescape")


def write_text(text: str) -> bytes:
    """Return the bytes that :func:`read_text` took."""
    return text.encode("utf-8", "surrogateescape")


def command_complete(tag: str) -> bytes:
    """Return the message that ends a statement's answer."""
    return message(b"C", tag.encode() + b"\0")


def ready(status: str) -> bytes:
    """Return the message that lets the client send its next query; ``status`` is ``I``, ``T`` or ``E``."""
    return message(b"Z", status.encode())


def read_fields(payload: bytes) -> dict[str, str]:
    """Return the fields of an error or notice by their one-letter names."""
    parts = payload.rstrip(b"\0").split(b"\0")
    return {chr(part[0]): part[1:].decode("utf-8", "replace") for part in parts if part}


def error_response(fields: dict[str, str]) -> bytes:
    """Return an error with these fields."""
    body = b"".join(name.encode() + value.encode() + b"\0" for name, value in fields.items())
    return message(b"E", body + b"\0")


def info(text: str) -> bytes:
    """Return a notice of the severity INFO."""
    body = b"".join(field.encode() + b"\0" for field in ("SINFO", "VINFO", "C00000", f"M{text}"))
    return message(b"N", body + b"\0")


def error_fields(error: SqlError) -> dict[str, str]:
    """Return the fields of an error of ours."""
    fields = {"S": "ERROR", "V": "ERROR", "C": error.code, "M": error.message, "D": error.detail, "H": error.hint}
    return {name: value for name, value in fields.items() if value}


def fatal(text: str, code: str) -> bytes:
    """Return the error after which the connection ends."""
    return error_response({"S": "FATAL", "V": "FATAL", "C": code, "M": text})


def read_startup(payload: bytes) -> dict[str, str]:
    """Return the parameters of a start-up message (after its protocol number)."""
    words = [word.decode() for word in payload.split(b"\0")]
    return dict(zip(words[0::2], words[1::2], strict=False)) if words else {}


def startup(version: int, parameters: dict[str, str]) -> bytes:
    """Return a start-up message."""
    body = b"".join(f"{name}\0{value}\0".encode() for name, value in parameters.items() if name)
    payload = struct.pack("!I", version) + body + b"\0"
    return _LENGTH.pack(len(payload) + 4) + payload
