"""Users, groups, roles and their rights: words that Postgres has not (Developer Guide, CREATE USER, GRANT)."""

from __future__ import annotations

from typing import Final

from sandbox.redshift.errors import unknown
from sandbox.redshift.tokens import Statement, Token

_RENAMED: Final = {"createuser": "SUPERUSER", "nocreateuser": "NOSUPERUSER"}
#: Attributes of a session, with as many words behind them, that have nothing to act on here.
_DROPPED: Final = {("syslog", "access"): 1, ("session", "timeout"): 1, ("reset", "session", "timeout"): 0}


def rewrite_user(statement: Statement) -> str:
    """Return CREATE USER or ALTER USER for Postgres.

    Raises:
        SqlError: it names an identity of another system.
    """
    tokens, changes = statement.tokens, []
    for at, token in enumerate(tokens):
        if token.is_word("externalid"):
            raise unknown("users of an identity provider (EXTERNALID)")
        if token.is_word(*_RENAMED):
            changes.append((token, _RENAMED[token.text.lower()]))
        if token.is_word("disable") and tokens[at - 1].is_word("password"):
            changes.append((token, "NULL"))
        changes += _dropped(tokens, at)
    return statement.replace(changes)


def _dropped(tokens: list[Token], at: int) -> list[tuple[Token, str]]:
    for words, more in _DROPPED.items():
        found = tokens[at : at + len(words)]
        preceded = at > 0 and tokens[at - 1].is_word("reset")
        if len(found) == len(words) and all(t.is_word(w) for t, w in zip(found, words, strict=True)) and not preceded:
            return [(token, "") for token in tokens[at : at + len(words) + more]]
    return []


def rewrite_grant(statement: Statement) -> str:
    """Return GRANT or REVOKE for Postgres, where a role needs no word before its name."""
    tokens = statement.tokens
    before = [None, *tokens]
    changes = [
        (token, "")
        for token, last in zip(tokens, before, strict=False)
        if token.is_word("role")
        and last is not None
        and (last.is_word("to", "from", "grant", "revoke") or last.is_sign(","))
    ]
    return statement.replace(changes)
