"""Apache Cassandra 5.0, one node, its jars from Maven; started only where it is asked for (half a GB of memory).

Its ways into the JVM that Java 17 closes are those of Cassandra's own ``conf/jvm17-server.options``.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

import yaml

from core.extras import optional
from sandbox import ports
from sandbox.engines.cassandra import CassandraJars, java
from sandbox.files import kept_password, write_private
from sandbox.parts.database import DatabaseAddress
from sandbox.parts.part import Part

_ADMINISTRATOR = "sandbox"
#: Whom a new server knows: user and password.
_FIRST = "cassandra"
_EXPORTS = (
    *("java.base/jdk.internal.misc", "java.base/java.lang.ref", "java.base/sun.nio.ch", "java.sql/java.sql"),
    *("java.management.rmi/com.sun.jmx.remote.internal.rmi", "java.rmi/sun.rmi.registry", "java.rmi/sun.rmi.server"),
    *("jdk.unsupported/sun.misc", "jdk.compiler/com.sun.tools.javac.file", "jdk.attach/sun.tools.attach"),
)
_OPENS = (
    *(f"java.base/{name}" for name in ("java.io", "java.lang", "java.lang.module", "java.lang.reflect", "java.nio")),
    *(f"java.base/jdk.internal.{name}" for name in ("loader", "math", "module", "ref", "reflect", "util.jar")),
    *("java.base/java.util", "java.base/sun.nio.ch"),
    *("jdk.management/com.sun.management.internal", "jdk.compiler/com.sun.tools.javac"),
)
_JAVA = ("-Xms128M", "-Xmx512M", "-Xss512k", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
_PROPERTIES = (
    *("jdk.attach.allowAttachSelf=true", "io.netty.tryReflectionSetAccessible=true", "java.security.manager=allow"),
    # One node waits for nobody.
    *("cassandra.skip_wait_for_gossip_to_settle=0", "cassandra.ring_delay_ms=0"),
    *("cassandra.superuser_setup_delay_ms=0", "cassandra.native.epoll.enabled=false", "cassandra-foreground=yes"),
)
#: What reads a key and its certificate as PEM, not as a Java keystore.
_PEM = {"class_name": "org.apache.cassandra.security.PEMBasedSslContextFactory"}
_LOGGING = """<configuration><appender name="OUT" class="ch.qos.logback.core.ConsoleAppender"><encoder>
<pattern>%-5level %date{ISO8601} %logger{0} %msg%n</pattern></encoder></appender>
<root level="INFO"><appender-ref ref="OUT"/></root></configuration>
"""


class CassandraPart(Part):
    """One Cassandra node with passwords and rights; nobody gets in without a password."""

    name: ClassVar[str] = "cassandra"
    title: ClassVar[str] = "Cassandra"
    start_timeout: ClassVar[float] = 180.0

    def program(self) -> Path:
        """Return Java, if Cassandra's jars are here."""
        CassandraJars.of_machine().folder()
        return java()

    @property
    def authority(self) -> Path:
        """The certificate that clients trust which want TLS; those that do not come in without."""
        return self.directory / "ca.crt"

    def prepare(self) -> None:
        """Write the configuration, and make the certificates for TLS, unless they are there."""
        from sandbox.certificates import issue_into

        certificate = self.directory / "server.pem"
        issue_into(self.authority, certificate)
        encryption = {"enabled": True, "optional": True, "keystore": str(certificate), "ssl_context_factory": _PEM}
        network = {"listen_address": ports.HOST, "rpc_address": ports.HOST, "start_native_transport": True}
        rights = {"authenticator": "PasswordAuthenticator", "authorizer": "CassandraAuthorizer"}
        seed = {"class_name": "org.apache.cassandra.locator.SimpleSeedProvider", "parameters": [{"seeds": ports.HOST}]}
        place = {"num_tokens": 4, "partitioner": "org.apache.cassandra.dht.Murmur3Partitioner"}
        log = {"commitlog_sync": "periodic", "commitlog_sync_period": "1000ms", "commitlog_segment_size": "8MiB"}
        small = {"memtable_heap_space": "128MiB", "memtable_offheap_space": "64MiB", "commitlog_total_space": "64MiB"}
        caches = {"key_cache_size": "8MiB", "file_cache_size": "32MiB", "networking_cache_size": "32MiB"}
        document = {
            "cluster_name": "sandbox",
            "endpoint_snitch": "SimpleSnitch",
            "seed_provider": [seed],
            "auto_snapshot": False,
            "hinted_handoff_enabled": False,
            "client_encryption_options": encryption,
            **{key: value for part in (network, rights, place, log, small, caches) for key, value in part.items()},
        }
        write_private(self.directory / "cassandra.yaml", yaml.safe_dump(document))
        write_private(self.directory / "logback.xml", _LOGGING)
        if not self._storage_port.exists():
            write_private(self._storage_port, str(ports.choose(None)))

    def command(self, port: int) -> Sequence[str | Path]:
        """Return the server's command line."""
        jars = CassandraJars.of_machine().folder()
        storage = self._storage_port.read_text(encoding="utf-8") if self._storage_port.exists() else "0"
        own = {
            "cassandra.config": (self.directory / "cassandra.yaml").as_uri(),
            "cassandra.storagedir": self.directory / "data",
            "cassandra.native_transport_port": port,
            "cassandra.storage_port": storage,
            "logback.configurationFile": (self.directory / "logback.xml").as_uri(),
            "java.io.tmpdir": self.directory,
        }
        properties = [*_PROPERTIES, *(f"{name}={value}" for name, value in own.items())]
        ways = [f"--add-exports={name}=ALL-UNNAMED" for name in _EXPORTS]
        ways += [f"--add-opens={name}=ALL-UNNAMED" for name in _OPENS]
        agent = f"-javaagent:{next(iter(sorted(jars.glob('jamm-*.jar'))))}"
        main = ["-cp", f"{jars}/*", "org.apache.cassandra.service.CassandraDaemon"]
        return [java(), *ways, *_JAVA, agent, *(f"-D{text}" for text in properties), *main]

    def is_ready(self) -> bool:
        """Say whether our user can log in; the first time, make that user and shut the known one out."""
        if not ports.is_answering(self.port):
            return False
        refused = (optional("cassandra.cluster").NoHostAvailable, optional("cassandra").RequestExecutionException)
        try:
            self.execute("SELECT key FROM system.local")
        except refused:
            return self._first_login(refused)
        return True

    @property
    def administrator(self) -> DatabaseAddress:
        """The address as a user who may do everything."""
        host, port = self.address
        file = self.directory / "administrator.password"
        return DatabaseAddress(host, port, _ADMINISTRATOR, kept_password(file), "system", file)

    def ensure_keyspace(self, keyspace: str, username: str) -> DatabaseAddress:
        """Create a keyspace and a user who may do everything in it, unless they are there; return its address."""
        file = self.directory / f"{username}.password"
        password = kept_password(file)
        replication = "{'class': 'SimpleStrategy', 'replication_factor': 1}"
        self.execute(
            f'CREATE KEYSPACE IF NOT EXISTS "{keyspace}" WITH replication = {replication}',
            f"CREATE ROLE IF NOT EXISTS \"{username}\" WITH PASSWORD = '{password}' AND LOGIN = true",
            f'GRANT ALL ON KEYSPACE "{keyspace}" TO "{username}"',
        )
        return DatabaseAddress(*self.address, username, password, keyspace, file)

    def execute(self, *statements: str) -> list[Any]:
        """Run statements as administrator and return the rows of the last."""
        admin = self.administrator
        return self._execute(admin.username, admin.password, statements)

    def _first_login(self, refused: tuple[type[Exception], ...]) -> bool:
        rights = f"PASSWORD = '{self.administrator.password}' AND LOGIN = true AND SUPERUSER = true"
        try:
            self._execute(_FIRST, _FIRST, [f"CREATE ROLE IF NOT EXISTS {_ADMINISTRATOR} WITH {rights}"])
            self.execute(f"ALTER ROLE {_FIRST} WITH SUPERUSER = false AND LOGIN = false")
        except refused:
            return False
        return True

    def _execute(self, username: str, password: str, statements: Sequence[str]) -> list[Any]:
        with self._session(username, password) as session:
            rows: list[Any] = []
            for statement in statements:
                rows = list(session.execute(statement))
            return rows

    @contextmanager
    def _session(self, username: str, password: str) -> Iterator[Any]:
        host, port = self.address
        provider = optional("cassandra.auth").PlainTextAuthProvider(username, password)
        policy = optional("cassandra.policies").WhiteListRoundRobinPolicy([host])
        profiles = {
            optional("cassandra.cluster").EXEC_PROFILE_DEFAULT: optional("cassandra.cluster").ExecutionProfile(
                load_balancing_policy=policy, request_timeout=60
            )
        }
        logging.getLogger("cassandra").addHandler(logging.NullHandler())
        cluster = optional("cassandra.cluster").Cluster(
            [host], port=port, auth_provider=provider, execution_profiles=profiles, protocol_version=4
        )
        try:
            yield cluster.connect()
        finally:
            cluster.shutdown()

    @property
    def _storage_port(self) -> Path:
        return self.directory / "storage-port"
