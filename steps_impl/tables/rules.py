"""What a definition must not contradict (Developer Guide, CREATE TABLE: parameters and limits)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from core.errors import DefinitionError
from steps_impl.tables.model import Table

_MOST_COLUMNS = 1600
_LONGEST_NAME = 127  # bytes; Redshift cuts off the rest, and no catalog finds the name again (Names and identifiers)
_MOST_SORT_COLUMNS = {"INTERLEAVED": 8}
_WHOLE_NUMBERS = frozenset({"integer", "bigint"})


def check_table(table: Table) -> None:
    """Refuse a definition that the warehouse would refuse.

    Raises:
        DefinitionError: says what is wrong and in which column.
    """
    for fault in _faults(table):
        raise DefinitionError(fault)


def _faults(table: Table) -> Iterator[str]:
    for name in (table.name.schema or "", table.name.name, *table.column_names):
        if len(name.encode()) > _LONGEST_NAME:
            yield f"a name has at most {_LONGEST_NAME} bytes: {name[:20]!r}… is longer"
    yield from _column_faults(table)
    if table.likes and (table.dist_style or table.dist_key or table.sort_style or table.sort_key):
        yield "distribution and sort keys cannot be given beside LIKE: they are those of the other table"
    for what, names in _named_columns(table):
        if not table.likes and (missing := [name for name in names if not table.has(name)]):
            yield f"{what} names {missing[0]!r}, which is not a column of the table"
        if twice := _twice(names):
            yield f"{what} names {twice[0]!r} twice"
    yield from _distribution_faults(table)
    if len(table.sort_key) > (limit := _MOST_SORT_COLUMNS.get(table.sort_style or "", 400)):
        yield f"a sort key has at most {limit} columns, not {len(table.sort_key)}"
    if table.sort_style == "AUTO" and table.sort_key:
        yield "SORTKEY AUTO and a column as SORTKEY exclude each other"


def _column_faults(table: Table) -> Iterator[str]:
    if twice := _twice(table.column_names):
        yield f"column {twice[0]!r} is defined twice"
    if len(table.columns) > _MOST_COLUMNS:
        yield f"a table has at most {_MOST_COLUMNS} columns, not {len(table.columns)}"
    identities = [column for column in table.columns if column.identity]
    if len(identities) > 1:
        yield f"only one column may be IDENTITY, not {len(identities)}"
    for column in identities:
        if column.type.name not in _WHOLE_NUMBERS:
            yield f"column {column.name!r} is IDENTITY and must be INT or BIGINT, not {column.type}"
        if column.identity and column.identity.step == 0:
            yield f"the step of IDENTITY column {column.name!r} is 0"
        if column.default is not None:
            yield f"column {column.name!r} has both IDENTITY and DEFAULT"


def _named_columns(table: Table) -> Iterator[tuple[str, tuple[str, ...]]]:
    if table.primary_key:
        yield "PRIMARY KEY", table.primary_key.columns
    for key in table.unique:
        yield "UNIQUE", key.columns
    for foreign in table.foreign_keys:
        yield "FOREIGN KEY", foreign.columns
    yield "SORTKEY", table.sort_key
    if table.dist_key:
        yield "DISTKEY", (table.dist_key,)


def _distribution_faults(table: Table) -> Iterator[str]:
    if table.dist_style == "KEY" and table.dist_key is None:
        yield "DISTSTYLE KEY needs a DISTKEY column"
    if table.dist_key is not None and table.dist_style in ("ALL", "EVEN", "AUTO"):
        yield f"DISTSTYLE {table.dist_style} and a DISTKEY column exclude each other"


def _twice(names: Iterable[str]) -> list[str]:
    return [name for name, count in Counter(names).items() if count > 1]
