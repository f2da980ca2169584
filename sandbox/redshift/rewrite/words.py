"""Words and functions that Postgres spells otherwise; everything else of a statement stays as it was written."""

from __future__ import annotations

import re
from typing import Final

from sandbox.redshift.cursor import quote_name, quote_text
from sandbox.redshift.rewrite.calls import DECIMALS, WHOLE_DECIMAL, call_changes
from sandbox.redshift.rewrite.grouping import groups_by_all, rewrite_group_by_all
from sandbox.redshift.rewrite.qualify import has_qualify, rewrite_qualify
from sandbox.redshift.rewrite.settings import setting_name
from sandbox.redshift.tokens import Kind, Statement, Token

#: Functions whose first argument is a bare word (``DATEADD(day, 1, t)``).
_DATE_PART_FIRST: Final = ("dateadd", "date_add", "datediff", "date_diff", "date_part", "datepart")
_RENAMED: Final = {
    "nvl": "COALESCE",
    "isnull": "COALESCE",
    "version": "redshift_version",
    "datepart": "pg_redshift.date_part",
    "date_part": "pg_redshift.date_part",
    "avg": "pg_redshift.avg",
    **{
        name: f"pg_redshift.{name}"
        for name in ("regexp_count", "regexp_instr", "regexp_replace", "regexp_substr", "to_date", "to_timestamp")
    },
    "json_serialize": "pg_redshift.json_serialize",
    "object": "pg_catalog.jsonb_build_object",
    "array": "pg_catalog.jsonb_build_array",
}
_CLASS: Final = {"pg_class": "redshift_class"}
_ATTRIBUTES: Final = {"pg_attribute": "redshift_attributes", "pg_attrdef": "redshift_attrdef"}
#: Words in questions to Postgres' catalog that only ours can answer, and what is asked in place of its own then.
_CATALOG: Final = {
    "reldiststyle": _CLASS,
    "relhasindex": _CLASS,
    "attisdistkey": _ATTRIBUTES,
    "pg_index": {"pg_index": "redshift_index", **_CLASS, **_ATTRIBUTES},
    "pg_constraint": {"pg_constraint": "redshift_constraints", "pg_depend": "redshift_depend", **_CLASS},
    "pg_get_constraintdef": {"pg_get_constraintdef": "redshift_constraintdef"},
    "pg_get_indexdef": {"pg_get_indexdef": "redshift_indexdef"},
}
_FUNCTION_ALIASES: Final = {"date_add": "dateadd", "date_diff": "datediff"}
#: ``4WHEN``, as Redshift's own drivers write it in their questions about columns.
_RUN_TOGETHER: Final = re.compile(r"(\d+)([a-df-wyzA-DF-WYZ][a-zA-Z]+)")
_CALLED_WITHOUT_BRACKETS: Final = {
    "current_user_id": "(current_user::regrole::oid::integer)",
    "sysdate": "pg_catalog.sysdate()",
}
_NAMED_AFTER: Final = ("as", ".", "table", "into", "from", "join", "update", "column", "by")


def rewrite_words(statement: Statement) -> str:
    """Return the statement for Postgres; the same text when nothing needs a change."""
    if has_qualify(statement.tokens):
        return rewrite_words(rewrite_qualify(statement))
    if groups_by_all(statement.tokens):
        return rewrite_words(rewrite_group_by_all(statement))
    words = {token.start: (token, text) for token, text in word_changes(statement.tokens)}
    return statement.replace(list((words | call_changes(statement, rewrite_words)).values()))


def word_changes(tokens: list[Token]) -> list[tuple[Token, str]]:
    """Return the tokens to replace and their new text."""
    changes: list[tuple[Token, str]] = []
    for column, relations in _CATALOG.items():
        if any(token.is_word(column) for token in tokens):
            changes += [(token, relations[token.text.lower()]) for token in tokens if token.is_word(*relations)]
    for at, token in enumerate(tokens):
        if token.kind is Kind.WORD:
            changes += _change(tokens, at, token)
        elif token.kind is Kind.NUMBER and (match := _RUN_TOGETHER.fullmatch(token.text)):
            changes.append((token, f"{match[1]} {match[2]}"))
    return changes


def _change(tokens: list[Token], at: int, token: Token) -> list[tuple[Token, str]]:
    word = token.text.lower()
    before = tokens[at - 1].text.lower() if at else ""
    if word.startswith("#"):
        return [(token, quote_name(word))]
    if word == "minus" and at + 1 < len(tokens) and (tokens[at + 1].is_word("select") or tokens[at + 1].is_sign("(")):
        return [(token, "EXCEPT")]
    if word == "delete" and at == 0 and len(tokens) > 1 and not tokens[1].is_word("from"):
        return [(token, "DELETE FROM")]
    if word == "where" and at + 2 < len(tokens) and tokens[at + 1].text == "1" and tokens[at + 2].is_word("and"):
        return [(tokens[at + 1], "true")]
    if at + 1 == len(tokens) or not tokens[at + 1].is_sign("("):
        return _bare_word(token, before, subscripted=at + 1 < len(tokens) and tokens[at + 1].is_sign("["))
    if word == "varchar" and at + 2 < len(tokens) and tokens[at + 2].is_word("max"):
        return [(tokens[at + 2], "65535")]
    return _function_changes(tokens, at, word, before)


def _bare_word(token: Token, before: str, *, subscripted: bool) -> list[tuple[Token, str]]:
    word = token.text.lower()
    if word in DECIMALS and before == "::":
        return [(token, WHOLE_DECIMAL)]
    if word == "daticulocale":  # psql 15 and 16 ask for it; the Postgres behind this front calls it otherwise
        return [(token, "datlocale")]
    if word == "array" and not subscripted:
        return [(token, quote_name(word))]  # a name like others
    if before in _NAMED_AFTER or word not in _CALLED_WITHOUT_BRACKETS:
        return []
    return [(token, _CALLED_WITHOUT_BRACKETS[word])]


def _function_changes(tokens: list[Token], at: int, word: str, before: str) -> list[tuple[Token, str]]:
    if before in ("into", "table", "exists", "function", "procedure") or (before == "." and word != "version"):
        return []
    if word == "array" and at + 2 < len(tokens) and tokens[at + 2].is_word("select"):
        return []
    changes = []
    if word in ("current_setting", "set_config") and at + 2 < len(tokens) and "'" in tokens[at + 2].text:
        return [(tokens[at + 2], quote_text(setting_name(tokens[at + 2].value)))]
    if word in _RENAMED or word in _FUNCTION_ALIASES:
        changes.append((tokens[at], _RENAMED.get(word) or _FUNCTION_ALIASES[word]))
    if word in _DATE_PART_FIRST and at + 2 < len(tokens) and tokens[at + 2].is_name:
        changes.append((tokens[at + 2], quote_text(tokens[at + 2].name)))
    return changes
