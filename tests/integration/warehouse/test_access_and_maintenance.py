"""Who may do what with a new table, and what is done for it after its rows are committed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg2
import pytest
import yaml

from core.errors import StoreError
from sandbox.parts.postgres import PostgresPart

TABLE = "CREATE TABLE t (id BIGINT NOT NULL PRIMARY KEY, note VARCHAR(9))"
COLUMNS = ("id", "note")


@pytest.fixture
def governed(warehouse: Any, postgres_server: PostgresPart) -> Iterator[Any]:
    """The warehouse with a group, a user and an owner, and a configuration that names them."""
    a = postgres_server.superuser
    link = psycopg2.connect(**a.postgres_login)
    link.autocommit = True
    names = ("tables_user", "tables_group", "tables_owner")
    with link.cursor() as cursor:
        for name in names:
            cursor.execute(f"CREATE ROLE {name}")
        cursor.execute(f"GRANT tables_owner TO {warehouse.address.username}")
    document = yaml.safe_load(warehouse.config.read_text())
    document["database"] = {
        "owner": "tables_owner",
        "permissions": [
            {"user": "tables_user", "permission": "SELECT"},
            {"group": "tables_group", "permission": "SELECT, INSERT"},
            {"public": True, "permission": "SELECT"},
        ],
    }
    warehouse.config.write_text(yaml.safe_dump(document))
    warehouse.rows("GRANT CREATE ON SCHEMA public TO tables_owner")
    yield warehouse
    warehouse.rows("DROP TABLE IF EXISTS t")
    warehouse.rows("REVOKE CREATE ON SCHEMA public FROM tables_owner")
    with link.cursor() as cursor:
        for name in names:
            cursor.execute(f"DROP ROLE {name}")
    link.close()


def put(warehouse: Any, *rows: list[str | None]) -> str:
    return str(warehouse.put_extract("in", COLUMNS, list(rows)))


def test_a_new_table_has_its_grants_and_its_owner_from_the_first_moment(governed: Any) -> None:
    governed.run("create-load-redshift", table_definition=TABLE, input=[put(governed, ["1", "a"])])
    granted = governed.rows(
        "SELECT grantee, privilege_type, is_grantable FROM information_schema.role_table_grants "
        "WHERE table_name = 't' AND grantee IN ('tables_user', 'tables_group', 'PUBLIC') ORDER BY 1, 2"
    )
    assert granted == [
        ("PUBLIC", "SELECT", "NO"),
        ("tables_group", "INSERT", "NO"),
        ("tables_group", "SELECT", "NO"),
        ("tables_user", "SELECT", "YES"),
    ]
    assert governed.rows("SELECT tableowner FROM pg_tables WHERE tablename = 't'") == [("tables_owner",)]
    governed.run("upsert", table_definition=TABLE, input=[put(governed, ["2", "b"])])
    assert governed.rows("SELECT COUNT(*) FROM t") == [(2,)]


def test_a_grant_that_is_refused_leaves_no_table(governed: Any) -> None:
    document = yaml.safe_load(governed.config.read_text())
    document["database"]["permissions"].append({"user": "nobody_of_this_name", "permission": "SELECT"})
    governed.config.write_text(yaml.safe_dump(document))
    with pytest.raises(StoreError, match="grant SELECT on t"):
        governed.run("create-load-redshift", table_definition=TABLE, input=[put(governed, ["1", "a"])])
    assert governed.rows("SELECT tablename FROM pg_tables WHERE tablename = 't'") == []


def test_vacuum_is_done_from_a_share_of_deleted_rows_on(warehouse: Any) -> None:
    given = {"table_definition": TABLE, "vacuum": "delete-only", "vacuum_from": 50}
    first = warehouse.run("create-load-redshift", **given, input=[put(warehouse, ["1", "a"], ["2", "b"])])
    assert first.details["vacuum"] == "not needed: 0.0 % of the rows were deleted"
    second = warehouse.run("create-load-redshift", **given, vacuum_boost=True, input=[put(warehouse, ["1", "x"])])
    assert (second.details["vacuum"], second.details["analyze"]) == ("done", "done")
    assert warehouse.reporter.seen[-2:] == ["vacuum", "analyze"]
    policy = {"analyze_columns": "predicate", "analyze_threshold": 0, "vacuum": "sort-only"}
    third = warehouse.run("load-redshift", table="t", input=[put(warehouse, ["5", "x"])], **policy)
    assert (third.details["vacuum"], third.details["analyze"]) == ("done", "done")
    never = warehouse.run("load-redshift", table="t", input=[put(warehouse, ["5", "x"])], analyze=False)
    assert (never.details["vacuum"], never.details["analyze"]) == ("not asked for", "not asked for")


def test_maintenance_that_is_refused_is_a_warning_of_a_step_that_is_done(warehouse: Any, capfd: Any) -> None:
    """Somebody drops the table between the commit and the VACUUM."""
    warehouse.rows(TABLE)
    warehouse.reporter.at["vacuum"] = lambda: warehouse.rows("DROP TABLE t")
    given = {"table": "t", "input": [put(warehouse, ["1", "a"])], "vacuum": "full"}
    result = warehouse.run("load-redshift", **given)
    assert result.rows == 1
    assert result.details["vacuum"].startswith("not done: ")
    assert result.details["analyze"].startswith("not done: ")
    assert "the rows of public.t are committed; vacuum was not done" in capfd.readouterr().err
