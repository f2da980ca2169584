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
