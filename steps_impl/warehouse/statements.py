"""SQL that replaces, adds and merges rows, as pure functions: names quoted, columns always written out.

The recipe is Redshift's "Merge examples" with what it leaves open settled: a lock before the first read, a stated
winner among duplicates, keys that are NULL.
"""

from __future__ import annotations

from collections.abc import Sequence

from steps_impl.tables.model import TableName, quote
from steps_impl.tables.render import column_list
from stores.redshift import Statement


def lock(*targets: TableName) -> Statement:
    """Return the LOCK; it has to be the first statement of the transaction (a snapshot is taken at the second).

    Several are locked by one statement in the order of their names: two transactions never wait for each other.
    """
    names = sorted(targets, key=str)
    return Statement(f"LOCK {', '.join(name.sql for name in names)}", f"lock {', '.join(map(str, names))}")


def count_rows(relation: str) -> Statement:
    """Return the query for the number of rows of a relation, given as SQL."""
    return Statement(f"SELECT COUNT(*) FROM {relation}", f"count the rows of {relation}")


def analyze(target: TableName) -> Statement:
    """Return the ANALYZE of a table."""
    return Statement(f"ANALYZE {target.sql}", f"analyze {target}")


def no_rows_of(relation: str) -> Statement:
    """Return the query whose columns are those of a relation, given as SQL; it has no rows."""
    return Statement(f"SELECT * FROM {relation} WHERE 1 = 0", "look at the columns")


def delete_all(target: TableName) -> Statement:
    """Return the DELETE of every row; never TRUNCATE, which would commit what came before it."""
    return Statement(f"DELETE FROM {target.sql}", f"delete the rows of {target}")


def insert_all(target: TableName, staging: str, columns: Sequence[str]) -> Statement:
    """Return the INSERT of every staged row."""
    names = column_list(columns)
    text = f"INSERT INTO {target.sql} ({names})\nSELECT {names} FROM {quote(staging)}"
    return Statement(text, f"insert into {target}")


def insert_missing(
    target: TableName, staging: str, columns: Sequence[str], keys: Sequence[str], *, nulls: bool = False
) -> Statement:
    """Return the INSERT of the staged rows whose key the target does not have; with ``nulls`` NULL equals NULL."""
    equal = null_safe_keys("t", "s", keys) if nulls else equal_keys("t", "s", keys)
    text = (
        f"INSERT INTO {target.sql} ({column_list(columns)})\n"
        f"SELECT {column_list(columns, 's')} FROM {quote(staging)} AS s\n"
        f"WHERE NOT EXISTS (SELECT 1 FROM {target.sql} AS t WHERE {equal})"
    )
    return Statement(text, f"insert into {target}")


def fill_from_table(staging: str, source: TableName, columns: Sequence[str]) -> Statement:
    """Return the INSERT of a warehouse table's rows into the staging table, columns by name."""
    return _fill(staging, source.sql, columns, str(source))


def fill_from_query(staging: str, query: str, columns: Sequence[str]) -> Statement:
    """Return the INSERT of a query's rows into the staging table, columns by name.

    The bracket closes on a line of its own: the query may end with a comment.
    """
    return _fill(staging, f"(\n{query}\n) AS source", columns, "the source query")


def _fill(staging: str, relation: str, columns: Sequence[str], what: str) -> Statement:
    names = column_list(columns)
    text = f"INSERT INTO {quote(staging)} ({names})\nSELECT {names} FROM {relation}"
    return Statement(text, f"stage the rows of {what}")


def profile_keys(staging: str, keys: Sequence[str]) -> Statement:
    """Return the query for (rows, distinct keys, rows with NULL in a key) of the staging table, in one pass."""
    names = column_list(keys)
    text = (
        "SELECT COALESCE(SUM(copies), 0), COUNT(*), "
        f"COALESCE(SUM(CASE WHEN {any_null('', keys)} THEN copies ELSE 0 END), 0)\n"
        f"FROM (SELECT {names}, COUNT(*) AS copies FROM {quote(staging)} GROUP BY {names}) AS grouped"
    )
    return Statement(text, "look for duplicate keys in staging")


def drop_null_keys(staging: str, keys: Sequence[str]) -> Statement:
    """Return the DELETE of staged rows with NULL in a key."""
    text = f"DELETE FROM {quote(staging)} WHERE {any_null('', keys)}"
    return Statement(text, "drop staged rows without a key")


