"""The grammar of ``#{…}``: text to a tree.

::

    sum     = product { ("+" | "-") product }
    product = power { ("*" | "/") power }
    power   = unary [ "^" power ]
    unary   = { "-" } postfix
    postfix = primary { "." name [ arguments ] }
    primary = number | string | "(" sum ")" | name [ arguments ]
    name    = [ "@" | "*" ] letter { letter | digit | "_" }

A string stands in single or double quotes; a backslash before its own quote makes the quote part of it. ``${…}`` is
not ours: the shell and Task Runner fill it in.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from core.errors import ExpressionInvalid

#: Brackets and calls inside each other; keeps a hostile text from exhausting the stack.
MAX_NESTING = 40
_EXCERPT = 120
_NUMBER = re.compile(r"\d+(?:\.\d+)?|\.\d+", re.ASCII)
_MAX_NUMBER = 18
_NAME = re.compile(r"[@*]?[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
_STRING = re.compile(r"'((?:[^'\\]|\\.)*)'|\"((?:[^\"\\]|\\.)*)\"", re.DOTALL)
_SPACE = re.compile(r"\s*")


@dataclass(frozen=True, slots=True)
class Literal:
    """A number or a string."""

    value: str | int | float


@dataclass(frozen=True, slots=True)
class Path:
    """A field of the current object or, from the second name on, of the object that the former refers to."""

    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Call:
    """A function with its arguments; ``x.format(p)`` is ``format(x, p)``."""

    name: str
    arguments: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Chain:
    """Operands joined from left to right by operators of one rank."""

    first: Node
    rest: tuple[tuple[str, Node], ...]


@dataclass(frozen=True, slots=True)
class Powers:
    """``a ^ b ^ c``, which is evaluated from the right."""

    operands: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Negation:
    """A number with its sign turned."""

    operand: Node


Node = Literal | Path | Call | Chain | Powers | Negation


@dataclass(frozen=True, slots=True)
class Expression:
    """One ``#{…}`` with its own text, for messages."""

    text: str
    root: Node


@lru_cache(maxsize=4096)
def parse_template(text: str) -> tuple[str | Expression, ...]:
    """Return plain texts and expressions in turn.

    Raises:
        ExpressionInvalid: an expression is not closed or cannot be read; the message names the place.
    """
    parts: list[str | Expression] = []
    position = 0
    while (start := text.find("#{", position)) >= 0:
        if start > position:
            parts.append(text[position:start])
        parser = _Parser(text, start)
        root = parser.expression()
        parts.append(Expression(text[start : parser.position], root))
        position = parser.position
    if position < len(text):
        parts.append(text[position:])
    return tuple(parts)


class _Parser:
    """A recursive-descent parser over one expression that begins at ``start``."""

    def __init__(self, text: str, start: int) -> None:
        self.text = text
        self.start = start
        self.position = start + 2
        self._depth = 0

    def expression(self) -> Node:
        root = self._sum()
        if not self._take("}"):
            raise self._error("an operator or '}' is expected")
        return root

    def _sum(self) -> Node:
        return self._chain("+-", self._product)

    def _product(self) -> Node:
        return self._chain("*/", self._power)

    def _chain(self, operators: str, operand: Callable[[], Node]) -> Node:
        first = operand()
        rest: list[tuple[str, Node]] = []
        while operator := self._take(*operators):
            rest.append((operator, operand()))
        return Chain(first, tuple(rest)) if rest else first

    def _power(self) -> Node:
        operands = [self._unary()]
        while self._take("^"):
            operands.append(self._unary())
        return Powers(tuple(operands)) if len(operands) > 1 else operands[0]

    def _unary(self) -> Node:
        negative = False
        while self._take("-"):
            negative = not negative
        operand = self._postfix()
        return Negation(operand) if negative else operand

    def _postfix(self) -> Node:
        node = self._primary()
        while self._take("."):
            name = self._name()
            if self._take("("):
                node = Call(name, (node, *self._arguments()))
            elif isinstance(node, Path):
                node = Path((*node.names, name))
            else:
                raise self._error("only a field can have fields")
        return node

    def _primary(self) -> Node:
        if self._take("("):
            node = self._nested()
            if not self._take(")"):
                raise self._error("')' is expected")
            return node
        if match := self._match(_STRING):
            quote = match[0][0]
            return Literal(match[0][1:-1].replace(f"\\{quote}", quote))
        if match := self._match(_NUMBER):
            if len(match[0]) > _MAX_NUMBER:
                raise self._error("the number is too long")
            return Literal(float(match[0]) if "." in match[0] else int(match[0]))
        name = self._name()
        return Call(name, self._arguments()) if self._take("(") else Path((name,))

    def _arguments(self) -> tuple[Node, ...]:
        if self._take(")"):
            return ()
        arguments = [self._nested()]
        while self._take(","):
            arguments.append(self._nested())
        if not self._take(")"):
            raise self._error("',' or ')' is expected")
        return tuple(arguments)

    def _nested(self) -> Node:
        self._depth += 1
        if self._depth > MAX_NESTING:
            raise self._error(f"more than {MAX_NESTING} brackets stand inside each other")
        node = self._sum()
        self._depth -= 1
        return node

    def _name(self) -> str:
        match = self._match(_NAME)
        if not match:
            raise self._error("a field, a function, a number or a string is expected")
        return match[0]

    def _take(self, *symbols: str) -> str:
        """Step over one of the symbols and return it, or return ''."""
        self._match(_SPACE)
        symbol = self.text[self.position : self.position + 1]
        if symbol not in symbols:
            return ""
        self.position += 1
        return symbol

    def _match(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        if pattern is not _SPACE:
            self._match(_SPACE)
        match = pattern.match(self.text, self.position)
        if match:
            self.position = match.end()
        return match

    def _error(self, expectation: str) -> ExpressionInvalid:
        excerpt = self.text[self.start : self.start + _EXCERPT]
        found = self.text[self.position : self.position + 1]
        where = f"at character {self.position + 1}" if found else "at its end"
        return ExpressionInvalid(f"Expression {excerpt!r} cannot be read: {expectation} {where}")
