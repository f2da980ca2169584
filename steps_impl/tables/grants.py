"""Who may do what with a new table or view, and whose it is: the configuration's ``database`` section as statements."""

from __future__ import annotations

from collections.abc import Sequence

from core.sections.creation import DatabaseSettings, Permission
from steps_impl.tables.model import TableName, quote
from stores.redshift import Statement


def access_statements(
    name: TableName, database: DatabaseSettings, former: Sequence[Permission] = ()
) -> list[Statement]:
    """Return the grants on a table or view, those it had before too, and what hands it over to its owner.

    They belong to the transaction that makes it. The owner comes last: who is not a superuser may grant until then.
    """
    statements = [_grant(name, permission) for permission in (*database.permissions, *former)]
    if database.owner:
        # ALTER TABLE is the statement for views too (Developer Guide, ALTER TABLE, OWNER TO).
        text = f"ALTER TABLE {name.sql} OWNER TO {quote(database.owner)}"
        statements.append(Statement(text, f"hand {name} over to {database.owner}"))
    return statements


def _grant(name: TableName, permission: Permission) -> Statement:
    text = f"GRANT {permission.permission} ON {name.sql} TO {_grantee(permission)}"
    return Statement(text, f"grant {permission.permission} on {name}")


def _grantee(permission: Permission) -> str:
    if permission.user:
        passed_on = permission.grant_option is not False
        return f"{quote(permission.user)} WITH GRANT OPTION" if passed_on else quote(permission.user)
    if permission.group:
        return f"GROUP {quote(permission.group)}"
    return f"ROLE {quote(permission.role)}" if permission.role else "PUBLIC"
