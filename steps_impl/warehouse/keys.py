"""Conditions that two rows have the same key."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from steps_impl.tables.model import Table, quote

#: Given the names of two relations as SQL, the condition that a row of one has the key of a row of the other.
Match = Callable[[str, str], str]

#: By the name of a type, a value in place of NULL; a flag beside it tells the two apart.
_STAND_INS = {
    **dict.fromkeys(("smallint", "integer", "bigint", "numeric", "real", "double precision"), "0"),
    **dict.fromkeys(("character", "character varying"), "''"),
    **dict.fromkeys(("date", "timestamp without time zone", "timestamp with time zone"), "'1970-01-01'"),
    **dict.fromkeys(("time without time zone", "time with time zone"), "'00:00:00'"),
    "boolean": "FALSE",
}

#: Types with a value, NaN, that SQL leaves open to be unequal to itself.
NOT_EQUAL_TO_ITSELF = frozenset({"real", "double precision"})


def plain_match(keys: Sequence[str]) -> Match:
    """Return the condition for keys that hold no NULL: plain equality, which every engine can hash or merge."""
    return lambda left, right: equal_keys(left, right, keys)


def null_safe_match(kinds: Mapping[str, str]) -> Match:
    """Return the condition in which NULL equals NULL, for the names of the keys with the names of their types.

    It is made of equalities alone where the types allow it: Redshift takes no other ones in MERGE and in the
    correlated part of ``NOT EXISTS``, and can hash them.
    """

    def condition(left: str, right: str) -> str:
        return " AND ".join(_null_safe(f"{left}.{quote(key)}", f"{right}.{quote(key)}", kinds[key]) for key in kinds)

    return condition


def kinds_of(table: Table, keys: Sequence[str]) -> dict[str, str]:
    """Return the keys of a table with the names of their types."""
    return {key: table.column(key).type.name for key in keys}


def equal_keys(left: str, right: str, keys: Sequence[str]) -> str:
    """Return the condition that two rows have the same key, none of it NULL."""
    return " AND ".join(f"{left}.{quote(key)} = {right}.{quote(key)}" for key in keys)


def any_null(qualifier: str, keys: Sequence[str]) -> str:
    """Return the condition that some part of a key is NULL."""
    prefix = f"{qualifier}." if qualifier else ""
    return " OR ".join(f"{prefix}{quote(key)} IS NULL" for key in keys)


def _null_safe(one: str, other: str, kind: str) -> str:
    if kind not in _STAND_INS:
        return f"({one} = {other} OR ({one} IS NULL AND {other} IS NULL))"
    stand_in = f"CAST({_STAND_INS[kind]} AS {kind.upper()})"
    flags = " = ".join(f"CASE WHEN {side} IS NULL THEN 1 ELSE 0 END" for side in (one, other))
    return f"COALESCE({one}, {stand_in}) = COALESCE({other}, {stand_in}) AND {flags}"
