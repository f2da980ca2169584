"""One snapshot for several connections to MySQL: all of them begin it in one moment in which nobody can write.

LOCK TABLES of the tables that are read makes the moment; unlike FLUSH TABLES WITH READ LOCK, RDS allows it. What a
query reads is found in its text and then proved: MySQL refuses a query of a session with locks that reads more.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from core.errors import AccessDenied, NotFound, ParameterError, StatementFailed
from steps_impl.extract import query
from steps_impl.queries import COMMENTS
from stores.mysql import Connection, quote_name, quote_table

#: Seconds to wait for the moment in which nobody writes; others who write wait as long.
LOCK_WAIT = 30
_NAME = r"(?:`(?:[^`]|``)+`|[^\W\d][\w$]*)"
#: Words that may stand behind a table's name and are no other name of it.
_CLAUSES = (
    "CROSS|EXCEPT|FOR|FORCE|FULL|GROUP|HAVING|IGNORE|INNER|INTERSECT|JOIN|LEFT|LIMIT|LOCK|NATURAL|ON|ORDER|PARTITION|"
    "RIGHT|STRAIGHT_JOIN|UNION|USE|USING|WHERE|WINDOW"
)
_TABLE = re.compile(
    rf"(?:\b(?:FROM|JOIN|STRAIGHT_JOIN)\b|,)[\s(]*(?P<table>{_NAME}(?:\s*\.\s*{_NAME})?)"
    rf"(?:\s+(?:AS\s+)?(?!(?:{_CLAUSES})\b)(?P<alias>{_NAME}))?",
    re.IGNORECASE,
)
#: Texts and comments, in which no table is named.
_OPAQUE = re.compile(rf"""{COMMENTS["mysql"]}|'(?:[^'\\]|''|\\.)*'|"(?:[^"\\]|""|\\.)*"|`(?:[^`]|``)*`""", re.DOTALL)


class Unshared(Exception):
    """Only one connection can read; the text says why."""


@dataclass(frozen=True)
class Reference:
    """A table as a query names it, and the other name that it has there."""

    table: str
    alias: str | None = None

    @property
    def lock(self) -> str:
        """How LOCK TABLES names it."""
        return quote_table(self.table) + (f" AS {quote_name(self.alias)}" if self.alias else "") + " READ"


def share_snapshot(locker: Connection, connections: Sequence[Connection], table: str | None, sql: str) -> None:
    """Begin the snapshots of all connections; ``locker`` is one beside them, with no transaction.

    Raises:
        ParameterError: the table's engine has no snapshots.
        AccessDenied: the user may not lock.
        TransactionConflict: others kept writing.
        Unshared: it cannot be told what the query reads, or it cannot be locked; no snapshot has begun.
    """
    if table is not None:
        _demand_transactional(locker, table)
    references = [Reference(table)] if table is not None else _references_of(locker, sql)
    locker.start_query(f"SET SESSION lock_wait_timeout = {LOCK_WAIT}")
    try:
        locker.start_query(f"LOCK TABLES {', '.join(dict.fromkeys(reference.lock for reference in references))}")
        if table is None:
            query.from_sql(locker, sql, query.Typing())
    except AccessDenied as denied:
        raise AccessDenied(f"--parallel: the user needs the right LOCK TABLES; {denied}") from None
    except (NotFound, StatementFailed):
        raise Unshared("its tables cannot all be locked; one that it names twice has to have two names") from None
    for connection in connections:
        connection.begin_snapshot()
    locker.start_query("UNLOCK TABLES")


def references_in(sql: str) -> Iterator[Reference]:
    """Yield what may be a table in a query, and what looks like one."""
    text = _OPAQUE.sub(lambda found: found[0] if found[0].startswith("`") else " ", sql)
    for found in _TABLE.finditer(text):
        alias = found["alias"]
        bare = alias[1:-1].replace("``", "`") if alias and alias.startswith("`") else alias
        yield Reference(re.sub(r"\s*\.\s*", ".", found["table"]), bare)


def _references_of(locker: Connection, sql: str) -> list[Reference]:
    """Leave out what is no table: columns, and names of the query's own."""
    engines = {name: query.engine_of(locker, name) for name in {one.table for one in references_in(sql)}}
    found = [reference for reference in references_in(sql) if engines[reference.table] is not None]
    odd = [reference.table for reference in found if engines[reference.table] not in query.TRANSACTIONAL]
    if odd:
        raise Unshared(f"{odd[0]} is no table of InnoDB")
    if not found:
        raise Unshared("it names no table")
    return found


def _demand_transactional(locker: Connection, table: str) -> None:
    if query.engine_of(locker, table) not in query.TRANSACTIONAL:
        raise ParameterError(
            f"--parallel: {table} is no table of InnoDB, so that several connections cannot see one state of it"
        )
