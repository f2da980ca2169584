"""SQL cut into words, strings and signs: enough to see where a statement ends and what it is, not what it means."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum


class Kind(Enum):
    """What a token is."""

    BLANK = "blank"  # white space or a comment
    WORD = "word"  # an unquoted name or keyword
    QUOTED = "quoted"  # "a name"
    STRING = "string"  # 'text', E'text', $$text$$
    NUMBER = "number"
    SIGN = "sign"


_TOKEN = re.compile(
    r"""
      (?P<blank>\s+|--[^\n]*)
    | (?P<comment>/\*)
    | (?P<escaped>[eE]'(?:[^'\\]|\\.|'')*(?:'|\Z))
    | (?P<string>(?:[bBxXnN])?'(?:[^']|'')*(?:'|\Z))
    | (?P<dollar>\$(?P<tag>(?:[^\W\d]\w*)?)\$)
    | (?P<quoted>"(?:[^"]|"")*(?:"|\Z))
    | (?P<word>\#?[^\W\d][\w$]*)
    | (?P<number>\d[\w.]*|\.\d+(?:[eE][-+]?\d+)?)
    | (?P<sign>::|<=|>=|<>|!=|\|\||.)
    """,
    re.VERBOSE | re.DOTALL,
)
_ESCAPED_STRING = re.compile(r"'(?:[^'\\]|\\.|'')*(?:'|\Z)", re.DOTALL)
_COMMENT_EDGE = re.compile(r"/\*|\*/")


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of SQL; ``start`` and ``end`` are characters of the text it was cut from."""

    kind: Kind
    text: str
    start: int
    end: int

    def is_word(self, *words: str) -> bool:
        """Say whether it is one of these keywords (given in lower case)."""
        return self.kind is Kind.WORD and self.text.lower() in words

    def is_sign(self, sign: str) -> bool:
        """Say whether it is this sign."""
        return self.kind is Kind.SIGN and self.text == sign

    @property
    def is_name(self) -> bool:
        """Say whether it can name something."""
        return self.kind in (Kind.WORD, Kind.QUOTED)

    @property
    def name(self) -> str:
        """The name as the catalog has it: folded to lower case unless it is quoted."""
        return self.text[1:-1].replace('""', '"') if self.kind is Kind.QUOTED else self.text.lower()

    @property
    def value(self) -> str:
        """The text of a string literal; in ``E''`` a backslash is an escape."""
        if self.text.startswith("$"):
            tag = self.text[: self.text.index("$", 1) + 1]
            return self.text[len(tag) : -len(tag)]
        body = self.text[self.text.index("'") + 1 : -1].replace("''", "'")
        return unescape(body) if self.text[0] in "eE" else body


_ESCAPES = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
_ESCAPE = re.compile(r"\\(x[0-9a-fA-F]{1,2}|[0-7]{1,3}|.)", re.DOTALL)


def unescape(text: str) -> str:
    r"""Resolve backslash escapes (``\t``, ``\\``, ``\x01``, ``\001``)."""

    def resolve(match: re.Match[str]) -> str:
        word = match[1]
        if word[0] == "x" and len(word) > 1:
            return chr(int(word[1:], 16))
        return chr(int(word, 8)) if word[0] in "01234567" else _ESCAPES.get(word, word)

    return _ESCAPE.sub(resolve, text)


def tokenize(sql: str) -> list[Token]:
    """Cut a text into tokens that, joined, are the text again."""
    tokens: list[Token] = []
    position = 0
    while position < len(sql):
        kind, end = _query_of_unload(sql, position, tokens) or _kind_and_end(sql, position)
        tokens.append(Token(kind, sql[position:end], position, end))
        position = end
    return tokens


def _query_of_unload(sql: str, position: int, before: list[Token]) -> tuple[Kind, int] | None:
    """The query of an UNLOAD may have a backslash before its quotes (Developer Guide, "Unloading data")."""
    if sql[position] != "'":
        return None
    last = [token for token in before[-6:] if token.kind is not Kind.BLANK][-2:]
    if len(last) < 2 or not last[0].is_word("unload") or not last[1].is_sign("("):
        return None
    match = _ESCAPED_STRING.match(sql, position)
    return (Kind.STRING, match.end()) if match else None


def _kind_and_end(sql: str, position: int) -> tuple[Kind, int]:
    match = _TOKEN.match(sql, position)
    assert match is not None  # the last alternative takes any character
    if match["comment"]:
        return Kind.BLANK, _comment_end(sql, match.end())
    if match["dollar"]:
        closing = sql.find(match["dollar"], match.end())
        return Kind.STRING, len(sql) if closing < 0 else closing + len(match["dollar"])
    if match["escaped"]:
        return Kind.STRING, match.end()
    return Kind(str(match.lastgroup)), match.end()


def _comment_end(sql: str, position: int) -> int:
    depth = 1
    while depth:
        edge = _COMMENT_EDGE.search(sql, position)
        if edge is None:
            return len(sql)
        depth += 1 if edge[0] == "/*" else -1
        position = edge.end()
    return position


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement: its text, where it begins in the query (characters), and its tokens without blanks."""

    text: str
    offset: int
    tokens: list[Token]

    def starts(self, *words: str) -> bool:
        """Say whether the first keywords are these (in lower case)."""
        head = self.tokens[: len(words)]
        return len(head) == len(words) and all(t.is_word(w) for t, w in zip(head, words, strict=True))

    def replace(self, changes: list[tuple[Token, str]]) -> str:
        """Return the text with some tokens replaced."""
        pieces, position = [], self.offset
        for token, text in sorted(changes, key=lambda change: change[0].start):
            pieces += [self.text[position - self.offset : token.start - self.offset], text]
            position = token.end
        return "".join([*pieces, self.text[position - self.offset :]])


def split(sql: str) -> list[Statement]:
    """Split a query at its semicolons; pieces without any word are left out. ``BEGIN ATOMIC`` bodies are not known."""
    statements: list[Statement] = []
    tokens: list[Token] = []
    start = 0
    for token in [*tokenize(sql), Token(Kind.SIGN, ";", len(sql), len(sql))]:
        if not token.is_sign(";"):
            if token.kind is not Kind.BLANK:
                tokens.append(token)
            continue
        if tokens:
            statements.append(Statement(sql[start : token.start], start, tokens))
        tokens, start = [], token.end
    return statements
