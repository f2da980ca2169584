"""Real TLS, a real CONNECT proxy and servers that fail as told: what stands between a worker and AWS."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import hmac
import ipaddress
import os
import socket
import ssl
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from agent.budget import Budget
from agent.sources.datapipeline import Budgets, DataPipelineSource
from agent.sources.endpoint import find_endpoint
from stores.s3 import S3Store
from tests.integration.s3.conftest import Answer, FaultyServer, reply_fixture  # noqa: F401  # a fixture
from tests.listener import Listener

#: Every name that production asks for, and this machine.
NAMES = ("localhost", "*.us-east-1.amazonaws.com", "*.s3.us-east-1.amazonaws.com", "*.s3.eu-west-1.amazonaws.com")
ADDRESSES = ("127.0.0.1", "::1")


class Authority:
    """A certificate authority of the test's own; ``bundle`` is the file that clients are told to trust."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "authority of the tests")])
        self.bundle = directory / "authority.pem"
        made = self._sign(self._name, self._key, None, [], dt.timedelta(days=1))
        self.bundle.write_bytes(made.public_bytes(serialization.Encoding.PEM))

    def context(self, names: tuple[str, ...] = NAMES, ends_in: dt.timedelta = dt.timedelta(days=1)) -> ssl.SSLContext:
        """What a server with a certificate for these names (and this machine, if one of them) speaks TLS with."""
        key = ec.generate_private_key(ec.SECP256R1())
        here = [x509.IPAddress(ipaddress.ip_address(one)) for one in ADDRESSES] if "localhost" in names else []
        listed = [*(x509.DNSName(name) for name in names), *here]
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])])
        made = self._sign(subject, key, self._name, listed, ends_in)
        place = self._directory / f"server-{made.serial_number}.pem"
        private = serialization.PrivateFormat.PKCS8
        encoded = key.private_bytes(serialization.Encoding.PEM, private, serialization.NoEncryption())
        place.write_bytes(encoded + made.public_bytes(serialization.Encoding.PEM))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(place)
        return context

    def _sign(
        self,
        subject: x509.Name,
        key: ec.EllipticCurvePrivateKey,
        issuer: x509.Name | None,
        names: list[Any],
        ends_in: dt.timedelta,
    ) -> x509.Certificate:
        ends = dt.datetime.now(dt.UTC) + ends_in
        builder = (
            x509.CertificateBuilder(issuer or subject, subject, key.public_key(), x509.random_serial_number())
            .not_valid_before(ends - dt.timedelta(days=3))
            .not_valid_after(ends)
            .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), True)
        )
        if names:
            builder = builder.add_extension(x509.SubjectAlternativeName(names), False)
        return builder.sign(self._key, hashes.SHA256())


class TlsRelay(Listener):
    """Speaks TLS to the client and plain TCP to ``backend`` (host, port)."""

    def __init__(
        self, context: ssl.SSLContext, backend: tuple[str, int], family: socket.AddressFamily = socket.AF_INET
    ) -> None:
        self._context, self._backend = context, backend
        super().__init__(family)
        self.endpoint = f"https://{self.authority}"

    def serve(self, client: socket.socket) -> None:
        """End TLS here."""
        secure = self.hold(self._context.wrap_socket(client, server_side=True))
        self.join(secure, self.hold(socket.create_connection(self._backend)))


class ConnectProxy(Listener):
    """A proxy that lets ``login`` (``user:password``) through: to ``backend`` (``s3`` for S3's names), or nowhere."""

    def __init__(self, login: str, backend: int | None, s3: int | None) -> None:
        self._login, self._backend, self._s3 = login, backend, s3 or backend
        self.asked: list[str] = []
        super().__init__()

    def serve(self, client: socket.socket) -> None:
        """Answer one CONNECT."""
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += client.recv(1)
        line, *rest = head.decode("latin-1").split("\r\n")
        target = line.split(" ")[1]
        self.asked.append(target)
        headers = dict(entry.lower().split(": ", 1) for entry in rest if entry)
        assert headers["host"] == target
        given = head.decode("latin-1").partition("Proxy-Authorization: Basic ")[2].partition("\r\n")[0]
        if base64.b64decode(given).decode() != self._login:
            client.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
        elif (port := self._s3 if ".s3." in target else self._backend) is None:
            client.sendall(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
        else:
            backend = self.hold(socket.create_connection(("127.0.0.1", port)))
            client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            self.join(client, backend)


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """The authority that clients trust in these tests."""
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch, authority: Authority) -> None:
    """No AWS configuration but keys and the authority; quick retries."""
    for name in list(os.environ):
        if name.startswith(("AWS_", "REQUESTS_CA")) or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, os.devnull)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET_KEY)
    monkeypatch.setenv("AWS_CA_BUNDLE", str(authority.bundle))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setattr("stores.s3.wire.BACKOFF", (0.01,))


