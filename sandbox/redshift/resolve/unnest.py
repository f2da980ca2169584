"""Arrays and objects of SUPER values in a FROM clause (Developer Guide, "Unnesting queries", "Object unpivoting").

``FROM t, t.s.items AS i AT n`` takes the items of an array, ``UNPIVOT t.s AS v AT k`` the attributes of an object.
"""

from __future__ import annotations

from typing import Final

from sandbox.redshift.blocks import Block, closing
from sandbox.redshift.cursor import quote_name
from sandbox.redshift.resolve.paths import chain_at
from sandbox.redshift.tokens import Token

_NO_ALIAS: Final = ("on", "using", "join", "left", "right", "full", "inner", "cross", "natural", "outer", "where", "at")


class FromClause:
    """The FROM clause of one query, read from left to right."""

    def __init__(self, tokens: list[Token], block: Block, known: set[str]) -> None:
        self._tokens = tokens
        self._block = block
        self._unnested: set[str] = set()
        self.known = known
        self.changes: dict[Token, str] = {}

    def read(self) -> None:
        """Note the names that it introduces, and the changes that it needs."""
        at, expected = self._block.source + 1, True
        while at < self._block.tail:
            token = self._tokens[at]
            if expected and not token.is_word("lateral", "only"):
                at, expected = self._item(at), False
            else:
                expected = expected or token.is_sign(",") or token.is_word("join")
                at = closing(self._tokens, at) + 1 if token.is_sign("(") else at + 1

    def _item(self, at: int) -> int:
        """Read one table, subquery or path; return where it ends."""
        tokens = self._tokens
        unpivot = tokens[at].is_word("unpivot") and at + 1 < len(tokens) and tokens[at + 1].is_name
        start = at + 1 if unpivot else at
        if tokens[start].is_sign("("):
            return self._named(min(closing(tokens, start) + 1, self._block.tail), "")
        chain = chain_at(tokens, start)
        if chain is None:
            return at + 1
        if chain.end < len(tokens) and tokens[chain.end].is_sign("("):  # a function
            end = min(closing(tokens, chain.end) + 1, self._block.tail)
            return self._named(end, tokens[chain.names[-1]].name)
        first = tokens[start].name
        is_path = first in self.known if chain.end > start + 1 else first in self._unnested
        if unpivot or is_path:
            return self._unnest(at, start, chain.end, "each" if unpivot else "unnest")
        return self._named(chain.end, tokens[chain.names[-1]].name)

    def _named(self, at: int, name: str) -> int:
        """Note the name of a table, which an alias may follow; return where it ends."""
        at, name = self._alias(at, name)
        self.known.add(name)
        return at

    def _alias(self, at: int, name: str) -> tuple[int, str]:
        """Return where an alias ends, and what it is; without one, the name given."""
        tokens, end = self._tokens, self._block.tail
        if at < end and tokens[at].is_word("as"):
            at += 1
        if at < end and tokens[at].is_name and not tokens[at].is_word(*_NO_ALIAS):
            return at + 1, tokens[at].name
        return at, name

    def _unnest(self, at: int, start: int, end: int, kind: str) -> int:
        """Write a path as a call whose row has the alias's own name."""
        tokens, last = self._tokens, self._tokens[end - 1]
        behind, name = self._alias(end, last.name if last.is_name else "item")
        columns = [name]
        if behind + 1 < self._block.tail and tokens[behind].is_word("at") and tokens[behind + 1].is_name:
            columns.append(tokens[behind + 1].name)
            behind += 2
        self.known.add(name)
        self._unnested.add(name)
        function = f"redshift_{kind}" if len(columns) == 1 else f"redshift_{kind}_at"
        gone = [*range(at, start), *range(end, behind)]
        self.changes |= {tokens[place]: "" for place in gone}
        self.changes[tokens[start]] = f"LATERAL pg_catalog.{function}({tokens[start].text}"
        listed = ", ".join(map(quote_name, columns))
        self.changes[last] = f"{self.changes.get(last, last.text)}) AS {quote_name(name)} ({listed})"
        return behind
