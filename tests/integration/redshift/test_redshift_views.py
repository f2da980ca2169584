"""Views that are bound late, materialized views, SHOW, and users, groups and roles with their rights."""

from __future__ import annotations

import secrets

import psycopg2
import pytest


@pytest.fixture
def name():
    """A name that nobody else has: users and groups belong to the whole server."""
    return f"n{secrets.token_hex(4)}"


@pytest.fixture
def late(run):
    """A late-binding view of the table ``t``; it goes after the test."""
    run("CREATE TABLE t (id int, s varchar(9))")
    run("INSERT INTO t VALUES (1, 'a')")
    run("CREATE VIEW late AS SELECT id FROM public.t WITH NO SCHEMA BINDING")
    yield
    run("DROP VIEW IF EXISTS late")


def test_a_late_binding_view_survives_its_table_and_finds_it_again(late, run):
    run("DROP TABLE t")
    with pytest.raises(psycopg2.Error, match=r'relation "public\.t" does not exist') as caught:
        run("SELECT * FROM late")
    assert caught.value.pgcode == "42P01"
    run("CREATE TABLE t (id varchar(9), more int)")
    run("INSERT INTO t VALUES ('again', 1)")
    assert run("SELECT * FROM late") == [("again",)]


def test_a_late_binding_view_follows_names_not_tables(late, run):
    run(
        "BEGIN; CREATE TABLE t_new (id int); INSERT INTO t_new VALUES (2);"
        "ALTER TABLE t RENAME TO t_old; ALTER TABLE t_new RENAME TO t; COMMIT"
    )
    assert run("SELECT * FROM late") == [(2,)]


def test_a_late_binding_view_may_come_before_its_table_and_is_replaced(late, run):
    with pytest.raises(psycopg2.Error, match="already exists"):
        run("CREATE VIEW late AS SELECT 1 AS x FROM public.t WITH NO SCHEMA BINDING")
    run("CREATE OR REPLACE VIEW late (k) AS SELECT x FROM public.ahead WITH NO SCHEMA BINDING")
    run("CREATE TABLE ahead (x int); INSERT INTO ahead VALUES (3)")
    assert run("SELECT k FROM late") == [(3,)]


def test_a_bound_view_keeps_its_table(run):
    run("CREATE TABLE t (id int)")
    run("CREATE VIEW bound AS SELECT id FROM t")
    with pytest.raises(psycopg2.Error, match="other objects depend on it"):
        run("DROP TABLE t")


def test_a_materialized_view_is_refreshed_when_it_is_told_to(run):
    run("CREATE TABLE t (id int)")
    run(
        "CREATE MATERIALIZED VIEW mv BACKUP NO DISTSTYLE KEY DISTKEY (n) SORTKEY (n) AUTO REFRESH NO AS"
        " SELECT NVL(COUNT(*), 0) AS n FROM t"
    )
    run("INSERT INTO t VALUES (1)")
    assert run("SELECT n FROM mv") == [(0,)]
    run("REFRESH MATERIALIZED VIEW mv RESTRICT")
    assert run("SELECT n FROM mv") == [(1,)]
    assert run("SELECT rtrim(name) FROM svv_mv_info WHERE schema_name = 'public'") == [("mv",)]
    run("DROP MATERIALIZED VIEW mv")


def test_show_table_writes_a_definition_that_makes_the_table_again(run):
    run(
        "CREATE TABLE t (id int IDENTITY(1,2) PRIMARY KEY, \"Odd name\" varchar(9) NOT NULL DEFAULT 'x' ENCODE zstd,"
        " n decimal(5,2) DISTKEY) INTERLEAVED SORTKEY (n, id)"
    )
    ((ddl,),) = run("SHOW TABLE public.t")
    described = 'SELECT "column", type, encoding, distkey, sortkey, "notnull" FROM pg_table_def WHERE tablename = \'t\''
    before = run(described)
    run("DROP TABLE t")
    run(ddl)
    assert run(described) == before
    assert run("SHOW TABLE t") == [(ddl,)]


def test_objects_are_listed(run, redshift_database):
    run("CREATE TABLE t (id int NOT NULL, s varchar(9))")
    database = redshift_database.database
    assert ("t", "TABLE") in [row[2:4] for row in run(f'SHOW TABLES FROM SCHEMA "{database}".public')]
    assert [row[3] for row in run(f'SHOW COLUMNS FROM TABLE "{database}".public.t')] == ["id", "s"]
    assert [row[3] for row in run("SHOW COLUMNS FROM TABLE public.t LIKE 's%%' LIMIT 1", None)] == ["s"]
    assert "public" in [row[1] for row in run(f'SHOW SCHEMAS FROM DATABASE "{database}"')]
    assert database in [row[0] for row in run("SHOW DATABASES")]
    mine = "schema_name = 'public' AND table_name = 't'"
    columns = run(f"SELECT data_type, is_nullable FROM svv_all_columns WHERE {mine} ORDER BY ordinal_position")
    assert columns == [("integer", "NO"), ("character varying", "YES")]
    assert run("SELECT table_type FROM svv_all_tables WHERE schema_name = 'public' AND table_name = 't'") == [
        ("TABLE",)
    ]


def test_users_groups_and_roles_get_rights(run, name):
    run("CREATE TABLE t (id int)")
    run(f"CREATE GROUP {name}_g")
    run(f"CREATE ROLE {name}_r")
    words = "NOCREATEUSER SYSLOG ACCESS RESTRICTED SESSION TIMEOUT 600"
    run(f"CREATE USER {name} PASSWORD 'Abcd1234' {words} IN GROUP {name}_g")
    run(f"GRANT SELECT, INSERT ON t TO GROUP {name}_g")
    run(f"GRANT DELETE ON t TO ROLE {name}_r")
    run(f"GRANT ROLE {name}_r TO {name}")
    granted = f"SELECT HAS_TABLE_PRIVILEGE('{name}', 't', '%s')"
    assert [run(granted % right) for right in ("select", "delete", "update")] == [[(True,)], [(True,)], [(False,)]]
    assert run(f"SELECT privilege_type FROM svv_relation_privileges WHERE identity_name = '{name}_g' ORDER BY 1") == [
        ("INSERT",),
        ("SELECT",),
    ]
    assert run(f"SELECT groname FROM pg_group WHERE groname = '{name}_g'") == [(f"{name}_g",)]
    run(f"REVOKE ROLE {name}_r FROM {name}")
    run(f"REVOKE ALL ON t FROM GROUP {name}_g")
    assert run(granted % "select") == [(False,)]
    run(f"ALTER USER {name} PASSWORD DISABLE")
    run("DROP TABLE t")
    run(f"DROP USER {name}")
    run(f"DROP GROUP {name}_g")
    run(f"DROP ROLE {name}_r")