@pytest.fixture
def relay(authority: Authority) -> Iterator[Callable[..., TlsRelay]]:
    """A maker of TLS relays: ``relay(backend URL, context=…, family=…)``."""
    made: list[TlsRelay] = []

    def make(backend: str, context: ssl.SSLContext | None = None, **options: Any) -> TlsRelay:
        parts = urlsplit(backend)
        made.append(TlsRelay(context or authority.context(), (parts.hostname or "", parts.port or 0), **options))
        return made[-1]

    yield make
    for one in made:
        one.stop()


@pytest.fixture
def connect_proxy(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., ConnectProxy]]:
    """A maker of proxies which HTTPS_PROXY names: ``connect_proxy(port, s3=…, login=…, used=…)``."""
    made: list[ConnectProxy] = []

    def make(port: int | None, s3: int | None = None, login: str = LOGIN, used: str = LOGIN) -> ConnectProxy:
        made.append(ConnectProxy(login, port, s3))
        user, _, password = used.partition(":")
        quoted = f"{quote(user, safe='')}:{quote(password, safe='')}"
        monkeypatch.setenv("HTTPS_PROXY", f"http://{quoted}@127.0.0.1:{made[-1].port}")
        return made[-1]

    yield make
    for one in made:
        one.stop()


LOGIN = "worker:pröxy-pass@word/1"
SECRET_KEY = "a-secret-key/for+tests"


@pytest.fixture
def server() -> Iterator[FaultyServer]:
    """A plain HTTP server whose answers the test writes."""
    made = FaultyServer()
    yield made
    made.stop()


def make_source(endpoint: str | None) -> DataPipelineSource:
    """The worker's side of the protocol, with calls enough for any test."""
    budgets = Budgets(Budget(1000.0), Budget(1000.0))
    return DataPipelineSource(find_endpoint(endpoint, "us-east-1", None, None), "group", "runner", budgets)


class Speaker:
    """One of the two who speak HTTP, doing one small thing."""

    def __init__(self, kind: str, endpoint: str | None) -> None:
        self.kind = kind
        if kind == "s3":
            self._store = S3Store("us-east-1", endpoint, concurrency=1)
            self.speak: Callable[[], object] = lambda: self._store.put_bytes("s3://bucket/key", b"content")
            self.close = self._store.close
        else:
            self._source = make_source(endpoint)
            self.speak = self._source.heartbeat
            self.close = self._source.stop_polling


@pytest.fixture(params=["s3", "worker"])
def speaker(request: pytest.FixtureRequest) -> Iterator[Callable[[str | None], Speaker]]:
    """A maker of clients: each test runs once with S3 and once with the worker's calls."""
    made: list[Speaker] = []

    def make(endpoint: str | None) -> Speaker:
        made.append(Speaker(request.param, endpoint))
        return made[-1]

    yield make
    for one in made:
        one.close()


def signature(handler: BaseHTTPRequestHandler, body: bytes, region: str, service: str) -> str:
    """The SigV4 signature that AWS would expect of this request, computed from what arrived (IAM User Guide)."""
    headers = {name.lower(): " ".join(value.split()) for name, value in handler.headers.items()}
    signed = headers["authorization"].partition("SignedHeaders=")[2].partition(",")[0]
    path, _, query = handler.requestline.split(" ")[1].partition("?")  # ``handler.path`` loses leading slashes
    pairs = sorted((quote(k, safe="~"), quote(v, safe="~")) for k, v in parse_qsl(query, keep_blank_values=True))
    canonical = "\n".join(
        [
            handler.command,
            path,
            "&".join(f"{key}={value}" for key, value in pairs),
            *(f"{name}:{headers[name]}" for name in signed.split(";")),
            "",
            signed,
            headers.get("x-amz-content-sha256") or hashlib.sha256(body).hexdigest(),
        ]
    )
    moment = headers["x-amz-date"]
    scope = f"{moment[:8]}/{region}/{service}/aws4_request"
    text = "\n".join(["AWS4-HMAC-SHA256", moment, scope, hashlib.sha256(canonical.encode()).hexdigest()])
    key = f"AWS4{SECRET_KEY}".encode()
    for part in scope.split("/"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()


@pytest.fixture
def verifying(server: FaultyServer, reply: Callable[..., Answer]) -> Callable[[str, str], None]:
    """Make the server check each request's signature for a region and a service, as AWS does."""

    def make(region: str, service: str) -> None:
        def answer(handler: BaseHTTPRequestHandler) -> None:
            given = handler.headers["Authorization"].partition("Signature=")[2]
            if given == signature(handler, server.bodies[-1], region, service):
                reply(200, b"{}", headers={"ETag": '"1"'})(handler)
            else:
                reply(403, b"<Error><Code>SignatureDoesNotMatch</Code></Error>")(handler)

        server.otherwise = answer

    return make
