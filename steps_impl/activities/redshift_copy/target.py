"""The table that is loaded: its columns, the keys by which rows are matched, how it is made when it is missing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from core.errors import CheckFailed, NotFound, ParameterError, SchemaMismatch, StatementFailed, TransactionConflict
from steps_impl.tables.catalog import primary_key
from steps_impl.tables.model import TableName, quote
from stores.redshift import Session, Statement

MergeKeys = Literal["primary", "all"]
WithoutKeys = Literal["fail", "row"]

#: An IDENTITY column takes no values; its default shows which one is (``svv_columns`` names the function).
_IDENTITY = '"identity"('
_COLUMNS = """SELECT column_name, COALESCE(column_default, ''), data_type FROM svv_columns
WHERE table_schema = %s AND table_name = %s ORDER BY ordinal_position"""
#: Sees only what is in the search path.
_PHYSICAL = """SELECT "column", distkey, sortkey FROM pg_table_def
WHERE schemaname = %s AND tablename = %s AND (distkey OR sortkey <> 0) ORDER BY distkey, ABS(sortkey)"""


@dataclass(frozen=True)
class Target:
    """A table of the warehouse as it is there."""

    name: TableName
    #: Columns that take values, in order.
    columns: tuple[str, ...]
    #: Their types, as the catalog calls them.
    types: tuple[str, ...]
    #: Columns whose values the warehouse makes.
    identities: tuple[str, ...] = ()

    @property
    def sql(self) -> str:
        """The quoted name for statements."""
        return self.name.sql

    def without(self, names: Sequence[str]) -> Target:
        """Return the table with these columns among those that the warehouse fills."""
        kept = [pair for pair in zip(self.columns, self.types, strict=True) if pair[0] not in names]
        made = (*self.identities, *(name for name in names if name in self.columns))
        return Target(self.name, tuple(name for name, _ in kept), tuple(kind for _, kind in kept), made)


def look_up(session: Session, name: TableName, *, as_source: bool = False) -> Target | None:
    """Return the table, ``as_source`` with its IDENTITY columns among the others; ``None`` when there is none."""
    where = (name.schema, name.name)
    rows = session.rows(Statement(_COLUMNS, f"look up the columns of {name}", where))
    if not rows:
        return None
    made = [str(column) for column, default, _ in rows if str(default).startswith(_IDENTITY) and not as_source]
    filled = [(str(column), str(kind)) for column, _, kind in rows if column not in made]
    return Target(name, tuple(column for column, _ in filled), tuple(kind for _, kind in filled), tuple(made))


def merge_keys(
    session: Session, target: Target, stated: Sequence[str], which: MergeKeys, without: WithoutKeys
) -> tuple[str, ...]:
    """Return the columns by which rows are matched: ``primaryKeys`` of the node, else those of the table.

    AWS's page names "the primary key, sort, and distribution keys". ``primary``: the primary key, and sort and
    distribution keys where there is none (a row whose sort key changes is still the same row); ``all``: all of them.

    Raises:
        ParameterError: a stated key is no column of the table.
        CheckFailed: the table has no key at all, and ``without`` is ``fail``.
    """
    if absent := [key for key in stated if key not in target.columns]:
        raise ParameterError(f"primaryKeys: {absent[0]!r} is not a column of {target.name} that takes values")
    found = tuple(stated) or _keys_of(session, target.name, which)
    kept = tuple(dict.fromkeys(key for key in found if key in target.columns))
    if kept:
        return kept
    if without == "row":
        return target.columns
    raise CheckFailed(
        f"{target.name} has no primary key, sort key or distribution key to match rows by; give the node primaryKeys, "
        "or set redshift_copy_activity.merge_without_keys to row"
    )


def _keys_of(session: Session, name: TableName, which: MergeKeys) -> tuple[str, ...]:
    primary = primary_key(session, name)
    if primary and which == "primary":
        return primary
    where = (name.schema, name.name)
    session.execute(Statement(f"SET search_path TO {quote(name.schema or 'public')}", "look into the schema"))
    physical = session.rows(Statement(_PHYSICAL, f"look up the keys of {name}", where))
    session.execute(Statement("RESET search_path", "look where the user looks"))
    return (*primary, *(str(row[0]) for row in physical))


def create(session: Session, elsewhere: Callable[[], Session], name: TableName, sql: str) -> Target:
    """Run ``createTableSql`` as it is inside the open transaction; ``elsewhere`` opens a session beside it.

    Names without a schema are made in the node's.

    Raises:
        TransactionConflict: somebody else has made the table meanwhile; everything is to be tried again.
        SchemaMismatch: it makes another table.
        StoreError: the warehouse refused it.
    """

    def is_there_for_others() -> bool:
        with elsewhere() as other:
            return look_up(other, name) is not None

    path = f'SET LOCAL search_path TO {quote(name.schema or "public")}, "$user", public'
    try:
        session.execute(Statement(path, "choose the schema"))
        session.execute(Statement(sql, f"create {name} (createTableSql)"))
    except TransactionConflict as error:
        if is_there_for_others():
            raise
        raise StatementFailed(f"createTableSql of {name} makes a table that is there already: {error}") from None
    session.execute(Statement("RESET search_path", "look where the user looks"))
    if is_there_for_others():
        raise TransactionConflict(f"{name} was made by somebody else at the same time")
    made = look_up(session, name)
    if made is None:
        raise SchemaMismatch(
            f"createTableSql does not create {name}: it makes another table; check its name and schema"
        )
    return made


def demand_source(session: Session, name: TableName) -> Target:
    """Return the table whose rows are read.

    Raises:
        NotFound: there is none.
    """
    found = look_up(session, name, as_source=True)
    if found is None:
        raise NotFound(f"there is no table {name} in {session.where}")
    return found
