"""Which statements Redshift has, which of them the sandbox does not know, and which Postgres spells otherwise.

Source: Redshift Developer Guide, "SQL commands" and "Unsupported PostgreSQL features".
"""

from __future__ import annotations

from typing import Final

from sandbox.redshift.cursor import Cursor, quote_name
from sandbox.redshift.errors import SqlError, not_redshift, unknown
from sandbox.redshift.rewrite.show import rewrite_show
from sandbox.redshift.rewrite.words import rewrite_words
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
_SESSION_SETTINGS: Final = frozenset(
    [
        "query_group",
        "wlm_query_slot_count",
        "enable_result_cache_for_session",
        "enable_case_sensitive_identifier",
        "analyze_threshold_percent",
        "describe_field_name_in_uppercase",
        "json_serialization_enable",
        "json_serialization_parse_nested_strings",
        "mv_enable_aqmv_for_session",
        "navigate_super_null_on_error",
        "cast_super_null_on_error",
        "spectrum_enable_pseudo_columns",
        "spectrum_query_maxerror",
        "error_on_nondeterministic_update",
        "enable_numeric_rounding",
        "enable_vacuum_boost",
        "activate_aqua",
        "max_cursor_result_set_size",
        "default_geometry_encoding",
        "stored_proc_log_min_messages",
        "use_fips_ssl",
    ]
)
_WITH_QUERIES: Final = ("select", "with", "insert", "update", "delete", "create")
_UNKNOWN_CLAUSES: Final = (
    ("ignore", "nulls", "IGNORE NULLS"),
    ("by", "all", "GROUP BY ALL"),
    ("connect", "by", "CONNECT BY"),
)
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
NAMESPACE: Final = "redshift"


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
    if following.is_sign("("):
        if word in _POSTGRES_FUNCTIONS:
            raise not_redshift(f"the function {word}")
        if word in ("pivot", "unpivot"):
            raise unknown(word.upper())
    for first, second, name in _UNKNOWN_CLAUSES:
        if word == first and following.is_word(second):
            raise unknown(name)
    if word == "distinct" and following.is_word("on"):
        raise not_redshift("DISTINCT ON")
    if word == "filter" and following.is_sign("("):
        raise not_redshift("FILTER")
    if word == "for" and following.is_word("update", "share"):
        raise not_redshift("FOR UPDATE")


def postgres_schema(statement: Statement) -> str:
    """Return CREATE SCHEMA without a quota, which nobody measures here."""
    tokens = statement.tokens
    at = next((place for place, token in enumerate(tokens) if token.is_word("quota") and place > 2), len(tokens))
    return statement.replace([(token, "") for token in tokens[at : at + 3]])


def postgres_setting(statement: Statement) -> str:
    """Return SET, RESET or SHOW with Redshift's own parameters in a namespace of their own."""
    if statement.starts("show") and (shown := rewrite_show(statement)) is not None:
        return shown
    names = [token for token in statement.tokens[1:3] if not token.is_word("session", "local")][:1]
    if not names or not names[0].is_name or names[0].name not in _SESSION_SETTINGS:
        return rewrite_words(statement)
    return statement.replace([(names[0], f"{NAMESPACE}.{names[0].name}")])


def postgres_analyze(statement: Statement) -> str:
    """Return ANALYZE without the words that choose columns by their use (Postgres analyses what is named)."""
    dropped = [
        (token, "")
        for token, other in [
            *zip(statement.tokens, statement.tokens[1:], strict=False),
            *zip(statement.tokens[1:], statement.tokens, strict=False),
        ]
        if (token.is_word("predicate", "all") and other.is_word("columns"))
        or (token.is_word("columns") and other.is_word("predicate", "all"))
    ]
    return statement.replace(dropped)


def postgres_vacuum(statement: Statement) -> str:
    """Return the VACUUM of Postgres for one of Redshift's (``VACUUM [FULL | SORT ONLY …] [t [TO n PERCENT] [BOOST]]``).

    Raises:
        SqlError: a word in it is not understood.
    """
    cursor = Cursor(statement)
    cursor.expect("vacuum")
    for words in (("full",), ("sort", "only"), ("delete", "only"), ("reindex",), ("recluster",)):
        if cursor.accept(*words):
            break
    table = cursor.qualified_name() if cursor.token and not cursor.peek("boost") else ()
    if cursor.accept("to"):
        _expect_percent(cursor)
    cursor.accept("boost")
    if cursor.token is not None:
        raise cursor.fail()
    return f"VACUUM {quote_name(*table)}" if table else "VACUUM"


def _expect_percent(cursor: Cursor) -> None:
    percent = cursor.integer()
    cursor.expect("percent")
    if not 0 <= percent <= 100:
        raise SqlError("threshold for VACUUM must be between 0 and 100")
