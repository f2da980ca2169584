"""Which statements Redshift has, and which of them the sandbox does not know.

Source: Redshift Developer Guide, "SQL commands" and "Unsupported PostgreSQL features".
"""

from __future__ import annotations

from typing import Final

from sandbox.redshift.errors import not_redshift, unknown
from sandbox.redshift.tokens import Kind, Statement, Token

_KNOWN: Final = frozenset(
    [
        "abort",
        "alter",
        "analyze",
        "analyse",
        "begin",
        "call",
        "close",
        "comment",
        "commit",
        "copy",
        "create",
        "deallocate",
        "declare",
        "delete",
        "drop",
        "end",
        "execute",
        "explain",
        "fetch",
        "grant",
        "insert",
        "lock",
        "merge",
        "prepare",
        "refresh",
        "reset",
        "revoke",
        "rollback",
        "select",
        "set",
        "show",
        "start",
        "truncate",
        "unload",
        "update",
        "vacuum",
        "with",
    ]
)
_NOT_YET: Final[dict[tuple[str, ...], str]] = {
    ("cancel",): "CANCEL",
    ("use",): "USE",
    ("analyze", "compression"): "ANALYZE COMPRESSION",
    ("create", "external"): "CREATE EXTERNAL",
    ("create", "datashare"): "CREATE DATASHARE",
    ("create", "model"): "CREATE MODEL",
    ("create", "library"): "CREATE LIBRARY",
    ("create", "masking"): "CREATE MASKING POLICY",
    ("create", "rls"): "CREATE RLS POLICY",
    ("create", "identity"): "CREATE IDENTITY PROVIDER",
    ("alter", "datashare"): "ALTER DATASHARE",
}
_POSTGRES_ONLY: Final[dict[tuple[str, ...], str]] = {
    ("create", "index"): "CREATE INDEX",
    ("create", "unique", "index"): "CREATE UNIQUE INDEX",
    ("create", "unlogged"): "CREATE UNLOGGED TABLE",
    ("create", "foreign"): "CREATE FOREIGN TABLE",
    **{
        ("create", word): f"CREATE {word.upper()}"
        for word in [
            "access",
            "aggregate",
            "cast",
            "collation",
            "conversion",
            "domain",
            "event",
            "extension",
            "language",
            "operator",
            "policy",
            "publication",
            "recursive",
            "rule",
            "sequence",
            "server",
            "statistics",
            "subscription",
            "tablespace",
            "text",
            "trigger",
            "type",
        ]
    },
    ("create", "or", "replace", "rule"): "CREATE RULE",
    ("create", "or", "replace", "trigger"): "CREATE TRIGGER",
    ("drop", "index"): "DROP INDEX",
    ("drop", "extension"): "DROP EXTENSION",
    ("drop", "sequence"): "DROP SEQUENCE",
    ("drop", "trigger"): "DROP TRIGGER",
    ("alter", "index"): "ALTER INDEX",
    ("alter", "sequence"): "ALTER SEQUENCE",
    ("alter", "type"): "ALTER TYPE",
    ("rollback", "to"): "ROLLBACK TO SAVEPOINT",
    ("rollback", "work", "to"): "ROLLBACK TO SAVEPOINT",
    ("rollback", "transaction", "to"): "ROLLBACK TO SAVEPOINT",
    **{
        (word,): word.upper()
        for word in [
            "checkpoint",
            "cluster",
            "discard",
            "do",
            "import",
            "listen",
            "load",
            "move",
            "notify",
            "reassign",
            "reindex",
            "release",
            "savepoint",
            "security",
            "table",
            "unlisten",
            "values",
        ]
    },
}
_WITH_QUERIES: Final = ("select", "with", "insert", "update", "delete", "create")
_UNKNOWN_CLAUSES: Final = (("connect", "by", "CONNECT BY"),)
#: Functions that Postgres has and Redshift has not; psql and drivers ask the catalog with some of them.
_POSTGRES_FUNCTIONS: Final = frozenset(
    [
        *("array_agg", "array_append", "array_length", "array_position", "array_remove", "array_to_string"),
        *("cardinality", "concat_ws", "date_bin", "every", "format", "gen_random_uuid", "json_agg", "json_build_array"),
        *("json_build_object", "json_each", "json_object_agg", "jsonb_agg", "jsonb_array_elements"),
        *("jsonb_build_array", "jsonb_build_object", "jsonb_each", "jsonb_object_agg", "jsonb_set", "make_date"),
        *("make_interval", "make_timestamp", "mode", "num_nulls", "regexp_matches", "regexp_split_to_array"),
        *("regexp_split_to_table", "row_to_json", "starts_with", "string_agg", "string_to_array", "to_json"),
        *("to_jsonb", "unnest", "xmlagg"),
    ]
)


def check(statement: Statement) -> None:
    """Refuse what is not Redshift's, or not known here.

    Raises:
        SqlError: with the name of what is refused.
    """
    for words, name in _NOT_YET.items():
        if statement.starts(*words):
            raise unknown(name)
    for words, name in _POSTGRES_ONLY.items():
        if statement.starts(*words):
            raise not_redshift(name)
    first = statement.tokens[0]
    if not first.is_sign("(") and first.text.lower() not in _KNOWN:
        raise unknown(f'the statement "{first.text[:40]}"')
    _check_clauses(statement)


def _check_clauses(statement: Statement) -> None:
    """Refuse clauses of Postgres inside statements that both have."""
    if statement.tokens[0].is_word("insert", "with", "update", "delete"):
        for token, following in zip(statement.tokens, statement.tokens[1:], strict=False):
            if token.is_word("on") and following.is_word("conflict"):
                raise not_redshift("ON CONFLICT")
            if token.is_word("returning"):
                raise not_redshift("RETURNING")
            if token.is_word("merge") and following.is_word("into"):
                raise not_redshift("WITH before MERGE")
    if statement.tokens[0].is_word(*_WITH_QUERIES) and not any(t.is_word("pg_catalog") for t in statement.tokens):
        for token, following in zip(statement.tokens, statement.tokens[1:], strict=False):
            _check_pair(token, following)


def _check_pair(token: Token, following: Token) -> None:
    """Refuse what two neighbouring words say: a clause that is not known here, or is Postgres' only."""
    if token.kind is not Kind.WORD:
        return
    word = token.text.lower()
    if following.is_sign("(") and word in _POSTGRES_FUNCTIONS:
        raise not_redshift(f"the function {word}")
    for first, second, name in _UNKNOWN_CLAUSES:
        if word == first and following.is_word(second):
            raise unknown(name)
    if word == "distinct" and following.is_word("on"):
        raise not_redshift("DISTINCT ON")
    if word == "filter" and following.is_sign("("):
        raise not_redshift("FILTER")
    if word == "for" and following.is_word("update", "share"):
        raise not_redshift("FOR UPDATE")
