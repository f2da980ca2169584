"""A script of HiveQL taken apart as far as is needed: its statements, without being taken in by texts and comments."""

from __future__ import annotations

import re

_TOKEN = re.compile(
    r"""(?P<text>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|`(?:[^`]|``)*`)|"""
    r"""(?P<comment>--[^\n]*)|(?P<end>;)|(?P<rest>[^'"`;\-]+|.)""",
    re.DOTALL,
)
_SET = re.compile(r"\s*SET\s+([\w.:-]+)\s*=\s*(.*)", re.IGNORECASE | re.DOTALL)
_VARIABLE = re.compile(r"\$\{(?:hivevar:)?([\w.-]+)\}")
_STRING = re.compile(r"""'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)\"""", re.DOTALL)
_ESCAPE = re.compile(r"\\(u[0-9A-Fa-f]{4}|.)", re.DOTALL)
_LETTERS = {"n": "\n", "r": "\r", "t": "\t", "0": "\0", "b": "\b"}


def split(script: str) -> list[str]:
    """Return the statements of a script with the blanks around them; joined by ``;`` they are the script again."""
    statements = [""]
    for token in _TOKEN.finditer(script):
        if token["end"]:
            statements.append("")
        else:
            statements[-1] += token[0]
    return statements


def without_comments(statement: str) -> str:
    """Return a statement without its comments."""
    return "".join(token[0] for token in _TOKEN.finditer(statement) if not token["comment"])


def masked(statement: str) -> str:
    """Return a statement of the same length with blanks for its comments and for what is inside of quotes."""
    return "".join(_masked(token) for token in _TOKEN.finditer(statement))


def settings(script: str) -> dict[str, str]:
    """Return what the SET statements of a script set; of several the last."""
    matches = (_SET.fullmatch(without_comments(statement)) for statement in split(script))
    return {match[1]: match[2].strip() for match in matches if match}


def substitute(text: str, values: dict[str, str]) -> str:
    """Replace ``${name}`` and ``${hivevar:name}`` by their values, where they are known."""
    return _VARIABLE.sub(lambda match: values.get(match[1], match[0]), text)


def strings(text: str) -> list[str]:
    """Return the quoted texts in a piece of HiveQL, as Hive reads them."""
    return [_unescape(match[1] if match[1] is not None else match[2]) for match in _STRING.finditer(text)]


def _masked(token: re.Match[str]) -> str:
    text = token[0]
    if token["comment"]:
        return " " * len(text)
    return f"{text[0]}{' ' * (len(text) - 2)}{text[-1]}" if token["text"] else text


def _unescape(text: str) -> str:
    """Replace escapes; two that stand for the halves of one character become it."""
    plain = _ESCAPE.sub(lambda match: _character(match[1]), text)
    return plain.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _character(escape: str) -> str:
    return chr(int(escape[1:], 16)) if len(escape) == 5 else _LETTERS.get(escape, escape)
