"""Which of several rows of the files with one key wins."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.errors import DefinitionError, ParameterError

if TYPE_CHECKING:
    from steps_impl.tables.reader import TokenReader


@dataclass(frozen=True)
class Term:
    """One column of an order."""

    column: str
    descending: bool = False
    nulls_first: bool = False


def read_order(text: str | None, columns: Sequence[str]) -> tuple[Term, ...]:
    """Return the order that ``--order-by`` states: the first row in it wins.

    Raises:
        ParameterError: it is none, or names a column that is not loaded.
    """
    if text is None:
        return ()
    from steps_impl.tables.reader import TokenReader
    from steps_impl.tables.tokens import Kind

    spelling = {name.lower(): name for name in columns}
    try:
        reader = TokenReader(text)
        terms = [_term(reader, spelling)]
        while reader.takes(","):
            terms.append(_term(reader, spelling))
        if reader.token.kind is not Kind.END:
            reader.fail(f"{reader.token} is not understood; write: column [ASC|DESC] [NULLS FIRST|LAST], …")
    except DefinitionError as error:
        raise ParameterError(f"--order-by: {error}") from None
    return tuple(terms)


def _term(reader: TokenReader, spelling: dict[str, str]) -> Term:
    name = reader.identifier("a column")
    if name.lower() not in spelling:
        reader.fail(f"{name!r} is not a column that is loaded")
    descending = reader.takes("DESC")
    if not descending:
        reader.takes("ASC")
    nulls_first = reader.takes("NULLS", "FIRST")
    if not nulls_first:
        reader.takes("NULLS", "LAST")
    return Term(spelling[name.lower()], descending, nulls_first)
