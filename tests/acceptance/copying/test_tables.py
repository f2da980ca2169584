"""Tables, schemas, statements and names: where rows are read and where they go."""

from __future__ import annotations

import secrets
from collections.abc import Iterator

import pytest

from core.errors import LoadRejected, NotFound, ParameterError
from sandbox.parts.mariadb import MariaDbPart
from sandbox.parts.postgres import PostgresPart
from tests.acceptance.copying.conftest import Copying, Database

CSV = {"type": "CSV"}
ENGINES = ("mysql", "postgres", "redshift")


@pytest.mark.parametrize("engine", ENGINES)
def test_create_table_sql_runs_when_the_table_is_not_there_and_each_run_adds_its_rows(
    copying: Copying, engine: str
) -> None:
    database = copying.databases[engine]
    table = f"made_{secrets.token_hex(4)}"
    copying.put("in.csv", b"1,x\n2,y\n")
    node = database.node(table, createTableSql=f"CREATE TABLE {table} (a INT, b VARCHAR(5));")
    for expected in ([(1, "x"), (2, "y")], [(1, "x"), (1, "x"), (2, "y"), (2, "y")]):
        copying.run(copying.s3_node("in.csv", CSV), node)
        assert database.rows(table) == expected

    with pytest.raises(NotFound, match=r"createTableSql of .* ran, but there is no table other"):
        copying.run(
            copying.s3_node("in.csv", CSV), database.node("other", createTableSql=f"CREATE TABLE {table}x (a INT)")
        )


@pytest.mark.parametrize("engine", ENGINES)
def test_columns_go_by_name_where_the_table_has_all_names_and_by_place_otherwise(copying: Copying, engine: str) -> None:
    database = copying.databases[engine]
    copying.put("in.csv", b"1,2\n")
    for names, expected in ((["B INT", "a INT"], (2, 1, None)), (["a INT", "b INT"], (1, 2, None))):
        table = database.make("a INT, b INT, c INT")
        copying.run(copying.s3_node("in.csv", {**CSV, "column": names}), database.node(table))
        assert database.rows(table) == [expected]
    table = database.make("a INT, b INT")
    copying.run(copying.s3_node("in.csv", {**CSV, "column": ["x INT", "y INT"]}), database.node(table))
    copying.run(database.node(selectQuery=f"SELECT 3 AS a, b + 1 AS total FROM {table}"), database.node(table))
    assert database.rows(table) == [(1, 2), (3, 3)]


def test_tables_of_other_schemas_and_odd_names_are_found(copying: Copying, postgres: Database, mysql: Database) -> None:
    copying.put("in.csv", b"1\n")
    source = copying.s3_node("in.csv", CSV)
    postgres.run("DROP SCHEMA IF EXISTS other CASCADE", "CREATE SCHEMA other", 'CREATE TABLE other."Odd Name" (a INT)')
    postgres.run("CREATE TABLE other.adevents (a INT)")
    copying.run(source, postgres.node("Odd Name", schemaName="other"))
    copying.run(source, postgres.node("other.adEvents"))
    assert postgres.rows('other."Odd Name"') + postgres.rows("other.adevents") == [(1,), (1,)]

    mysql.run("DROP TABLE IF EXISTS `odd name`", "CREATE TABLE `odd name` (`a ``b` INT)")
    copying.run(source, mysql.node("odd name", schemaName=mysql.address.database))
    copying.run(mysql.node("`odd name`"), copying.s3_node("out", CSV))
    assert copying.get("out") == b"1\n"
    with pytest.raises(ParameterError, match="needs a table"):
        copying.run(source, mysql.node("a.b.c"))


def test_an_insert_query_may_update_what_is_there(copying: Copying, mysql: Database, postgres: Database) -> None:
    copying.put("in.csv", b"1,x\n2,y\n1,z\n")
    for database, clause in (
        (mysql, "ON DUPLICATE KEY UPDATE b = concat(b, VALUES(b))"),
        (postgres, "ON CONFLICT (a) DO UPDATE SET b = {table}.b || excluded.b"),
    ):
        table = database.make("a INT PRIMARY KEY, b VARCHAR(9)", [(2, "old")])
        insert = f"INSERT INTO {table} (a, b) VALUES (?, ?) {clause.format(table=table)}"
        copying.run(copying.s3_node("in.csv", CSV), database.node(table, insertQuery=insert))
        assert database.rows(table) == [(1, "xz"), (2, "oldy")]


