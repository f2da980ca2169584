"""Requests and answers of the status endpoint: as much of HTTP as GET and HEAD need."""

from __future__ import annotations

import http
import http.client
import io
from dataclasses import dataclass
from email.utils import formatdate

from agent.health.listen import is_loopback

#: Bytes that the head of a request may have.
HEAD_LIMIT = 8192
_METHODS = ("GET", "HEAD")
_END = b"\r\n\r\n"


@dataclass(frozen=True)
class Request:
    """A request that may be answered."""

    path: str
    accept: str


@dataclass(frozen=True)
class Answer:
    """Status, body and its type."""

    status: http.HTTPStatus
    body: bytes
    content_type: str = "text/plain; charset=utf-8"
    allow: str = ""


def is_complete(data: bytes) -> bool:
    """Return whether the head of a request is there."""
    return _END in data


def read(data: bytes) -> tuple[Request | Answer, bool]:
    """Return the request, or the answer to one that is refused; and whether only the head of it is wanted.

    The ``Host`` must be this machine: a page in a browser here, whose name leads to 127.0.0.1, says its own name.
    """
    line, _, rest = data.partition(_END)[0].partition(b"\r\n")
    words = line.decode("latin-1").split()
    if len(words) != 3 or not words[2].startswith("HTTP/1."):
        return refused(http.HTTPStatus.BAD_REQUEST), False
    method, target, _ = words
    return _wanted(method, target, rest), method == "HEAD"


def _wanted(method: str, target: str, fields: bytes) -> Request | Answer:
    if method not in _METHODS:
        return Answer(http.HTTPStatus.METHOD_NOT_ALLOWED, b"only GET and HEAD\n", allow=", ".join(_METHODS))
    try:
        headers = http.client.parse_headers(io.BytesIO(fields + _END))
    except http.client.HTTPException:
        return refused(http.HTTPStatus.BAD_REQUEST)
    hosts = headers.get_all("Host", [])
    if len(hosts) != 1 or not is_loopback(_bare(hosts[0])):
        return refused(http.HTTPStatus.FORBIDDEN, "the Host header must name this machine's loopback address")
    return Request(target.partition("?")[0], headers.get("Accept", ""))


def refused(status: http.HTTPStatus, why: str = "") -> Answer:
    """Return the answer to a request that is not carried out."""
    return Answer(status, f"{why or status.phrase}\n".encode())


def written(answer: Answer, *, head_only: bool) -> bytes:
    """Return the bytes of an answer; the connection ends after it."""
    fields = {
        "Date": formatdate(usegmt=True),
        "Content-Type": answer.content_type,
        "Content-Length": str(len(answer.body)),
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
        "Connection": "close",
        **({"Allow": answer.allow} if answer.allow else {}),
    }
    lines = [f"HTTP/1.1 {answer.status.value} {answer.status.phrase}", *(f"{name}: {fields[name]}" for name in fields)]
    return "\r\n".join((*lines, "", "")).encode("latin-1") + (b"" if head_only else answer.body)


def _bare(host: str) -> str:
    """Return the host without its port and brackets."""
    text = host.strip()
    if text.startswith("["):
        return text[1:].partition("]")[0]
    return text.partition(":")[0]
