"""Postgres' errors in Redshift's words, where a client of Redshift looks for them."""

from __future__ import annotations

from collections.abc import Callable

from sandbox.redshift import protocol
from sandbox.redshift.protocol import AUTHENTICATION, ERROR, ROW_DESCRIPTION, Mark, Span
from sandbox.redshift.rewrite.merge import SEVERAL_MATCHES
from sandbox.redshift.scram import SASL

_SERIALIZATION_FAILURE = "40001"
_JSONB, _SUPER = (oid.to_bytes(4, "big") for oid in (3802, 4000))
_CARDINALITY = "21000"


def translate_error(fields: dict[str, str], shift: int = 0) -> dict[str, str]:
    """Return the fields for the client.

    Args:
        fields: of Postgres' error response.
        shift: characters before the statement in what the client sent; negative when its text was changed, so
            that a position in it means nothing.
    """
    if fields.get("C") == _SERIALIZATION_FAILURE:
        return _isolation_violation(fields)
    if fields.get("C") == _CARDINALITY and fields.get("M", "").startswith("MERGE"):
        return {"S": "ERROR", "V": "ERROR", "C": "XX000", "M": SEVERAL_MATCHES}
    if "redshift_" in fields.get("W", ""):  # where in the front's own catalog it was found is nobody's business
        fields = {name: value for name, value in fields.items() if name != "W"}
    position = fields.get("P")
    if position is None or shift == 0:
        return fields
    moved = {} if shift < 0 else {"P": str(int(position) + shift)}
    return {**{name: value for name, value in fields.items() if name != "P"}, **moved}


def _isolation_violation(fields: dict[str, str]) -> dict[str, str]:
    """Redshift reports every serialization failure as 1023, with SQLSTATE XX000; Postgres does not name the table."""
    detail = (
        "Serializable isolation violation on table - (not named by the sandbox), "
        f"transactions forming the cycle are not known; {fields.get('M', '')}"
    )
    return {"S": "ERROR", "V": "ERROR", "C": "XX000", "M": "1023", "D": detail}


def shorten_mechanisms(span: Span) -> Span:
    """Return the messages with a list of authentication mechanisms that ends without an empty one."""
    if not (len(span.marks) == 1 and span.marks[0].kind == AUTHENTICATION):
        return span
    payload = span.payload(span.marks[0])
    if not payload.startswith(SASL):
        return span
    data = protocol.message(b"R", payload.removesuffix(b"\0"))
    return Span(data, [Mark(AUTHENTICATION, 0, len(data))])


def _describes_super(span: Span, mark: Mark) -> bool:
    return mark.kind == ROW_DESCRIPTION and _JSONB in span.payload(mark)


def _with_super(payload: bytes) -> bytes:
    """Return a RowDescription in which jsonb is Redshift's SUPER: in the 18 bytes behind a name, the type's four."""
    described, position = bytearray(payload), 2
    while position < len(payload):
        place = payload.index(b"\0", position) + 7
        if payload[place : place + 4] == _JSONB:
            described[place : place + 4] = _SUPER
        position = place + 12
    return bytes(described)


def edit(span: Span, *, hide: Callable[[Mark], bool] | None = None, shift: int = 0) -> bytes:
    """Return the messages for the client: without those that ``hide`` names, errors and types as Redshift's."""
    pieces: list[bytes] = []
    position = 0
    for mark in span.marks:
        hidden = hide is not None and hide(mark)
        if not hidden and mark.kind != ERROR and not _describes_super(span, mark):
            continue
        pieces.append(span.data[position : mark.start])
        if mark.kind == ROW_DESCRIPTION:
            pieces.append(protocol.message(b"T", _with_super(span.payload(mark))))
        elif not hidden:
            pieces.append(protocol.error_response(translate_error(protocol.read_fields(span.payload(mark)), shift)))
        position = mark.end
    return b"".join([*pieces, span.data[position:]]) if position else span.data
