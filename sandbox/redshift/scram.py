"""The client's side of SCRAM-SHA-256 (RFC 5802, RFC 7677), as Postgres asks for it (manual, "SASL Authentication").

Redshift's JDBC and ODBC drivers do not speak it. They are asked for the password itself, as a cluster may ask them, and
the front logs in with it.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import unicodedata
from typing import Final

from sandbox.redshift import protocol
from sandbox.redshift.protocol import ERROR, Span, Wire
from sandbox.redshift.upstream import Upstream

SASL, _FINAL, _CLEAR_TEXT = (code.to_bytes(4, "big") for code in (10, 12, 3))
_HEADER: Final = "n,,"  # no channel binding: the way to Postgres has no TLS


def log_in(client: Wire, upstream: Upstream) -> Span:
    """Ask the client for its password and log in with it; return what the client is to be told then.

    Raises:
        Closed: one of them has left.
    """
    span = _next(upstream)
    if not span.payload(span.marks[0]).startswith(SASL):
        return span  # an error, such as too many clients
    client.send(protocol.message(b"R", _CLEAR_TEXT))
    answer = _next(client)
    return _exchange(upstream, protocol.read_text(answer.payload(answer.marks[0]).rstrip(b"\0")))


def _next(wire: Wire) -> Span:
    while not (span := wire.read()).marks:
        pass
    return span


def _exchange(upstream: Upstream, password: str) -> Span:
    bare = f"n=,r={secrets.token_urlsafe(18)}"
    opening = (_HEADER + bare).encode()
    upstream.send(protocol.message(b"p", b"SCRAM-SHA-256\0" + len(opening).to_bytes(4, "big") + opening))
    span = _next(upstream)
    if span.marks[0].kind == ERROR:
        return span
    challenge = span.payload(span.marks[0])[4:].decode()
    proven = f"c={base64.b64encode(_HEADER.encode()).decode()},r={_fields(challenge)['r']}"
    proof = _proof(password, challenge, f"{bare},{challenge},{proven}".encode())
    upstream.send(protocol.message(b"p", f"{proven},p={base64.b64encode(proof).decode()}".encode()))
    span = _next(upstream)
    return span.behind_first() if span.payload(span.marks[0]).startswith(_FINAL) else span


def _fields(text: str) -> dict[str, str]:
    return dict(part.split("=", 1) for part in text.split(","))


def _proof(password: str, challenge: str, signed: bytes) -> bytes:
    """Return the proof that the password is known (RFC 5802, section 3)."""
    fields = _fields(challenge)
    plain = unicodedata.normalize("NFKC", password).encode("utf-8", "surrogateescape")
    salted = hashlib.pbkdf2_hmac("sha256", plain, base64.b64decode(fields["s"]), int(fields["i"]))
    key = hmac.digest(salted, b"Client Key", "sha256")
    signature = hmac.digest(hashlib.sha256(key).digest(), signed, "sha256")
    return bytes(left ^ right for left, right in zip(key, signature, strict=True))
