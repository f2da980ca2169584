"""What Redshift's JDBC driver and SQLAlchemy's dialect do otherwise than psycopg2; both were tried by hand, too."""

from __future__ import annotations

import socket

import pytest

from sandbox.redshift import protocol
from sandbox.redshift.protocol import Closed, Wire


class JdbcClient:
    """Speaks as the JDBC driver does: its start-up, a password in clear text, several messages before one Sync."""

    def __init__(self, address, password):
        self._wire = Wire(socket.create_connection((address.host, address.port), timeout=30), from_server=False)
        driver = {"driver_version": "Redshift JDBC Driver 2.1.0.33", "client_encoding": "UTF8"}
        named = {"user": address.username, "database": address.database, **driver}
        self._wire.send(protocol.startup(3 << 16, named))
        assert self.read("R") == [(b"R", b"\0\0\0\3")]
        self.answers = self.ask(protocol.message(b"p", password.encode() + b"\0"))

    def ask(self, *messages):
        """Send messages; return the answers up to the next ReadyForQuery or the end."""
        self._wire.send(b"".join(messages))
        return self.read("Z")

    def read(self, last):
        """Read up to an answer of a kind."""
        answers = []
        while not answers or answers[-1][0] != last.encode():
            try:
                span = self._wire.read()
            except Closed:
                return answers
            answers += [(bytes([mark.kind]), span.payload(mark)) for mark in span.marks]
        return answers

    def close(self):
        self._wire.close()


def executing(sql):
    """The messages that run a statement, without Sync."""
    parse = protocol.message(b"P", b"\0" + sql.encode() + b"\0\0\0")
    return parse + protocol.message(b"B", b"\0" * 8) + protocol.message(b"E", b"\0" * 5)


SYNC = protocol.message(b"S")


@pytest.fixture
def jdbc(redshift_database):
    client = JdbcClient(redshift_database, redshift_database.password)
    yield client
    client.close()


def test_the_jdbc_driver_is_asked_for_the_password_itself(jdbc):
    assert jdbc.answers[0] == (b"R", b"\0\0\0\0")
    assert jdbc.answers[-1] == (b"Z", b"I")


def test_the_jdbc_driver_with_a_wrong_password_stays_out(redshift_database):
    client = JdbcClient(redshift_database, "not the password")
    [(kind, error)] = client.answers
    assert kind == b"E"
    assert "password authentication failed" in protocol.read_fields(error)["M"]
    client.close()


def test_begin_and_a_statement_of_the_fronts_own_in_one_go_are_one_transaction(jdbc, run, put):
    run("CREATE TABLE t (id int, s super)")
    address = put("data", "1|\n2|\n")
    answers = jdbc.ask(executing("BEGIN"), executing(f"COPY t FROM '{address}' IAM_ROLE default"), SYNC)
    assert [kind for kind, _ in answers if kind in (b"E", b"Z")] == [b"Z"]
    assert answers[-1] == (b"Z", b"T")
    query = "SELECT id + 1 AS a, a + 1 AS b, s.nothing FROM t"
    assert [answer for answer in jdbc.ask(executing(query), SYNC) if answer[0] == b"C"] == [(b"C", b"SELECT 2\0")]
    assert jdbc.ask(executing("ROLLBACK"), executing("BEGIN"), executing(query), SYNC)[-1] == (b"Z", b"T")
    assert run("SELECT COUNT(*) FROM t") == [(0,)]


def test_super_has_redshifts_own_type(open_connection):
    with open_connection().cursor() as cursor:
        cursor.execute("SELECT 1 AS a, JSON_PARSE('[1]') AS s, 'x' AS b, ARRAY(2) AS t")
        assert [column.type_code for column in cursor.description] == [23, 4000, 25, 4000]


def test_what_drivers_read_in_the_catalog_is_there(run):
    run("CREATE TABLE catalogued (id int ENCODE zstd, d date) DISTSTYLE KEY DISTKEY (id) SORTKEY (d)")
    columns = run(
        "SELECT c.reldiststyle, a.attname, FORMAT_ENCODING(a.attencodingtype::integer), a.attisdistkey, "
        "a.attsortkeyord "
        "FROM pg_catalog.pg_class c JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 "
        "LEFT JOIN pg_catalog.pg_attrdef ad ON ad.adrelid = c.oid AND ad.adnum = a.attnum AND ad.adsrc <> '' "
        "WHERE 1 AND c.relname = 'catalogued' ORDER BY a.attnum"
    )
    assert columns == [(1, "id", "zstd", True, 0), (1, "d", "none", False, 1)]
    named = "schemaname name, tablename name, columnname text, columntype text, columnnum int"
    assert run(f"SELECT * FROM pg_get_late_binding_view_cols() cols({named})") == []
    assert run("SELECT prooid::int FROM pg_catalog.pg_proc_info WHERE proname = 'boolin'") == [(1242,)]


