"""The databases of the configuration: reached, logged in to, and what the user may do there. Nothing is changed."""

from __future__ import annotations

from collections.abc import Iterator

from agent.doctor.finding import Finding, failed, ok, skipped, warning
from agent.doctor.patient import Patient
from core.errors import DuctrunnerError
from core.sections.databases import MySqlHost

#: What every server shows to everybody.
_MYSQL_TABLES = """
    SELECT VERSION(), COUNT(*) FROM information_schema.tables
    WHERE table_schema NOT IN ('information_schema', 'mysql', 'performance_schema', 'sys')
"""
_POSTGRES_TABLES = """
    SELECT current_setting('server_version'), count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'v', 'm') AND n.nspname NOT IN ('information_schema', 'pg_catalog')
      AND has_table_privilege(c.oid, 'SELECT')
"""
_REDSHIFT_RIGHTS = """
    SELECT version(), has_database_privilege(current_database(), 'TEMP'),
           has_database_privilege(current_database(), 'CREATE')
"""


def check_mysql(patient: Patient) -> Iterator[Finding]:
    """Try each host of the section ``mysql``."""
    if not patient.settings.mysql:
        yield skipped("mysql", "no host is configured")
    for alias, host in patient.settings.mysql.items():
        try:
            yield _mysql(alias, host)
        except DuctrunnerError as error:
            yield failed("mysql", f"{alias}: {error}")


def _mysql(alias: str, host: MySqlHost) -> Finding:
    from stores.mysql import connect

    with connect(host, retries=0) as connection:
        [(version, tables)] = connection.text_rows(_MYSQL_TABLES)
        where = f"{alias}: {connection.where}"
    return _source("mysql", where, f"version {version}", int(tables or 0))


def check_postgres(patient: Patient) -> Iterator[Finding]:
    """Try the section ``postgres``."""
    settings = patient.settings.postgres
    if settings is None:
        yield skipped("postgres", "not configured")
        return
    from stores.postgres import connect

    with connect(settings, retries=0) as connection:
        [(version, tables)] = connection.rows(_POSTGRES_TABLES)
        yield _source("postgres", connection.where, f"version {version}", int(tables))


def _source(check: str, where: str, version: str, tables: int) -> Finding:
    if tables:
        return ok(check, f"{where}: {version}, {tables} tables can be read")
    return warning(check, f"{where}: {version}, but no table can be read", "grant the user SELECT on what is extracted")


def check_redshift(patient: Patient) -> Iterator[Finding]:
    """Try the section ``redshift``."""
    settings = patient.settings.redshift
    if settings is None:
        yield skipped("redshift", "not configured")
        return
    from stores.redshift.session import connect
    from stores.sql import Statement

    with connect(settings, retries=0, timeout=10.0) as session:
        version, temporary, create = session.row(Statement(_REDSHIFT_RIGHTS, "look at the user's rights"))
        where = f"{session.where} as {settings.username}"
    if not temporary:
        advice = (
            f'steps stage in temporary tables: GRANT TEMP ON DATABASE {settings.database_name} TO "{settings.username}"'
        )
        yield failed("redshift", f"{where}: the user may not create temporary tables", advice)
        return
    schemas = "" if create else "; it cannot create schemas"
    yield ok("redshift", f"{where}: {_short(str(version))}{schemas}")


def _short(version: str) -> str:
    """Return what tells the server's kind: ``Redshift 1.0.12345``, else the beginning."""
    _, found, rest = version.partition("Redshift ")
    return f"Redshift {rest}" if found else " ".join(version.split()[:2])
