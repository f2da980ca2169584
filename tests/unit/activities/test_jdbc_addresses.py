"""JDBC addresses and properties, read without Java."""

from __future__ import annotations

import pytest

from core.errors import ParameterError, UnsupportedDatabase
from steps_impl.activities.servers.jdbc import parse_jdbc
from steps_impl.activities.servers.properties import driver_options, mysql_tls, pairs


@pytest.mark.parametrize(
    ("text", "engine", "host", "port", "database"),
    [
        ("jdbc:mysql://db.example.com:3307/shop", "mysql", "db.example.com", 3307, "shop"),
        ("jdbc:mysql://db.example.com/shop", "mysql", "db.example.com", None, "shop"),
        ("JDBC:MySQL://db/shop", "mysql", "db", None, "shop"),
        ("jdbc:mysql://db", "mysql", "db", None, None),
        ("jdbc:mysql://db/", "mysql", "db", None, None),
        ("jdbc:mariadb://db:1/shop?a=b", "mysql", "db", 1, "shop"),
        ("jdbc:postgresql://[::1]:5433/shop", "postgres", "::1", 5433, "shop"),
        ("jdbc:postgresql:shop", "postgres", "localhost", None, "shop"),
        ("jdbc:postgresql://db/my%20shop?ssl=true", "postgres", "db", None, "my shop"),
        ("jdbc:redshift://c.x.amazonaws.com:5439/dev", "redshift", "c.x.amazonaws.com", 5439, "dev"),
        ("jdbc:redshift://c:5439/dev;ssl=true;UID=me", "redshift", "c", 5439, "dev"),
    ],
)  # fmt: skip
def test_an_address_is_read(text, engine, host, port, database):
    found = parse_jdbc(text, "Db")
    assert (found.engine, found.host, found.port, found.database) == (engine, host, port, database)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("jdbc:oracle:thin:@//db:1521/shop", "jdbc:oracle"),
        ("jdbc:oracle:thin:scott/tiger-secret@db:1521:shop", "jdbc:oracle"),
        ("jdbc:sqlserver://db:1433;databaseName=shop", "jdbc:sqlserver"),
        ("jdbc:jtds:sqlserver://db/shop", "jdbc:jtds"),
        ("mysql://db/shop", "not a JDBC address"),
        ("", "not a JDBC address"),
    ],
)
def test_another_kind_of_database_is_refused_by_name_and_class_without_its_secrets(text, named):
    with pytest.raises(UnsupportedDatabase) as refused:
        parse_jdbc(text, "Db", "com.example.Driver")
    assert named in str(refused.value)
    assert "com.example.Driver" in str(refused.value)
    assert "tiger-secret" not in str(refused.value)


def test_an_address_of_several_hosts_is_refused():
    with pytest.raises(UnsupportedDatabase, match="several hosts"):
        parse_jdbc("jdbc:mysql://a:1,b:2/shop", "Db")


def test_properties_of_the_address_are_kept():
    found = parse_jdbc("jdbc:mysql://db/shop?useSSL=true&connectTimeout=5000&password=p%26q", "Db")
    assert found.properties == {"useSSL": "true", "connectTimeout": "5000", "password": "p&q"}
    assert "p&q" not in repr(found)


def test_a_property_without_an_equals_sign_is_refused_without_showing_it():
    with pytest.raises(ParameterError, match="number 2") as refused:
        pairs("Db", ["useSSL=true", "my-secret"])
    assert "my-secret" not in str(refused.value)


@pytest.mark.parametrize(
    ("properties", "expected"),
    [
        ({"ssl": "true"}, {"sslmode": "require"}),
        ({"ssl": "true", "sslrootcert": "/ca.pem"}, {"sslmode": "verify-full", "sslrootcert": "/ca.pem"}),
        ({"ssl": "true", "sslfactory": "org.postgresql.ssl.NonValidatingFactory"}, {"sslmode": "require"}),
        ({"sslmode": "verify-ca"}, {"sslmode": "verify-ca"}),
        ({"loginTimeout": "7"}, {"connect_timeout": 7}),
        ({"currentSchema": "my schema"}, {"options": "-c search_path=my\\ schema"}),
        ({"prepareThreshold": "0", "tcpKeepAlive": "true"}, {}),
    ],
)
def test_properties_of_postgres_become_options_of_its_driver(properties, expected):
    assert driver_options("postgres", properties, "Db") == expected


@pytest.mark.parametrize(
    ("properties", "mode"),
    [
        ({}, "prefer"),
        ({"usessl": "false"}, "disable"),
        ({"usessl": "true"}, "require"),
        ({"requiressl": "true"}, "require"),
        ({"usessl": "true", "verifyservercertificate": "true"}, "verify-full"),
        ({"sslmode": "VERIFY_CA"}, "verify-ca"),
        ({"sslmode": "VERIFY_IDENTITY"}, "verify-full"),
        ({"sslmode": "DISABLED", "usessl": "true"}, "disable"),
    ],
)
def test_tls_of_mysql_is_never_left_out_silently(properties, mode):
    assert mysql_tls(properties).mode == mode


def test_times_of_mysql_are_milliseconds():
    assert driver_options("mysql", {"connectTimeout": "5000", "socketTimeout": "90000"}, "Db") == {
        "connect_timeout": 5,
        "read_timeout": 90,
    }


def test_a_property_that_is_not_known_is_told(capsys):
    assert driver_options("mysql", {"frobnicate": "yes", "useUnicode": "true"}, "Db") == {}
    told = capsys.readouterr().err
    assert "frobnicate" in told
    assert "useUnicode" not in told


def test_a_number_that_is_none_is_refused():
    with pytest.raises(ParameterError, match="loginTimeout is 'soon'"):
        driver_options("redshift", {"loginTimeout": "soon"}, "Db")
