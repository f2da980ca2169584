"""A reader of tokens: what the parsers of COPY and of table definitions walk along with."""

from __future__ import annotations

from sandbox.redshift.errors import SYNTAX, SqlError
from sandbox.redshift.tokens import Kind, Statement, Token


class Cursor:
    """A place in a statement's tokens."""

    def __init__(self, statement: Statement, tokens: list[Token] | None = None) -> None:
        self.statement = statement
        self._tokens = statement.tokens if tokens is None else tokens
        self._position = 0

    @property
    def token(self) -> Token | None:
        """The next token; ``None`` at the end."""
        return self._tokens[self._position] if self._position < len(self._tokens) else None

    def fail(self) -> SqlError:
        """Return Redshift's syntax error for the next token."""
        token = self.token
        return SqlError(f'syntax error at or near "{token.text}"' if token else "syntax error at end of input", SYNTAX)

    def take(self) -> Token:
        """Return the next token and go past it."""
        token = self.token
        if token is None:
            raise self.fail()
        self._position += 1
        return token

    def peek(self, *words: str) -> bool:
        """Say whether the next tokens are these keywords (in lower case)."""
        tokens = self._tokens[self._position : self._position + len(words)]
        return len(tokens) == len(words) and all(t.is_word(w) for t, w in zip(tokens, words, strict=True))

    def accept(self, *words: str) -> bool:
        """Go past these keywords if they are next."""
        if not self.peek(*words):
            return False
        self._position += len(words)
        return True

    def expect(self, *words: str) -> None:
        """Go past these keywords, which must be next."""
        if not self.accept(*words):
            raise self.fail()

    def accept_sign(self, sign: str) -> bool:
        """Go past a sign if it is next."""
        if self.token is None or not self.token.is_sign(sign):
            return False
        self._position += 1
        return True

    def expect_sign(self, sign: str) -> None:
        """Go past a sign, which must be next."""
        if not self.accept_sign(sign):
            raise self.fail()

    def name(self) -> str:
        """Return the next name as the catalog has it."""
        if self.token is None or not self.token.is_name:
            raise self.fail()
        return self.take().name

    def string(self) -> str:
        """Return the value of the string that is next."""
        if self.token is None or self.token.kind is not Kind.STRING:
            raise self.fail()
        return self.take().value

    def integer(self) -> int:
        """Return the whole number that is next, with its sign."""
        negative = self.accept_sign("-")
        if self.token is None or not self.token.text.isdigit():
            raise self.fail()
        number = int(self.take().text)
        return -number if negative else number

    def qualified_name(self) -> tuple[str, ...]:
        """Return a name with its schema, if it has one."""
        parts = [self.name()]
        while self.accept_sign("."):
            parts.append(self.name())
        return tuple(parts)

    def names(self) -> list[str]:
        """Return the names in a pair of brackets."""
        self.expect_sign("(")
        names = [self.name()]
        while self.accept_sign(","):
            names.append(self.name())
        self.expect_sign(")")
        return names

    def bracketed(self) -> list[Token]:
        """Return the tokens inside the pair of brackets that is next."""
        self.expect_sign("(")
        start, depth = self._position, 1
        while depth:
            token = self.take()
            depth += token.is_sign("(") - token.is_sign(")")
        return self._tokens[start : self._position - 1]

    def rest(self) -> list[Token]:
        """Return every token from here on."""
        return self._tokens[self._position :]


def split_commas(tokens: list[Token]) -> list[list[Token]]:
    """Split tokens at the commas that are in no brackets."""
    parts: list[list[Token]] = [[]]
    depth = 0
    for token in tokens:
        depth += token.is_sign("(") - token.is_sign(")")
        if depth == 0 and token.is_sign(","):
            parts.append([])
        else:
            parts[-1].append(token)
    return parts


def quote_name(*parts: str) -> str:
    """Return a name, with its schema if given, as SQL takes it."""
    return ".".join('"' + part.replace('"', '""') + '"' for part in parts)


def quote_text(text: str) -> str:
    """Return a text as a literal that reads the same whatever ``standard_conforming_strings`` is."""
    escaped = text.replace("\\", "\\\\").replace("'", "''")
    return f"E'{escaped}'" if "\\" in text else f"'{escaped}'"
