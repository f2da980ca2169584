"""Which of several rows with the same key wins."""

from __future__ import annotations

from collections.abc import Sequence

from core.errors import DefinitionError, ParameterError
from steps_impl.tables.model import Table, quote
from steps_impl.tables.reader import TokenReader
from steps_impl.tables.tokens import Kind


def winner_terms(table: Table, columns: Sequence[str], keys: Sequence[str], stated: str | None) -> tuple[str, ...]:
    """Return the ORDER BY terms whose first row wins.

    First what ``stated`` says (``updated_at DESC, id``; NULL loses unless ``NULLS FIRST`` is said), then every other
    column, the greatest value first. So two rows tie only where they are equal, and the same input always has the
    same winner. Columns of types that have no order (SUPER, GEOMETRY …) cannot decide.

    Raises:
        ParameterError: ``stated`` is not a list of columns that are loaded, or names one without order.
    """
    terms = _stated(table, columns, stated) if stated else {}
    for name in columns:
        if name not in terms and name not in keys and table.column(name).type.orderable:
            terms[name] = f"{quote(name)} DESC NULLS LAST"
    return tuple(terms.values()) or (f"{quote(keys[0])} ASC NULLS LAST",)


def _stated(table: Table, columns: Sequence[str], text: str) -> dict[str, str]:
    terms: dict[str, str] = {}
    try:
        reader = TokenReader(text)
        while True:
            name = reader.identifier("a column")
            if name not in columns:
                reader.fail(f"{name!r} is not a column that is loaded into {table.name}")
            if not table.column(name).type.orderable:
                reader.fail(f"{name!r} is {table.column(name).type}, which has no order")
            terms.setdefault(name, f"{quote(name)} {_direction(reader)} NULLS {_nulls(reader)}")
            if not reader.takes(","):
                break
        if reader.token.kind is not Kind.END:
            reader.fail(f"{reader.token} is not understood; write: column [ASC|DESC] [NULLS FIRST|LAST], …")
    except DefinitionError as error:
        raise ParameterError(f"--order-by: {error}") from None
    return terms


def _direction(reader: TokenReader) -> str:
    if reader.takes("DESC"):
        return "DESC"
    reader.takes("ASC")
    return "ASC"


def _nulls(reader: TokenReader) -> str:
    if reader.takes("NULLS", "FIRST"):
        return "FIRST"
    reader.takes("NULLS", "LAST")
    return "LAST"
