"""The statements of a load and an unload, as pure functions."""

from __future__ import annotations

from collections.abc import Sequence

from steps_impl.activities.redshift_copy.target import Target
from steps_impl.queries import bare_query
from steps_impl.tables.model import TableName, literal, quote
from steps_impl.tables.render import column_list
from stores.redshift import Statement

#: What ``transformSql`` reads from (Developer Guide, *RedshiftCopyActivity*).
STAGING = TableName("staging")


def create_staging(target: Target, name: TableName = STAGING) -> list[Statement]:
    """Return what makes a temporary table with the columns of another that take values."""
    doing = f"create the staging table for {target.name}"
    text = f"CREATE TEMPORARY TABLE {name.sql} (LIKE {target.sql} INCLUDING DEFAULTS)"
    dropped = [f"ALTER TABLE {name.sql} DROP COLUMN {quote(column)}" for column in target.identities]
    return [Statement(line, doing) for line in (text, *dropped)]


def copy(source: str, authorization: str, parameters: Sequence[str], columns: Sequence[str] = ()) -> Statement:
    """Return the COPY into the staging table, or into these columns of it.

    Encodings and statistics of a table that is dropped soon are not worth a look, unless the parameters say so.
    """
    stated = " ".join(parameters).upper()
    policies = [f"{word} OFF" for word in ("COMPUPDATE", "STATUPDATE") if word not in stated]
    into = f"{STAGING.sql} ({column_list(columns)})" if columns else STAGING.sql
    lines = [f"COPY {into}", f"FROM {literal(source)}", authorization, *filter(None, parameters), *policies]
    return Statement("\n".join(lines), f"load {source}")


def unload(query: str, target: str, authorization: str, parameters: Sequence[str]) -> Statement:
    """Return the UNLOAD of a query; quotes in it are doubled."""
    lines = [f"UNLOAD ({literal(query)})", f"TO {literal(target)}", authorization, *filter(None, parameters)]
    return Statement("\n".join(lines), f"unload to {target}")


def transform(sql: str, into: TableName, columns: Sequence[str]) -> Statement:
    """Return what fills the second staging table with the rows of ``transformSql``."""
    text = f"INSERT INTO {into.sql} ({column_list(columns)})\n{bare_query(sql, 'postgres')}"
    return Statement(text, "run transformSql")


def transformed_names(sql: str) -> Statement:
    """Return the query whose columns are those of ``transformSql``; it has no rows."""
    return Statement(
        f"SELECT * FROM (\n{bare_query(sql, 'postgres')}\n) AS transformed WHERE 1 = 0", "read transformSql"
    )


def create_staging_of(columns: Sequence[tuple[str, str]], source: Target) -> Statement:
    """Return what makes the staging table for the rows of a table of another cluster: names, and types as DDL."""
    body = ", ".join(f"{quote(name)} {kind}" for name, kind in columns)
    return Statement(f"CREATE TEMPORARY TABLE {STAGING.sql} ({body})", f"create the staging table for {source.name}")


def fill(source: Target, columns: Sequence[str]) -> Statement:
    """Return what fills the staging table from another table of the warehouse, columns by name."""
    names = column_list(columns)
    text = f"INSERT INTO {STAGING.sql} ({names})\nSELECT {names} FROM {source.sql}"
    return Statement(text, f"copy the rows of {source.name}")


#: Types whose values hold neither quotes nor commas, as ``svv_columns`` calls them.
_PLAIN = frozenset(
    {"smallint", "integer", "bigint", "numeric", "real", "double precision", "boolean", "date"}
    | {"timestamp without time zone", "timestamp with time zone", "time without time zone", "time with time zone"}
)
_TEXT = frozenset({"character varying", "character"})


def as_quoted_csv(source: Target) -> str | None:
    r"""Return the query whose rows, unloaded with commas between, are CSV with every text in quotes.

    So is a CSV that anybody reads the same: CopyActivity and Hive take a backslash outside of quotes for an escape, and
    UNLOAD's own CSV leaves a text without commas bare. ``None`` when a column is neither text nor plain.
    """
    expressions = []
    for column, kind in zip(source.columns, source.types, strict=True):
        name = quote(column)
        if kind in _TEXT:
            expressions.append(f"'\"' || REPLACE({name}, '\"', '\"\"') || '\"'")
        elif kind in _PLAIN:
            expressions.append(name)
        else:
            return None
    return f"SELECT {', '.join(expressions)} FROM {source.sql}"


def everything(source: Target, columns: Sequence[str] = ()) -> str:
    """Return the query for all rows of a table, and all or some of its columns."""
    return f"SELECT {column_list(columns or source.columns)} FROM {source.sql}"