@pytest.fixture
def keys(run):
    """Two tables; one refers to the other's primary key without naming its columns."""
    run("CREATE TABLE courses (id int PRIMARY KEY)")
    run('CREATE TABLE kept (a int REFERENCES courses, b char(2), "C d" int UNIQUE, PRIMARY KEY (b, a))')
    run("CREATE TABLE likewise (LIKE kept)")


def test_jdbc_and_redshift_connector_find_primary_and_foreign_keys(keys, run):
    of_index = "ct.oid = i.indrelid AND ci.oid = i.indexrelid AND a.attrelid = ci.oid AND i.indisprimary"
    primary = (
        "SELECT ct.relname AS TABLE_NAME, a.attname AS COLUMN_NAME, a.attnum AS KEY_SEQ, ci.relname AS PK_NAME "
        "FROM pg_catalog.pg_namespace n, pg_catalog.pg_class ct, pg_catalog.pg_class ci, pg_catalog.pg_attribute a, "
        f"pg_catalog.pg_index i WHERE {of_index} AND ct.relnamespace = n.oid AND n.nspname = 'public' "
        "ORDER BY table_name, pk_name, key_seq"
    )
    assert run(primary) == [
        ("courses", "id", 1, "courses_pkey"),
        ("kept", "b", 1, "kept_pkey"),
        ("kept", "a", 2, "kept_pkey"),
    ]
    foreign = (
        "SELECT pkc.relname, pka.attname, fkc.relname, fka.attname, pos.n, con.conname, pkic.relname "
        "FROM pg_catalog.pg_class pkc, pg_catalog.pg_attribute pka, pg_catalog.pg_class fkc, "
        "pg_catalog.pg_attribute fka, pg_catalog.pg_constraint con, pg_catalog.generate_series(1, 32) pos(n), "
        "pg_catalog.pg_depend dep, pg_catalog.pg_class pkic "
        "WHERE pkc.oid = pka.attrelid AND pka.attnum = con.confkey[pos.n] AND con.confrelid = pkc.oid "
        "AND fkc.oid = fka.attrelid AND fka.attnum = con.conkey[pos.n] AND con.conrelid = fkc.oid "
        "AND con.contype = 'f' AND pkic.relkind = 'i' AND con.oid = dep.objid AND pkic.oid = dep.refobjid "
        "AND dep.classid = 'pg_constraint'::regclass::oid AND dep.refclassid = 'pg_class'::regclass::oid"
    )
    assert run(foreign) == [("courses", "id", "kept", "a", 1, "kept_a_fkey", "courses_pkey")]


def test_sqlalchemy_finds_what_constraints_say(keys, run):
    found = run(
        "SELECT c.relname, t.contype, t.conkey, pg_catalog.pg_get_constraintdef(t.oid, true)::varchar(512) as condef "
        "FROM pg_catalog.pg_class c LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace "
        "JOIN pg_catalog.pg_constraint t ON t.conrelid = c.oid WHERE n.nspname !~ '^pg_' ORDER BY 1, 2"
    )
    assert found == [
        ("courses", "p", [1], "PRIMARY KEY (id)"),
        ("kept", "f", [1], "FOREIGN KEY (a) REFERENCES courses(id)"),
        ("kept", "p", [2, 1], "PRIMARY KEY (b, a)"),
        ("kept", "u", [3], 'UNIQUE ("C d")'),
    ]


def test_psql_and_show_tell_of_keys(keys, run):
    assert run("SELECT relhasindex, relhastriggers FROM pg_class WHERE relname IN ('kept', 'likewise') ORDER BY 1") == [
        (False, False),
        (True, True),
    ]
    listed = (
        "SELECT c2.relname, pg_catalog.pg_get_indexdef(i.indexrelid, 0, true) "
        "FROM pg_catalog.pg_class c, pg_catalog.pg_class c2, pg_catalog.pg_index i LEFT JOIN pg_constraint con "
        "ON (conrelid = i.indrelid AND conindid = i.indexrelid AND contype IN ('p','u','x')) "
        "WHERE c.oid = 'kept'::regclass AND c.oid = i.indrelid AND i.indexrelid = c2.oid ORDER BY i.indisprimary DESC"
    )
    assert run(listed) == [
        ("kept_pkey", "CREATE UNIQUE INDEX kept_pkey ON kept USING btree (b, a)"),
        ("kept_C d_key", 'CREATE UNIQUE INDEX "kept_C d_key" ON kept USING btree ("C d")'),
    ]
    assert [row[3:] for row in run("SHOW CONSTRAINTS PRIMARY KEYS FROM TABLE public.kept")] == [
        ("kept_pkey", "b", 1),
        ("kept_pkey", "a", 2),
    ]
    exported = run("SHOW CONSTRAINTS FOREIGN KEYS EXPORTED FROM TABLE warehouse.public.courses LIMIT 5")
    assert exported == run("SHOW CONSTRAINTS FOREIGN KEYS FROM TABLE public.kept")
    assert exported[0][2:4] + exported[0][6:11] == ("courses", "id", "kept", "a", 1, "kept_a_fkey", "courses_pkey")
