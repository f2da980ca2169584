"""SQL that replaces, adds and merges rows, as pure functions: names quoted, columns always written out.

The recipe is Redshift's "Merge examples" with what it leaves open settled: a lock before the first read, a stated
winner among duplicates, keys that are NULL.
"""

from __future__ import annotations

from collections.abc import Sequence

from steps_impl.quality.sampling import chance_of
from steps_impl.tables.model import TableName, quote
from steps_impl.tables.render import column_list
from steps_impl.warehouse.keys import Match, any_null, plain_match
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


def no_rows_of(relation: str) -> Statement:
    """Return the query whose columns are those of a relation, given as SQL; it has no rows."""
    return Statement(f"SELECT * FROM {relation} WHERE 1 = 0", "look at the columns")


def delete_all(target: TableName) -> Statement:
    """Return the DELETE of every row; never TRUNCATE, which would commit what came before it."""
    return Statement(f"DELETE FROM {target.sql}", f"delete the rows of {target}")


def insert_all(target: TableName, staging: TableName, columns: Sequence[str]) -> Statement:
    """Return the INSERT of every staged row."""
    names = column_list(columns)
    text = f"INSERT INTO {target.sql} ({names})\nSELECT {names} FROM {staging.sql}"
    return Statement(text, f"insert into {target}")


def insert_missing(
    target: TableName, staging: TableName, columns: Sequence[str], keys: Sequence[str], match: Match | None = None
) -> Statement:
    """Return the INSERT of the staged rows whose key the target does not have."""
    equal = (match or plain_match(keys))("t", "s")
    text = (
        f"INSERT INTO {target.sql} ({column_list(columns)})\n"
        f"SELECT {column_list(columns, 's')} FROM {staging.sql} AS s\n"
        f"WHERE NOT EXISTS (SELECT 1 FROM {target.sql} AS t WHERE {equal})"
    )
    return Statement(text, f"insert into {target}")


def merge_all(
    target: TableName, staging: TableName, columns: Sequence[str], keys: Sequence[str], match: Match
) -> Statement:
    """Return the MERGE of the staged rows, each key of which is staged once.

    Redshift takes a table as its source, no query (Developer Guide, MERGE). Columns that are not staged keep what
    they have in a row that is there. There has to be a column beside the key.
    """
    changed = ", ".join(f"{quote(name)} = s.{quote(name)}" for name in columns if name not in keys)
    text = (
        f"MERGE INTO {target.sql} USING {staging.sql} AS s ON {match(target.sql, 's')}\n"
        f"WHEN MATCHED THEN UPDATE SET {changed}\n"
        f"WHEN NOT MATCHED THEN INSERT ({column_list(columns)}) VALUES ({column_list(columns, 's')})"
    )
    return Statement(text, f"merge into {target}")


def fill_from_table(staging: TableName, source: TableName, columns: Sequence[str], tail: str = "") -> Statement:
    """Return the INSERT of a warehouse table's rows into the staging table, columns by name; ``tail`` as below."""
    return _fill(staging, f"{source.sql} AS source", columns, tail, str(source))


def fill_from_query(staging: TableName, query: str, columns: Sequence[str], tail: str = "") -> Statement:
    """Return the INSERT of a query's rows into the staging table, columns by name.

    The bracket closes on a line of its own: the query may end with a comment. ``tail``: what follows the source,
    from WHERE on.
    """
    return _fill(staging, f"(\n{query}\n) AS source", columns, tail, "the source query")


def _fill(staging: TableName, relation: str, columns: Sequence[str], tail: str, what: str) -> Statement:
    names = column_list(columns)
    text = f"INSERT INTO {staging.sql} ({names})\nSELECT {names} FROM {relation}" + (f"\n{tail}" if tail else "")
    return Statement(text, f"stage the rows of {what}")