def keep_winners(
    winners: str, staging: str, columns: Sequence[str], keys: Sequence[str], order: Sequence[str]
) -> Statement:
    """Return the INSERT of one row for each key into a second staging table: the first in ``order`` (SQL terms)."""
    names = column_list(columns)
    ranked = (
        f"SELECT {names}, ROW_NUMBER() OVER (PARTITION BY {column_list(keys)} ORDER BY {', '.join(order)}) AS {RANK}\n"
        f"  FROM {quote(staging)}"
    )
    text = f"INSERT INTO {quote(winners)} ({names})\nSELECT {names} FROM (\n  {ranked}\n) AS ranked\nWHERE {RANK} = 1"
    return Statement(text, "keep one row for each key")


#: Alias of the rank; a name that no table is expected to have.
RANK = '"ductrunner_rank"'


def delete_matching(target: TableName, staging: str, keys: Sequence[str]) -> Statement:
    """Return the DELETE of the target's rows whose key is staged; keys with NULL never match here.

    Plain equality, so that the engine can hash the keys; keys with NULL have a statement of their own.
    """
    condition = equal_keys(target.sql, "s", keys)
    text = f"DELETE FROM {target.sql} USING {quote(staging)} AS s\nWHERE {condition}"
    return Statement(text, f"delete the rows of {target} that are replaced")


def delete_matching_nulls(target: TableName, staging: str, keys: Sequence[str]) -> Statement:
    """Return the DELETE of the target's rows whose key is staged and has a NULL in it."""
    condition = null_safe_keys(target.sql, "s", keys)
    text = f"DELETE FROM {target.sql} USING {quote(staging)} AS s\nWHERE ({any_null('s', keys)}) AND {condition}"
    return Statement(text, f"delete the rows of {target} that are replaced and have NULL in their key")


def count_matches(target: TableName, staging: str, keys: Sequence[str]) -> Statement:
    """Return the query for (rows of the target, those whose key is staged): each staged key must be there once."""
    text = (
        f"SELECT COUNT(*), COUNT(s.{quote(keys[0])}) FROM {target.sql} AS t\n"
        f"LEFT JOIN {quote(staging)} AS s ON {equal_keys('t', 's', keys)}"
    )
    return Statement(text, f"check the keys of {target}")


def count_null_matches(target: TableName, staging: str, keys: Sequence[str]) -> Statement:
    """Return the query for the target's rows whose key is staged and has a NULL in it."""
    text = (
        f"SELECT COUNT(*) FROM {target.sql} AS t, {quote(staging)} AS s\n"
        f"WHERE ({any_null('s', keys)}) AND {null_safe_keys('t', 's', keys)}"
    )
    return Statement(text, f"check the keys of {target} that have NULL in them")


def equal_keys(left: str, right: str, keys: Sequence[str]) -> str:
    """Return the condition that two rows have the same key, none of it NULL."""
    return " AND ".join(f"{left}.{quote(key)} = {right}.{quote(key)}" for key in keys)


def null_safe_keys(left: str, right: str, keys: Sequence[str]) -> str:
    """Return the condition that two rows have the same key, NULL being equal to NULL."""
    parts = []
    for key in keys:
        one, other = f"{left}.{quote(key)}", f"{right}.{quote(key)}"
        parts.append(f"({one} = {other} OR ({one} IS NULL AND {other} IS NULL))")
    return " AND ".join(parts)


def any_null(qualifier: str, keys: Sequence[str]) -> str:
    """Return the condition that some part of a key is NULL."""
    prefix = f"{qualifier}." if qualifier else ""
    return " OR ".join(f"{prefix}{quote(key)} IS NULL" for key in keys)


def sampled_rows(
    target: TableName, staging: str, columns: Sequence[str], keys: Sequence[str], size: int, of: int
) -> str:
    """Return, as a relation in brackets, about ``size`` of the target's rows that were just inserted (``of`` many)."""
    chance = min(1.0, size / of) if of else 1.0
    return (
        f"(SELECT {column_list(columns, 't')} FROM {target.sql} AS t "
        f"JOIN (SELECT {column_list(keys)} FROM {quote(staging)} WHERE RANDOM() < {chance:.12f}) AS s "
        f"ON {equal_keys('t', 's', keys)}) AS sampled"
    )
