"""A Postgres table as it is there: what decides how rows can be put into it."""

from __future__ import annotations

from dataclasses import dataclass

from core.errors import NotFound, ParameterError
from steps_impl.activities.copying.tables import find_relation, split_name
from stores.postgres import quote_name
from stores.postgres_target import Target

_KIND = """SELECT c.oid, n.nspname, c.relname, c.relkind FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.oid = %s::regclass"""
_COLUMNS = """SELECT attname, format_type(atttypid, atttypmod), attgenerated <> '', attidentity
FROM pg_attribute WHERE attrelid = %s AND attnum > 0 AND NOT attisdropped ORDER BY attnum"""
#: Unique indexes over all rows and whole columns, that ON CONFLICT can use.
_KEYS = """SELECT i.indisprimary, array(SELECT a.attname::text FROM unnest(i.indkey[0:i.indnkeyatts - 1]) AS k(n)
JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.n)
FROM pg_index i WHERE i.indrelid = %s AND i.indisunique AND i.indisvalid AND i.indimmediate AND i.indpred IS NULL
AND i.indexprs IS NULL ORDER BY i.indisprimary DESC, i.indexrelid"""
_REFERENCING = """SELECT conrelid::regclass::text, confdeltype FROM pg_constraint
WHERE confrelid = %s AND contype = 'f' AND confdeltype IN ('c', 'n', 'd')"""
_RULES = {"c": "CASCADE", "n": "SET NULL", "d": "SET DEFAULT"}


@dataclass(frozen=True)
class Column:
    """A column; the server makes the values of ``generated`` ones."""

    name: str
    type: str
    generated: bool
    #: ``a`` (always), ``d`` (by default) or nothing.
    identity: str


@dataclass(frozen=True)
class PostgresTable:
    """A table or partitioned table."""

    oid: int
    schema: str
    name: str
    columns: tuple[Column, ...]
    primary: tuple[str, ...]
    keys: tuple[tuple[str, ...], ...]
    #: Tables whose rows a deletion here changes, and how.
    spreads: tuple[str, ...]

    @property
    def sql(self) -> str:
        """The quoted name."""
        return f"{quote_name(self.schema)}.{quote_name(self.name)}"

    def __str__(self) -> str:
        return f"{self.schema}.{self.name}"

    def column(self, name: str) -> Column:
        """Return a column by its name."""
        return next(column for column in self.columns if column.name == name)

    def is_unique(self, columns: tuple[str, ...]) -> bool:
        """Tell whether these columns, in any order, are a unique key."""
        return any(set(key) == set(columns) for key in self.keys)


def look(target: Target, table: str) -> PostgresTable:
    """Return a table as the catalogue describes it.

    Raises:
        NotFound: it is not there, or this user may not see it.
        ParameterError: it is a view or a foreign table.
    """
    schema, name = split_name(table)
    found = find_relation(schema, name, target.rows)
    if found is None:
        raise NotFound(f"{target.where} has no table {table}; create it, or check the user's grants")
    [(oid, stored_schema, stored, kind)] = target.rows(_KIND, (found,))
    if kind not in ("r", "p"):
        raise ParameterError(f"--table: {table} is a view or a foreign table; load into the table behind it")
    keys = [(primary, tuple(columns)) for primary, columns in target.rows(_KEYS, (oid,))]
    return PostgresTable(
        oid=oid,
        schema=stored_schema,
        name=stored,
        columns=tuple(Column(*row) for row in target.rows(_COLUMNS, (oid,))),
        primary=next((columns for primary, columns in keys if primary), ()),
        keys=tuple(columns for _, columns in keys),
        spreads=tuple(f"{name} (ON DELETE {_RULES[rule]})" for name, rule in target.rows(_REFERENCING, (oid,))),
    )