@pytest.mark.parametrize("engine", ENGINES)
def test_question_marks_in_quotes_and_comments_are_text(copying: Copying, engine: str) -> None:
    database = copying.databases[engine]
    table = database.make("a VARCHAR(20), b VARCHAR(20)")
    copying.put("in.csv", b"it's \\\\ 100%,\\n\n")
    insert = f"INSERT INTO {table} /* ? */ VALUES (concat('?', ?), coalesce(?, 'none?')) -- ?\n;"
    copying.run(copying.s3_node("in.csv", CSV), database.node(insertQuery=insert))

    assert database.rows(table) == [("?it's \\ 100%", "none?")]


@pytest.fixture
def no_local_infile(mysql_server: MariaDbPart) -> Iterator[None]:
    mysql_server.execute("SET GLOBAL local_infile = 0")
    yield
    mysql_server.execute("SET GLOBAL local_infile = 1")


@pytest.mark.usefixtures("no_local_infile")
def test_a_server_that_forbids_local_files_gets_inserts(copying: Copying, mysql: Database) -> None:
    columns = "a INT PRIMARY KEY, b VARBINARY(9), c BIT(9), d FLOAT"
    origin = mysql.make(columns)
    values = ", ".join(f"({number}, x'{number % 256:02x}5c27', {number % 512}, {number}.5)" for number in range(3000))
    mysql.run(f"INSERT INTO {origin} VALUES {values}")
    target = mysql.make(columns)
    done = copying.run(mysql.node(origin), mysql.node(target))

    assert done.rows == 3000
    assert mysql.rows(target) == mysql.rows(origin)


def test_a_select_query_keeps_its_order_and_may_have_two_columns_of_one_name(
    copying: Copying, mysql: Database, postgres: Database
) -> None:
    for database in (mysql, postgres):
        table = database.make(
            "a INT, f REAL" if database is postgres else "a INT, f FLOAT", [(1, 0.1), (3, 16777217), (2, 7)]
        )
        query = {"selectQuery": f"SELECT a, f FROM {table} ORDER BY a DESC -- newest first\n ;"}
        copying.run(database.node(**query), copying.s3_node("out", CSV))
        assert [line.split(b",")[0] for line in copying.get("out").splitlines()] == [b"3", b"2", b"1"]
        twice = {"selectQuery": f"SELECT x.a, y.a FROM {table} x JOIN {table} y ON x.a = y.a ORDER BY x.a"}
        copying.run(database.node(**twice), copying.s3_node("out", CSV))
        assert copying.get("out") == b"1,1\n2,2\n3,3\n"


def test_a_generated_column_is_left_out(copying: Copying, mysql: Database, postgres: Database) -> None:
    copying.put("in.csv", b"2,x\n")
    for database in (mysql, postgres):
        table = database.make("a INT, twice INT GENERATED ALWAYS AS (a * 2) STORED, b VARCHAR(5)")
        copying.run(copying.s3_node("in.csv", CSV), database.node(table))
        assert database.rows(table) == [(2, 4, "x")]


def test_the_older_mysql_node_brings_its_own_address(copying: Copying, mysql: Database) -> None:
    table = mysql.make("a INT", [(1,)])
    a = mysql.address
    node = {
        "id": "Old", "type": "MySqlDataNode", "table": table, "username": a.username, "*password": a.password,
        "connectionString": f"jdbc:mysql://{a.host}:{a.port}/{a.database}", "selectQuery": f"select * from {table}",
    }  # fmt: skip
    copying.run(node, copying.s3_node("out.csv", CSV))
    copying.run(copying.s3_node("out.csv", CSV), {**node, "insertQuery": f"insert into {table} (a) values (?)"})

    assert mysql.rows(table) == [(1,), (1,)]


