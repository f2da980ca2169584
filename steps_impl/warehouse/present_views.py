"""Views of the warehouse as they are there: their kind, their columns, their grants, and what reads from them."""

from __future__ import annotations

from typing import Any, Literal

from core.errors import SchemaMismatch
from core.sections.creation import PRIVILEGES, Permission
from steps_impl.tables.model import TableName, View
from steps_impl.warehouse.statements import no_rows_of
from stores.redshift import Session, Statement

_RELATION = """SELECT c.relkind, COALESCE(v.definition, '') FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_views v ON v.schemaname = n.nspname AND v.viewname = c.relname
WHERE n.nspname = {schema} AND c.relname = %s AND c.relkind IN ('r', 'v')"""
#: A view's rule depends on what the view reads, and internally ("i") on the view itself.
_DEPENDENTS = """SELECT DISTINCT vn.nspname, v.relname FROM pg_class t
JOIN pg_namespace tn ON tn.oid = t.relnamespace JOIN pg_depend reads ON reads.refobjid = t.oid
JOIN pg_depend owns ON owns.objid = reads.objid AND owns.deptype = 'i'
JOIN pg_class v ON v.oid = owns.refobjid AND v.oid <> t.oid AND v.relkind = 'v'
JOIN pg_namespace vn ON vn.oid = v.relnamespace
WHERE tn.nspname = {schema} AND t.relname = %s ORDER BY 1, 2"""
#: Who makes a view anew is its owner and needs no grant. What cannot be granted (RULE, TRIGGER) is left out.
_GRANTS = f"""SELECT identity_type, identity_name, privilege_type, admin_option FROM svv_relation_privileges
WHERE namespace_name = {{schema}} AND relation_name = %s AND identity_name <> CURRENT_USER
AND privilege_type IN ({", ".join(f"'{word}'" for word in sorted(PRIVILEGES))}) ORDER BY 1, 2, 3"""
_LATE_BINDING = "with no schema binding"

Kind = Literal["bound", "late binding"]


def kind_of(session: Session, name: TableName) -> Kind | None:
    """Return what kind of view is there; ``None`` when there is none.

    Raises:
        SchemaMismatch: it is a table.
    """
    rows = session.rows(_about(_RELATION, name, f"look for view {name}"))
    if not rows:
        return None
    [(relkind, definition)] = rows
    if relkind != "v":
        raise SchemaMismatch(f"{name} is a table, and no view; drop it, or name the view otherwise")
    return "late binding" if _LATE_BINDING in str(definition).lower() else "bound"


def dependents(session: Session, name: TableName) -> list[TableName]:
    """Return the views that read from a view; late-binding ones do not show."""
    rows = session.rows(_about(_DEPENDENTS, name, f"look for views on {name}"))
    return [TableName(str(view), str(schema)) for schema, view in rows]


def grants(session: Session, name: TableName) -> list[Permission]:
    """Return what others may do with a view.

    Redshift shows a superuser all of it, and anybody else what concerns those that he may see (Developer Guide,
    SVV_RELATION_PRIVILEGES).
    """
    rows = session.rows(_about(_GRANTS, name, f"look at the grants on {name}"))
    return [_permission(str(kind), str(grantee), str(word), bool(passed_on)) for kind, grantee, word, passed_on in rows]


def has_columns_of(session: Session, view: View) -> bool:
    """Tell whether the view that is there has the names and types of the defined one, in its order.

    Only then Redshift replaces it (Developer Guide, CREATE VIEW).
    """
    there = session.types(no_rows_of(view.name.sql))
    new = session.types(no_rows_of(f"(\n{view.query}\n) AS query"))
    names = view.columns or [name for name, _ in new]
    return there == [(name, kind) for name, (_, kind) in zip(names, new, strict=False)]


def _about(query: str, name: TableName, doing: str) -> Statement:
    text = query.format(schema="%s" if name.schema else "CURRENT_SCHEMA()")
    return Statement(text, doing, (*([name.schema] if name.schema else []), name.name))


def _permission(kind: str, grantee: str, privilege: str, passed_on: bool) -> Permission:
    to: dict[str, Any] = {"public": True} if kind == "public" else {kind: grantee}
    return Permission(permission=privilege, grant_option=passed_on if kind == "user" else None, **to)