def profile_keys(staging: TableName, keys: Sequence[str]) -> Statement:
    """Return the query for (rows, distinct keys, rows with NULL in a key) of the staging table, in one pass."""
    return profile_relation(staging.sql, keys)


def profile_relation(relation: str, keys: Sequence[str]) -> Statement:
    """Return the query for (rows, distinct keys, rows with NULL in a key) of a relation, given as SQL, in one pass.

    NULL counts as one key. A key of one column is counted by COUNT(DISTINCT), which takes no more than one.
    """
    if len(keys) == 1:
        key = quote(keys[0])
        distinct = f"COUNT(DISTINCT {key}) + CASE WHEN COUNT({key}) < COUNT(*) THEN 1 ELSE 0 END"
        text = f"SELECT COUNT(*), {distinct}, COUNT(*) - COUNT({key})\nFROM {relation}"
        return Statement(text, "look for duplicate keys")
    names = column_list(keys)
    text = (
        "SELECT COALESCE(SUM(copies), 0), COUNT(*), "
        f"COALESCE(SUM(CASE WHEN {any_null('', keys)} THEN copies ELSE 0 END), 0)\n"
        f"FROM (SELECT {names}, COUNT(*) AS copies FROM {relation} GROUP BY {names}) AS grouped"
    )
    return Statement(text, "look for duplicate keys")


def drop_null_keys(staging: TableName, keys: Sequence[str]) -> Statement:
    """Return the DELETE of staged rows with NULL in a key."""
    text = f"DELETE FROM {staging.sql} WHERE {any_null('', keys)}"
    return Statement(text, "drop staged rows without a key")


def keep_winners(
    winners: TableName, staging: TableName, columns: Sequence[str], keys: Sequence[str], order: Sequence[str]
) -> Statement:
    """Return the INSERT of one row for each key into a second staging table: the first in ``order`` (SQL terms)."""
    names = column_list(columns)
    ranked = (
        f"SELECT {names}, ROW_NUMBER() OVER (PARTITION BY {column_list(keys)} ORDER BY {', '.join(order)}) AS {RANK}\n"
        f"  FROM {staging.sql}"
    )
    text = f"INSERT INTO {winners.sql} ({names})\nSELECT {names} FROM (\n  {ranked}\n) AS ranked\nWHERE {RANK} = 1"
    return Statement(text, "keep one row for each key")


#: Names of what is added to a table's columns; no table is expected to have them.
RANK = '"ductrunner_rank"'
MARK = '"ductrunner_mark"'


def delete_matching(target: TableName, staging: TableName, match: Match) -> Statement:
    """Return the DELETE of the target's rows whose key is staged."""
    text = f"DELETE FROM {target.sql} USING {staging.sql} AS s\nWHERE {match(target.sql, 's')}"
    return Statement(text, f"delete the rows of {target} that are replaced")


def count_matches(target: TableName, staging: TableName, keys: Sequence[str], match: Match) -> Statement:
    """Return the query for (rows of the target, those whose key is staged): each staged key must be there once."""
    staged = f"SELECT {column_list(keys)}, 1 AS {MARK} FROM {staging.sql}"
    text = f"SELECT COUNT(*), COUNT(s.{MARK}) FROM {target.sql} AS t\nLEFT JOIN ({staged}) AS s ON {match('t', 's')}"
    return Statement(text, f"check the keys of {target}")


def sampled_rows(
    target: TableName, staging: TableName, columns: Sequence[str], keys: Sequence[str], size: int, of: int
) -> str:
    """Return, as a relation in brackets, about ``size`` of the target's rows that were just inserted (``of`` many)."""
    return (
        f"(SELECT {column_list(columns, 't')} FROM {target.sql} AS t "
        f"JOIN (SELECT {column_list(keys)} FROM {staging.sql} WHERE RANDOM() < {chance_of(size, of):.12f}) AS s "
        f"ON {plain_match(keys)('t', 's')}) AS sampled"
    )
