"""What the front does with a statement."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from sandbox.redshift import dialect
from sandbox.redshift.copy.command import CopyCommand
from sandbox.redshift.copy.options import parse_copy
from sandbox.redshift.cursor import Cursor
from sandbox.redshift.errors import SYNTAX, SqlError
from sandbox.redshift.faults import PROCEDURE
from sandbox.redshift.rewrite import upkeep
from sandbox.redshift.rewrite.alter_table import plan_alter_table
from sandbox.redshift.rewrite.create_table import plan_create_table
from sandbox.redshift.rewrite.definition import Build, Checked, LateView
from sandbox.redshift.rewrite.merge import plan_merge
from sandbox.redshift.rewrite.select_into import as_create_table
from sandbox.redshift.rewrite.users import rewrite_grant, rewrite_user
from sandbox.redshift.rewrite.views import plan_drop_table, plan_materialized_view, plan_refresh, plan_view
from sandbox.redshift.rewrite.words import rewrite_words
from sandbox.redshift.tokens import Statement, split
from sandbox.redshift.unload.command import UnloadCommand
from sandbox.redshift.unload.options import parse_unload


@dataclass(frozen=True)
class Plain:
    """Postgres runs it, as it is or with some words replaced."""

    sql: str
    changed: bool = False


@dataclass(frozen=True)
class Begin(Plain):
    """It opens a transaction block; ``modes`` is what follows the keywords."""

    modes: str = ""


@dataclass(frozen=True)
class Finish(Plain):
    """It ends a transaction block."""

    commits: bool = False


@dataclass(frozen=True)
class Inject:
    """It lets the next commits fail (:mod:`sandbox.redshift.faults`)."""

    commits: int


@dataclass(frozen=True)
class Truncate:
    """It commits the transaction that it is part of."""

    sql: str


@dataclass(frozen=True)
class Alone:
    """It may not be part of a transaction block or of a query with several statements."""

    name: str
    plan: Plain | Build | Checked


@dataclass(frozen=True)
class Copy:
    """It loads from S3."""

    command: CopyCommand = field(repr=False)


@dataclass(frozen=True)
class Unload:
    """It writes the rows of a query, for Postgres in ``sql``, to S3."""

    command: UnloadCommand = field(repr=False)
    sql: str


Plan = Plain | Truncate | Alone | Build | Checked | LateView | Copy | Unload | Inject


def plan(statement: Statement) -> Plan:
    """Say what to do with a statement.

    Raises:
        SqlError: it is not Redshift's SQL, or the sandbox does not know it.
    """
    dialect.check(statement)
    for words, make in _PLANNERS:
        if statement.starts(*words):
            return make(statement)
    return _changed(statement, rewrite_words(statement))


def query_of(planned: Plan, statement: Statement) -> Statement | None:
    """Return the statement whose names may need Postgres to be understood."""
    if isinstance(planned, Unload):
        return planned.command.query
    if isinstance(planned, LateView):
        return split(planned.query)[0]
    return statement if isinstance(planned, (Plain, Build)) and not isinstance(planned, (Begin, Finish)) else None


def with_query(planned: Plan, change: Callable[[str], str]) -> Plan:
    """Return a plan of that kind with what Postgres runs changed."""
    if isinstance(planned, Build):
        return replace(planned, main=change(planned.main))
    if isinstance(planned, Plain):
        sql = change(planned.sql)
        return Plain(sql, changed=planned.changed or sql != planned.sql)
    if isinstance(planned, LateView):
        return replace(planned, query=change(planned.query))
    return replace(planned, sql=change(planned.sql)) if isinstance(planned, Unload) else planned


def _plan_begin(statement: Statement) -> Plan:
    tokens = statement.tokens[2 if statement.starts("start") else 1 :]
    if tokens and tokens[0].is_word("work", "transaction"):
        tokens = tokens[1:]
    return Begin(statement.text, modes=" ".join(token.text for token in tokens))


def _plan_finish(statement: Statement) -> Plan:
    return Finish(statement.text, commits=statement.tokens[0].is_word("commit", "end"))


def _plan_inject(statement: Statement) -> Plan:
    cursor = Cursor(statement)
    cursor.expect("call", PROCEDURE)
    cursor.expect_sign("(")
    commits = cursor.integer()
    cursor.expect_sign(")")
    return Inject(commits)


def _plan_truncate(statement: Statement) -> Plan:
    return Truncate(rewrite_words(statement))


def _plan_vacuum(statement: Statement) -> Plan:
    return Alone("VACUUM", Plain(upkeep.postgres_vacuum(statement), changed=True))


def _plan_view(statement: Statement) -> Plan:
    planned = plan_view(statement)
    return planned if isinstance(planned, LateView) else _changed(statement, planned)


def _plan_materialized_view(statement: Statement) -> Plan:
    return _changed(statement, plan_materialized_view(statement))


def _plan_refresh(statement: Statement) -> Plan:
    return _changed(statement, plan_refresh(statement))


def _plan_user(statement: Statement) -> Plan:
    return _changed(statement, rewrite_user(statement))


def _plan_grant(statement: Statement) -> Plan:
    return _changed(statement, rewrite_grant(statement))


def _plan_schema(statement: Statement) -> Plan:
    return _changed(statement, upkeep.postgres_schema(statement))


def _changed(statement: Statement, sql: str) -> Plain:
    return Plain(sql, changed=sql != statement.text)


def _plan_copy(statement: Statement) -> Plan:
    return Copy(parse_copy(statement))


def _plan_unload(statement: Statement) -> Plan:
    command = parse_unload(statement)
    query = plan(command.query)
    if not isinstance(query, Plain):
        raise SqlError("UNLOAD takes a SELECT query", SYNTAX)
    return Unload(command, query.sql)


def _plan_select(statement: Statement) -> Plan:
    made = as_create_table(statement)
    return _changed(statement, rewrite_words(statement)) if made is None else plan_create_table(made)


def _plan_alter_table(statement: Statement) -> Plan:
    altered = plan_alter_table(statement)
    if isinstance(altered, Checked):
        return Alone(altered.alone, altered)
    return altered if isinstance(altered, Build) else _changed(statement, altered)


def _plan_analyze(statement: Statement) -> Plan:
    return _changed(statement, upkeep.postgres_analyze(statement))


def _plan_setting(statement: Statement) -> Plan:
    return _changed(statement, upkeep.postgres_setting(statement))


_PLANNERS: tuple[tuple[tuple[str, ...], Callable[[Statement], Plan]], ...] = (
    (("begin",), _plan_begin),
    (("start", "transaction"), _plan_begin),
    (("commit",), _plan_finish),
    (("end",), _plan_finish),
    (("rollback",), _plan_finish),
    (("abort",), _plan_finish),
    (("call", PROCEDURE), _plan_inject),
    (("truncate",), _plan_truncate),
    (("vacuum",), _plan_vacuum),
    (("analyze",), _plan_analyze),
    (("analyse",), _plan_analyze),
    (("set",), _plan_setting),
    (("reset",), _plan_setting),
    (("show",), _plan_setting),
    (("create", "view"), _plan_view),
    (("create", "or", "replace", "view"), _plan_view),
    (("create", "materialized", "view"), _plan_materialized_view),
    (("refresh",), _plan_refresh),
    (("drop", "table"), plan_drop_table),
    (("create", "user"), _plan_user),
    (("alter", "user"), _plan_user),
    (("grant",), _plan_grant),
    (("revoke",), _plan_grant),
    (("create", "schema"), _plan_schema),
    (("select",), _plan_select),
    (("with",), _plan_select),
    (("merge",), plan_merge),
    (("copy",), _plan_copy),
    (("unload",), _plan_unload),
    (("create", "table"), plan_create_table),
    (("create", "temp", "table"), plan_create_table),
    (("create", "temporary", "table"), plan_create_table),
    (("create", "local", "temp", "table"), plan_create_table),
    (("create", "local", "temporary", "table"), plan_create_table),
    (("alter", "table"), _plan_alter_table),
)
