"""Reads one ``CREATE VIEW``: its name and options; the query stays as it was written."""

from __future__ import annotations

from steps_impl.tables.model import View
from steps_impl.tables.reader import TokenReader
from steps_impl.tables.tokens import Kind

_LATE_BINDING = ("WITH", "NO", "SCHEMA", "BINDING")
_BEGINS = (("CREATE", "VIEW"), ("CREATE", "OR", "REPLACE", "VIEW"))


def begins_view(reader: TokenReader) -> bool:
    """Tell whether a view comes next."""
    while reader.takes(";"):
        pass
    return any(reader.sees(*words) for words in _BEGINS)


def read_view(reader: TokenReader) -> View:
    """Take one view and the semicolons behind it.

    Raises:
        DefinitionError: it is not a view as Redshift defines one; the message names line and column.
    """
    reader.demand("CREATE")
    replace = reader.takes("OR", "REPLACE")
    reader.demand("VIEW")
    name = reader.table_name()
    columns = reader.listed(lambda: reader.identifier("a column")) if reader.sees("(") else ()
    reader.demand("AS")
    if not any(reader.sees(word) for word in ("SELECT", "WITH", "(")):
        reader.fail(f"expected the query of the view, found {reader.token}")
    query, late_binding = _query(reader)
    while reader.takes(";"):
        pass
    return View(name, query, columns, replace, late_binding)


def _query(reader: TokenReader) -> tuple[str, bool]:
    """Take everything up to the end of the statement; tell whether it ends with NO SCHEMA BINDING."""
    first, depth = reader.position, 0
    while not _at_end(reader):
        if depth == 0 and reader.position > first and reader.takes(*_LATE_BINDING):
            if not _at_end(reader):
                reader.fail(f"{reader.token} is not understood behind WITH NO SCHEMA BINDING")
            return reader.source(first, reader.position - len(_LATE_BINDING)), True
        text = reader.advance().text
        depth += (text == "(") - (text == ")")
        if depth < 0:
            reader.fail("a parenthesis of the query is closed that was never opened")
    if depth:
        reader.fail("a parenthesis of the query is never closed")
    return reader.source(first, reader.position), False


def _at_end(reader: TokenReader) -> bool:
    return reader.token.kind is Kind.END or reader.sees(";")
