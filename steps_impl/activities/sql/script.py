"""An SQL script taken apart into statements, with the places of its arguments.

Semicolons and question marks count only outside of strings, quoted names, comments and dollar quotes, and not inside
the body of a routine (``BEGIN … END``). MySQL's client command ``DELIMITER`` is understood.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from core.errors import ParameterError
from steps_impl.activities.servers.server import Engine

_NAMES = r'"(?:[^"]|"")*"'
_DOLLARS = r"\$(?P<tag>[A-Za-z_\u0080-\uffff]?[A-Za-z0-9_\u0080-\uffff]*)\$.*?\$(?P=tag)\$"
#: Strings and names in quotes; Postgres knows backslashes only in E'', Redshift and MySQL everywhere.
_QUOTED: dict[Engine, str] = {
    "mysql": r"'(?:[^'\\]|''|\\.)*'|\"(?:[^\"\\]|\"\"|\\.)*\"|`(?:[^`]|``)*`",
    "postgres": rf"(?<!\w)[eE]'(?:[^'\\]|''|\\.)*'|'(?:[^']|'')*'|{_NAMES}|(?<![\w$]){_DOLLARS}",
    "redshift": rf"'(?:[^'\\]|''|\\.)*'|{_NAMES}|(?<![\w$]){_DOLLARS}",
}
#: MySQL's ``--`` needs a blank behind it, its ``#`` opens a comment, and ``/*!`` is part of the statement.
_COMMENTS: dict[Engine, str] = {
    "mysql": r"--(?=\s|\Z)[^\n]*|\#[^\n]*|/\*(?!!).*?\*/",
    "postgres": r"--[^\n]*|/\*(?:[^*/]|\*(?!/)|/(?!\*)|/\*.*?\*/)*\*/",
    "redshift": r"--[^\n]*|/\*(?:[^*/]|\*(?!/)|/(?!\*)|/\*.*?\*/)*\*/",
}
_TOKENS = {
    engine: re.compile(
        rf"(?P<quoted>{quoted})|(?P<comment>{_COMMENTS[engine]})|(?P<blank>\s+)"
        r"|(?P<word>[A-Za-z_][\w$]*)|(?P<mark>\?)|(?P<other>.)",
        re.DOTALL,
    )
    for engine, quoted in _QUOTED.items()
}
_DELIMITER = re.compile(r"[ \t]*delimiter[ \t]+(\S+)[ \t]*\r?(?:\n|\Z)", re.IGNORECASE)
_ROUTINE = re.compile(
    r"\s*create\s+(?:or\s+replace\s+)?(?:definer\s*=\s*\S+\s+)?(?:aggregate\s+)?"
    r"(?:procedure|function|trigger|event)\b",
    re.IGNORECASE,
)
#: ``END IF`` closes what no ``BEGIN`` or ``CASE`` has opened.
_OTHER_ENDS = frozenset({"if", "loop", "while", "repeat", "for"})


@dataclass(frozen=True)
class Piece:
    """One statement: its text in parts, between which an argument belongs; comments at its ends are left out."""

    parts: tuple[str, ...]

    @property
    def text(self) -> str:
        """The statement as it was written."""
        return "?".join(self.parts)

    @property
    def places(self) -> int:
        """How many arguments it takes."""
        return len(self.parts) - 1

    def bound(self, arguments: Sequence[str]) -> tuple[str, tuple[str, ...]]:
        """Return text and parameters for a driver that marks a place as ``%s``; as it was written without arguments."""
        if not arguments:
            return self.text, ()
        return "%s".join(part.replace("%", "%%") for part in self.parts), tuple(arguments)


def split_script(script: str, engine: Engine) -> list[Piece]:
    """Return the statements of a script; empty ones and those that are comments alone are left out."""
    return [_piece(tokens) for tokens in _statements(script, engine) if any(kind != "comment" for kind, _ in tokens)]


def without_comments(text: str, engine: Engine) -> str:
    """Return a statement in one line without its comments, for a look at its first words."""
    kept = (" " if match.lastgroup in ("comment", "blank") else match[0] for match in _TOKENS[engine].finditer(text))
    return " ".join("".join(kept).split())


def bind(pieces: Sequence[Piece], arguments: Sequence[str]) -> list[tuple[str, tuple[str, ...]]]:
    """Return text and parameters of each statement; without arguments every question mark stays as it is.

    Raises:
        ParameterError: there are more or fewer places than arguments.
    """
    if not arguments:
        return [piece.bound(()) for piece in pieces]
    places = sum(piece.places for piece in pieces)
    if places != len(arguments):
        raise ParameterError(
            f"the script has {places} places for arguments (?), and {len(arguments)} scriptArgument are given"
        )
    bound, used = [], 0
    for piece in pieces:
        bound.append(piece.bound(arguments[used : used + piece.places]))
        used += piece.places
    return bound


Token = tuple[str, str]


def _statements(script: str, engine: Engine) -> Iterator[list[Token]]:
    position, delimiter, depth = 0, ";", _Depth()
    current: list[Token] = []
    while position < len(script):
        at_line_start = position == 0 or script[position - 1] == "\n"
        command = _DELIMITER.match(script, position) if engine == "mysql" and at_line_start else None
        if command:
            delimiter, position = command[1], command.end()
        elif script.startswith(delimiter, position) and not (delimiter == ";" and depth.inside(current)):
            position += len(delimiter)
            yield _trimmed(current)
            current, depth = [], _Depth()
            continue
        else:
            match = _TOKENS[engine].match(script, position)
            assert match is not None  # the last alternative takes any character
            kind, position = str(match.lastgroup), match.end()
            current.append((kind, match[0]))
            depth.see(kind, match[0])
    yield _trimmed(current)


class _Depth:
    """How deep inside the body of a routine a statement is."""

    def __init__(self) -> None:
        self._open = 0
        self._after_end = False

    def see(self, kind: str, text: str) -> None:
        """Take in the next token."""
        if kind in ("blank", "comment"):
            return
        word = text.lower() if kind == "word" else ""
        if self._after_end:
            self._after_end = False
            if word in _OTHER_ENDS:
                self._open += 1  # it closed something that is not counted
                return
            if word == "case":
                return
        if word in ("begin", "case"):
            self._open += 1
        elif word == "end":
            self._open -= 1
            self._after_end = True

    def inside(self, tokens: Sequence[Token]) -> bool:
        """Tell whether a semicolon here is one of a routine's body."""
        return self._open > 0 and bool(_ROUTINE.match("".join(text for kind, text in tokens if kind != "comment")))


def _trimmed(tokens: list[Token]) -> list[Token]:
    nothing = ("blank", "comment")
    while tokens and tokens[0][0] in nothing:
        tokens = tokens[1:]
    while tokens and tokens[-1][0] in nothing:
        tokens = tokens[:-1]
    return tokens


def _piece(tokens: Sequence[Token]) -> Piece:
    parts = [""]
    for kind, text in tokens:
        if kind == "mark":
            parts.append("")
        else:
            parts[-1] += text
    return Piece(tuple(parts))
