"""A Postgres table as it is there: what decides how rows can be put into it."""

from __future__ import annotations

from dataclasses import dataclass

from core.errors import NotFound, ParameterError
from steps_impl.activities.copying.relations import find_relation, split_name
from steps_impl.load.products.table import ProductTable
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
class PostgresTable(ProductTable):
    """A table or partitioned table."""

    columns: tuple[Column, ...]

    @property
    def sql(self) -> str:
        """The quoted name."""
        return f"{quote_name(self.schema)}.{quote_name(self.name)}"

    @property
    def documents(self) -> frozenset[str]:
        """The columns that hold JSON."""
        return frozenset(column.name for column in self.columns if column.type in ("json", "jsonb"))

    def column(self, name: str) -> Column:
        """Return a column by its name."""
        return next(column for column in self.columns if column.name == name)


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
    columns = tuple(Column(*row) for row in target.rows(_COLUMNS, (oid,)))
    return PostgresTable(
        schema=stored_schema,
        name=stored,
        columns=columns,
        writable=tuple(column.name for column in columns if not column.generated),
        made=tuple(column.name for column in columns if column.generated),
        primary=next((columns for primary, columns in keys if primary), ()),
        unique=tuple(columns for _, columns in keys),
        spreads=tuple(f"{name} (ON DELETE {_RULES[rule]})" for name, rule in target.rows(_REFERENCING, (oid,))),
    )


def keep_writers_out(target: Target, table: PostgresTable) -> None:
    """Let others read the table and not change it until the transaction ends."""
    target.execute(f"LOCK TABLE {table.sql} IN SHARE ROW EXCLUSIVE MODE", "lock the table")
