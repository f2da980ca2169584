"""The little of HTTP/1.1 that SDKs use: keep-alive, Content-Length bodies, Expect: 100-continue."""

from __future__ import annotations

import select
import socket
from dataclasses import dataclass
from http import HTTPStatus
from io import BufferedIOBase

MAX_HEADER_BYTES = 64 * 1024
#: An expression may have 20,971,520 characters; in JSON a character takes up to 12 bytes, seldom more than 4.
MAX_BODY_BYTES = 96 * 1024 * 1024
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class BadRequest(Exception):
    """What came is not a request that this server reads; the connection is closed after the answer."""


@dataclass(frozen=True, slots=True)
class Request:
    """One request; header names are in small letters."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    keep_alive: bool


def read_request(reader: BufferedIOBase, connection: socket.socket) -> Request | None:
    """Read one request; None if the client closed the connection between requests.

    Raises:
        BadRequest: the bytes are not such a request.
        OSError: the connection broke.
    """
    line = reader.readline(MAX_HEADER_BYTES)
    if not line.strip():
        return None
    parts = line.decode("latin-1").split()
    if len(parts) != 3 or not parts[2].startswith("HTTP/1."):
        raise BadRequest("The request line cannot be read")
    headers = _read_headers(reader)
    if "transfer-encoding" in headers:
        raise BadRequest("Send a Content-Length instead of Transfer-Encoding")
    length = headers.get("content-length", "0")
    if not length.isascii() or not length.isdigit() or int(length) > MAX_BODY_BYTES:
        raise BadRequest(f"Content-Length must be a number up to {MAX_BODY_BYTES}")
    if headers.get("expect", "").lower() == "100-continue":
        connection.sendall(_CONTINUE)
    body = reader.read(int(length))
    if len(body) < int(length):
        return None
    persistent = headers.get("connection", "").lower()
    keep_alive = persistent != "close" and (parts[2] != "HTTP/1.0" or persistent == "keep-alive")
    return Request(parts[0], parts[1], headers, body, keep_alive)


def _read_headers(reader: BufferedIOBase) -> dict[str, str]:
    headers: dict[str, str] = {}
    total = 0
    while (line := reader.readline(MAX_HEADER_BYTES)) not in (b"\r\n", b"\n", b""):
        total += len(line)
        if total > MAX_HEADER_BYTES:
            raise BadRequest(f"The header is longer than {MAX_HEADER_BYTES} bytes")
        name, _, value = line.decode("latin-1").partition(":")
        headers[name.strip().lower()] = value.strip()
    return headers


def response(status: int, headers: dict[str, str], body: bytes, *, keep_alive: bool) -> bytes:
    """Return an answer as bytes, so that it leaves in one piece."""
    lines = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    lines += [f"Content-Length: {len(body)}", f"Connection: {'keep-alive' if keep_alive else 'close'}"]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + body


def is_connected(connection: socket.socket) -> bool:
    """Tell whether the client of a connection that owes us nothing is still there."""
    try:
        readable, _, _ = select.select([connection], [], [], 0)
        return not readable or connection.recv(1, socket.MSG_PEEK) != b""
    except (OSError, ValueError):
        return False
