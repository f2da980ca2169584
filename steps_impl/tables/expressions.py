"""Types and DEFAULT expressions inside a definition."""

from __future__ import annotations

from core.errors import DefinitionError
from steps_impl.tables.reader import RESERVED, TokenReader
from steps_impl.tables.tokens import Kind
from steps_impl.tables.types import LONG_NAMES, ColumnType, column_type, greatest_length, is_type

_OPERATORS = frozenset({"+", "-", "*", "/", "%", "||"})
_CONSTANTS = frozenset(
    {"NULL", "TRUE", "FALSE", "CURRENT_DATE", "CURRENT_TIME", "CURRENT_TIMESTAMP"}
    | {"CURRENT_USER", "LOCALTIME", "SESSION_USER", "SYSDATE", "USER"}
)


def read_type(reader: TokenReader) -> ColumnType:
    """Take a column type: one or several words, then its arguments.

    Raises:
        DefinitionError: it is not a type of Redshift, or has arguments that Redshift refuses.
    """
    start = reader.token
    name = _type_name(reader)
    arguments = reader.listed(lambda: _type_argument(reader, name)) if reader.sees("(") else ()
    if not is_type(name):
        reader.fail(f"{name!r} is not a type of Redshift", at=start)
    try:
        return column_type(name, arguments)
    except DefinitionError as error:
        reader.fail(str(error), at=start)


def _type_name(reader: TokenReader) -> str:
    for words in LONG_NAMES:
        if reader.takes(*words):
            return " ".join(words)
    if not reader.token.word:
        reader.fail(f"expected a type, found {reader.token}")
    return reader.advance().word


def _type_argument(reader: TokenReader, name: str) -> int:
    if reader.takes("MAX"):
        return greatest_length(name) if is_type(name) else 0
    return reader.whole_number()


def read_default(reader: TokenReader) -> str:
    """Take a DEFAULT expression and return it as written: constants, calls and casts, joined by operators."""
    start = reader.position
    _operand(reader)
    while reader.token.text in _OPERATORS:
        reader.advance()
        _operand(reader)
    return reader.written(start)


def _operand(reader: TokenReader) -> None:
    while reader.takes("-") or reader.takes("+"):
        pass
    if reader.sees("("):
        _balanced(reader)
    elif reader.token.kind in (Kind.STRING, Kind.NUMBER) or reader.token.word in _CONSTANTS:
        reader.advance()
    else:
        _call_or_typed_string(reader)
    while reader.takes("::"):
        read_type(reader)


def _call_or_typed_string(reader: TokenReader) -> None:
    """Take ``name(…)``, ``schema.name(…)`` or ``DATE '2020-01-01'``."""
    token = reader.token
    if token.kind is not Kind.QUOTED and (not token.word or token.word in RESERVED - {"CAST", "LEFT", "RIGHT"}):
        reader.fail(f"expected an expression after DEFAULT, found {token}")
    reader.advance()
    while reader.takes("."):
        reader.identifier("a function")
    if reader.token.kind is Kind.STRING:
        reader.advance()
    elif reader.sees("("):
        _balanced(reader)
    else:
        reader.fail(f"{token} is not understood in a DEFAULT expression", at=token)


def _balanced(reader: TokenReader) -> None:
    """Take everything from an opening parenthesis to the one that closes it."""
    opening = reader.token
    depth = 0
    while True:
        if reader.token.kind is Kind.END or reader.token.text == ";":
            reader.fail("this parenthesis is never closed", at=opening)
        text = reader.advance().text
        depth += (text == "(") - (text == ")")
        if depth == 0:
            return