def test_a_directory_gets_one_file_per_run_of_the_schedule_which_its_retry_replaces(
    copying: Copying, mysql: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = mysql.node(mysql.make("a INT", [(1,)]))
    copying.run(source, copying.s3_node("dir/", CSV))
    for attempt in ("2026-01-01T00:00:00_Attempt=1", "2026-01-01T00:00:00_Attempt=2", "2026-01-02T00:00:00_Attempt=1"):
        monkeypatch.setenv("DUCTRUNNER_ATTEMPT_ID", f"@CopyIt_{attempt}")
        copying.run(source, copying.s3_node("dir/", {"type": "TSV"}, compression="gzip"))

    assert copying.keys("dir/") == [
        "dir/CopyIt.csv", "dir/CopyIt_2026-01-01T00:00:00.tsv.gz", "dir/CopyIt_2026-01-02T00:00:00.tsv.gz"
    ]  # fmt: skip


@pytest.mark.parametrize("engine", ENGINES)
def test_nothing_at_all_is_copied_as_nothing(copying: Copying, engine: str) -> None:
    database = copying.databases[engine]
    table = database.make("a INT, b INT")
    copying.put("empty.csv", b"")
    assert copying.run(copying.s3_node("empty.csv", CSV), database.node(table)).rows == 0
    assert copying.run(database.node(table), copying.s3_node("out", CSV)).rows == 0
    assert (database.rows(table), copying.get("out")) == ([], b"")


def test_who_may_insert_need_not_be_allowed_to_select(
    copying: Copying, mysql: Database, postgres: Database, mysql_server: MariaDbPart, postgres_server: PostgresPart
) -> None:
    copying.put("in.csv", b"1,x\n")
    name = f"inserter_{secrets.token_hex(4)}"
    mysql_server.ensure_database(name, name)
    postgres_server.ensure_database(name, name)
    for database, part in ((mysql, mysql_server), (postgres, postgres_server)):
        table = database.make("a INT, b VARCHAR(5)")
        if database is mysql:
            part.execute(f"GRANT INSERT ON {mysql.address.database}.{table} TO '{name}'@'%'")
        else:
            postgres.run(f"GRANT INSERT ON {table} TO {name}", f"GRANT USAGE ON SCHEMA public TO {name}")
        password = part.ensure_database(name, name).password
        for more in ({}, {"insertQuery": f"INSERT INTO {table} (A, b) VALUES (?, ?)"}):
            node = database.node(table, **more)
            node["database"] |= {"username": name, "*password": password}
            copying.run(copying.s3_node("in.csv", CSV), node)
        assert database.rows(table) == [(1, "x"), (1, "x")]


def test_nodes_of_other_activities_are_refused_by_name(copying: Copying) -> None:
    node = {"id": "Other", "type": "DynamoDBDataNode", "tableName": "t"}
    with pytest.raises(ParameterError, match="as input, not DynamoDBDataNode"):
        copying.run(node, copying.s3_node("out"))
    with pytest.raises(ParameterError, match="as output, not DynamoDBDataNode"):
        copying.run(copying.s3_node("in"), node)


@pytest.fixture(params=["", "ANSI_QUOTES,NO_BACKSLASH_ESCAPES"])
def other_mode(request: pytest.FixtureRequest, mysql_server: MariaDbPart) -> Iterator[None]:
    [(former,)] = mysql_server.execute("SELECT @@GLOBAL.sql_mode")
    mysql_server.execute(f"SET GLOBAL sql_mode = '{request.param}'")
    yield
    mysql_server.execute(f"SET GLOBAL sql_mode = '{former}'")


@pytest.mark.usefixtures("other_mode")
def test_the_servers_own_mode_changes_nothing(copying: Copying, mysql: Database) -> None:
    table = mysql.make("a INT, b VARCHAR(9)")
    copying.put("in.csv", b"1,it's \\\\\n")
    copying.run(copying.s3_node("in.csv", CSV), mysql.node(table))
    insert = f"INSERT INTO {table} VALUES (?, concat(?, ''))"
    copying.run(copying.s3_node("in.csv", CSV), mysql.node(table, insertQuery=insert))
    copying.put("bad.csv", b"1,far too long for it\n")
    with pytest.raises(LoadRejected, match=r"bad\.csv, line 1, column b"):
        copying.run(copying.s3_node("bad.csv", CSV), mysql.node(table))

    assert mysql.rows(table) == [(1, "it's \\"), (1, "it's \\")]
