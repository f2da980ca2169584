"""Which server a database object or a data node names."""

from __future__ import annotations

from pydantic import SecretStr

from core.errors import ParameterError, UnsupportedDatabase
from core.redaction import REDACTOR
from steps_impl.activities.objects.databases import Database, JdbcDatabase, RdsDatabase, RedshiftDatabase
from steps_impl.activities.objects.nodes import AnySqlNode
from steps_impl.activities.servers import lookup
from steps_impl.activities.servers.jdbc import JdbcAddress, parse_jdbc
from steps_impl.activities.servers.properties import driver_options, mysql_tls, pairs, without_login
from steps_impl.activities.servers.server import PORTS, Server
from stores.mysql.tls import Tls


def resolve(database: Database) -> Server:
    """Return the server of a database object; instance and cluster ids are looked up through AWS.

    Raises:
        UnsupportedDatabase: there is no driver for it.
        ParameterError: a property cannot be read, or the cluster is named neither by id nor by address.
        StoreError: AWS does not tell where it is.
    """
    if isinstance(database, RdsDatabase):
        return _looked_up(database, lookup.rds_instance(database.rds_instance_id, database.region))
    if isinstance(database, RedshiftDatabase) and database.cluster_id:
        if database.connection_string:
            raise ParameterError(f"{database.label} has clusterId and connectionString; give one of them")
        return _looked_up(database, lookup.redshift_cluster(database.cluster_id, database.region))
    if not database.connection_string:
        raise ParameterError(f"{database.label} has neither clusterId nor connectionString; give one of them")
    driver = database.jdbc_driver_class if isinstance(database, JdbcDatabase) else None
    address = parse_jdbc(database.connection_string, database.label, driver)
    if isinstance(database, RedshiftDatabase):
        address = _on_redshift(address, database.label)
    properties = address.properties | pairs(database.label, database.jdbc_properties)
    named = database.database_name or address.database
    return _server(address, named, database.username, database.password, properties, database.label)


def resolve_node(node: AnySqlNode) -> Server:
    """Return the server of an SQL data node: of its ``database``, or of its own ``connectionString`` (MySqlDataNode).

    Raises:
        ParameterError, UnsupportedDatabase, StoreError: as ``resolve``.
    """
    if node.database is not None:
        return resolve(node.database)
    if not node.connection_string:
        raise ParameterError(f"{node.label} has neither database nor connectionString; refer to a database")
    address = parse_jdbc(_full_address(node.connection_string, node.type), node.label)
    username = node.username or address.properties.get("user")
    if not username:
        raise ParameterError(f"{node.label} has a connectionString but no username; give one")
    password = node.password or SecretStr(address.properties.get("password", ""))
    return _server(address, address.database, username, password, address.properties, node.label)


def _full_address(text: str, node_type: str) -> str:
    """Return the address with its ``jdbc:``; a MySqlDataNode may leave it, and the engine, out."""
    if text.lower().startswith("jdbc:"):
        return text
    if "://" in text:
        return f"jdbc:{text}"
    return f"jdbc:mysql://{text}" if node_type == "MySqlDataNode" else text


def _looked_up(database: RdsDatabase | RedshiftDatabase, found: lookup.Found) -> Server:
    named = database.database_name or found.database
    address = JdbcAddress(found.engine, found.host, found.port, named)
    properties = pairs(database.label, database.jdbc_properties)
    return _server(address, named, database.username, database.password, properties, database.label)


def _on_redshift(address: JdbcAddress, label: str) -> JdbcAddress:
    """Take a Redshift cluster's address in Postgres' form, as the guide's examples write it."""
    if address.engine == "mysql":
        raise UnsupportedDatabase(f"{label} is a RedshiftDatabase with the address of a MySQL server; use JdbcDatabase")
    port = address.port or PORTS["redshift"]
    return JdbcAddress("redshift", address.host, port, address.database, address.properties)


def _server(
    address: JdbcAddress,
    database: str | None,
    username: str,
    password: SecretStr,
    properties: dict[str, str],
    label: str,
) -> Server:
    for secret in (password.get_secret_value(), properties.get("password"), properties.get("PWD")):
        REDACTOR.register(secret)
    plain = without_login(properties)
    return Server(
        engine=address.engine,
        host=address.host,
        port=address.port or PORTS[address.engine],
        database=database,
        username=username,
        password=password,
        options=driver_options(address.engine, properties, label),
        tls=mysql_tls(plain) if address.engine == "mysql" else Tls(),
        properties=plain,
    )
